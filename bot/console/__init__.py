"""Pages for operators, behind CONSOLE_TOKEN."""
