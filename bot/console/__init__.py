"""Acts of operators in the console: on conversations, messages, contacts and dead letters, and their reports."""
