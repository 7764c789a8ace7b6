"""The longest that a test waits for an event.

A test never waits for seconds, because another machine is slower or busy with other work.
"""

PATIENCE = 90.0
