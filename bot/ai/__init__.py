"""Clients of the model vendors; no other package names a vendor."""
