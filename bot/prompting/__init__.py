"""Prompt files of the operators: check, rendering, releases, canary."""
