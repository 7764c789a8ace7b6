"""People of the console: operators, their passwords and sessions, what each role may do, and what each has done."""
