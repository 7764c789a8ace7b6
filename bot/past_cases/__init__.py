"""Test cases of past turns, without the identities of the people in them."""
