"""Deliberate failures of Recado's real processes, with a check for lost, doubled or unanswered messages."""
