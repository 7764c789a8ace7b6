"""Breaking Recado's real processes on purpose, and looking whether anything was lost, doubled or left silent."""
