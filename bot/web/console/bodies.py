"""JSON bodies and query strings of the console's API, checked: the first field that is wrong is named."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.web.console.access import body_bytes
from bot.web.console.problems import ApiProblem

_LIMIT = 256 * 1024


class Body(BaseModel):
    """A body; fields that nobody knows are refused, because they may be misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=False)


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
        raise ApiProblem(422, "field_wrong", field="", why="expected a JSON object")
    return checked(model, data)


def read_query(request: web.Request, model: type[B]) -> B:
    """The query string as this model. Raises ApiProblem."""
    return checked(model, dict(request.query))


def checked(model: type[B], data: dict[str, Any]) -> B:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ApiProblem(422, "field_wrong", field=field, why=first["msg"]) from error
