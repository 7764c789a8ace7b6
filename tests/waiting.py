"""The longest time that a test waits for an event.

A test waits for events and not for seconds, because another machine may be slower or busy.
"""

PATIENCE = 90.0
