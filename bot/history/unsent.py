"""Codes for the reasons of our own why a message did not leave, so that a page says them in its reader's language."""

from __future__ import annotations

import re

_CODES = (
    ("taken", re.compile(r"not sent: an operator or a colleague ")),
    ("expired", re.compile(r"not sent: the person did not write ")),
    ("window_closed", re.compile(r"not sent: window_closed")),
    ("opted_out", re.compile(r"not sent: opted_out")),
    ("unreachable", re.compile(r"not sent: unreachable")),
    ("file_gone", re.compile(r"the file of an? \w{1,40} is not in the storage")),
    ("file_refused", re.compile(r"the file of an? \w{1,40} can't be sent|a document has |Meta takes no document ")),
    ("template", re.compile(r"there is no template |the parameters of |[a-z0-9_]{1,512} is not at Meta in ")),
    ("meta_silent", re.compile(r"HTTP \d{3} without Meta's ")),
)


def reason_code(why: str | None) -> str | None:
    """The code of a reason; None for another one, such as Meta's own words."""
    return next((code for code, pattern in _CODES if pattern.match(why or "")), None)
