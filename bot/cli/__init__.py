"""Command line: one module for each command, or for a group whose commands need the same parts."""
