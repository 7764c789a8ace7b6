"""`recado prompts …`: one module for each command."""
