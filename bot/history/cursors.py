"""Cursors: the end of a page of a list, as text with which a client asks for the next page."""

from __future__ import annotations

import base64
import json
from datetime import datetime

_LONGEST = 400
# Within these years every zone's time is one in UTC too; a database's numbers have 64 bits.
_YEARS = range(1970, 3000)
_NUMBERS = range(2**63)


class WrongCursor(ValueError):
    """The text isn't a cursor of this list."""


def cursor(at: datetime, last: str | int) -> str:
    """The cursor after an item, by its time and its id."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), last]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, str | int]:
    """The time and the id of a cursor; raises WrongCursor."""
    try:
        if len(text) > _LONGEST:
            raise WrongCursor("too long")
        at, last = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        time = datetime.fromisoformat(at)
        if time.tzinfo is None or time.year not in _YEARS or not _is_id(last):
            raise WrongCursor("not ours")
    except (ValueError, TypeError, RecursionError) as error:
        raise WrongCursor("the cursor is not one of this list") from error
    return time, last


def _is_id(last: object) -> bool:
    if isinstance(last, str):
        return last.isprintable()
    return isinstance(last, int) and not isinstance(last, bool) and last in _NUMBERS
