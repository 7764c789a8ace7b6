"""The operators' prompt files: read, checked and rendered."""
