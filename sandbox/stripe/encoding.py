"""Stripe's form encoding: brackets nest, numbers and empty brackets make lists."""

from __future__ import annotations

import re
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sandbox.stripe.errors import StripeRefusal

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_DEEPEST = 10
_Form = TypeVar("_Form", bound=BaseModel)


def decode(encoded: str) -> dict[str, Any]:
    """Turn `items[0][price]=x&expand[]=y` into {"items": [{"price": "x"}], "expand": ["y"]}."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        _insert(tree, _path(key), value)
    return {name: _with_lists(value) for name, value in tree.items()}


def _path(key: str) -> list[str]:
    match = _KEY.match(key)
    if match is None:
        raise StripeRefusal(f"Invalid request (check that your POST content type is correct): {key}")
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > _DEEPEST:
        raise StripeRefusal(f"Received unknown parameter: {key}", code="parameter_unknown", param=key)
    return path


def _insert(tree: dict[str, Any], path: list[str], value: str) -> None:
    for step in path[:-1]:
        name = step or str(len(tree))
        if not isinstance(tree.setdefault(name, {}), dict):
            raise StripeRefusal(f"Invalid object: {path[0]}", param=path[0])
        tree = tree[name]
    tree[path[-1] or str(len(tree))] = value


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(each) for name, each in value.items()}
    if all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def read(form: type[_Form], data: dict[str, Any]) -> _Form:
    """Parse the endpoint's form; StripeRefusal names the first parameter that is unknown, missing or wrong."""
    try:
        return form.model_validate(data)
    except ValidationError as error:
        # Stripe reports unknown parameters before it checks values.
        found = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        raise _refusal(found[0]) from error


def _refusal(problem: ErrorDetails) -> StripeRefusal:  # noqa: PLR0911 - one return a kind of problem
    first, *rest = (str(step) for step in problem["loc"])
    param = first + "".join(f"[{step}]" for step in rest)
    given, context = problem["input"], problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            return StripeRefusal(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
        case "missing":
            return StripeRefusal(f"Missing required param: {param}.", code="parameter_missing", param=param)
        case "int_parsing" | "int_type" | "int_from_float":
            return StripeRefusal(f"Invalid integer: {given}", code="parameter_invalid_integer", param=param)
        case "string_too_short":
            text = f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a "
            text += f"parameter; however '{param}' cannot be unset. You should remove '{param}' from your request "
            return StripeRefusal(f"{text}or supply a non-empty value.", code="parameter_invalid_empty", param=param)
        case "literal_error":
            return StripeRefusal(f"Invalid {param}: must be one of {context['expected']}".replace("'", ""), param=param)
        case "greater_than_equal":
            text = f"This value must be greater than or equal to {context['ge']}."
            return StripeRefusal(text, code="parameter_invalid_integer", param=param)
        case "less_than_equal":
            text = f"This value must be less than or equal to {context['le']}."
            return StripeRefusal(text, code="parameter_invalid_integer", param=param)
        case "value_error":
            return StripeRefusal(str(context["error"]), param=param)
        case kind:
            wanted = {"list": "array", "dict": "object", "model": "object"}.get(kind.split("_")[0], "string")
            return StripeRefusal(f"Invalid {wanted}", param=param)
