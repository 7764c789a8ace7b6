"""Stored files: one interface for a local disk and for buckets."""
