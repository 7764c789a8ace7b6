"""Texts as both databases take them: PostgreSQL keeps no NUL, and neither of them half of a surrogate pair."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Engine, event

from bot.infra.json_bytes import json_bytes

# JSON's way to write NUL; behind an odd number of backslashes it would be other text.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def json_text(value: Any) -> str:
    """A value as JSON that can be stored."""
    text = json_bytes(value).decode()
    return _NUL.sub(r"\1", text) if r"\u0000" in text else text


def store_plain_texts(engine: Engine) -> None:
    """Take out of every statement's texts what can't be stored.

    Names are looked up by the same rule by which they are stored. Customers and models write these signs, and one of
    them would keep a whole message out of the history.
    """
    event.listen(engine, "before_cursor_execute", _plain_parameters, retval=True)


def _plain_parameters(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: Any
) -> tuple[str, Any]:
    if executemany:
        return statement, [_plain_row(row) for row in parameters]
    return statement, _plain_row(parameters)


def _plain_row(row: Any) -> Any:
    if isinstance(row, dict):
        return {name: _plain(value) for name, value in row.items()}
    return tuple(map(_plain, row)) if isinstance(row, tuple | list) else row


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if "\0" in value:
        value = value.replace("\0", "")
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
