"""The body of the page's requests: JSON of a known shape, or a 400 with the reason."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

# A text of 65,536 letters fits, each written as four bytes or escaped.
_LARGEST_JSON = 512 * 1024
_Form = TypeVar("_Form", bound=BaseModel)


async def read_json(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json" or (request.content_length or 0) > _LARGEST_JSON:
        raise web.HTTPBadRequest(text="a JSON object of at most 512 KB is expected")
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text="the body is not JSON") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def validated(form: type[_Form], body: dict[str, Any]) -> _Form:
    try:
        return form.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise web.HTTPBadRequest(text=f"{place}: {first['msg']}") from error
