"""The console's routes: the page, its API, and the older routes of programs with CONSOLE_TOKEN."""
