"""JSON bodies and query strings of the console's API, checked: the first field that is wrong is named."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.web.console import reasons
from bot.web.console.access import body_bytes
from bot.web.console.problems import ApiProblem

_LIMIT = 256 * 1024
_LONGEST_FIELD = 64


class Body(BaseModel):
    """A body; fields that nobody knows are refused, because they may be misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=False)


class NoFields(Body):
    """The body of an action that its path tells whole."""


B = TypeVar("B", bound=BaseModel)


async def read_body(request: web.Request, model: type[B]) -> B:
    """The body as this model; an empty one counts as `{}`. Raises ApiProblem."""
    raw = await body_bytes(request, _LIMIT)
    if not raw.strip():
        return checked(model, {})
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ApiProblem(400, "body_unreadable") from error
    if not isinstance(data, dict):
        raise ApiProblem(422, "field_wrong", field="", why=reasons.OBJECT)
    return checked(model, data)


def read_query(request: web.Request, model: type[B]) -> B:
    """The query string as this model. Raises ApiProblem."""
    return checked(model, dict(request.query))


def checked(model: type[B], data: dict[str, Any]) -> B:
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # A field that nobody knows has the caller's name.
        field = ".".join(str(part)[:_LONGEST_FIELD] for part in first["loc"])
        raise ApiProblem(422, "field_wrong", field=field, why=reasons.of_field(first)) from error
    if (unwritable := _unwritable(data)) is not None:
        raise ApiProblem(422, "field_wrong", field=unwritable, why=reasons.UNWRITABLE)
    return found


def _unwritable(data: dict[str, Any]) -> str | None:
    """The first field with a NUL or half a surrogate pair. Values may lie deeper than a function can call itself."""
    pending: list[tuple[str, Any]] = [("", data)]
    while pending:
        field, value = pending.pop()
        if isinstance(value, str):
            if "\0" in value or value.encode("utf-8", "replace").decode() != value:
                return field.replace("\0", "?").encode("utf-8", "replace").decode()
            continue
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
        for name, inner in reversed(pairs):
            # A field that nobody knows has the caller's name.
            path = f"{field}.{name}"[-_LONGEST_FIELD:] if field else str(name)[:_LONGEST_FIELD]
            pending += [(path, inner), (path, name)]
    return None
