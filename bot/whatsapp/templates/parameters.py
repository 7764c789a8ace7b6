"""Components of a template message from values by name, cleaned as Meta demands (docs/whatsapp.md, Templates)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from bot.messages.record import Record
from bot.whatsapp.formatting import split
from bot.whatsapp.lenient_json import items, mapping, text
from bot.whatsapp.templates.rules import LONGEST, VARIABLE, variables

# Placeholder of an empty value, because Meta refuses empty ones.
_NOTHING = "-"
# An emoji and the sign of what is missing.
_SHORTEST = 3
_MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")


class ParametersWrong(Exception):
    """The parameters don't fit the template; `missing` and `unknown` name them."""

    def __init__(self, missing: list[str], unknown: list[str], expected: list[str]) -> None:
        mistakes = [f"missing: {', '.join(missing)}"] if missing else []
        mistakes += [f"unknown: {', '.join(unknown)}"] if unknown else []
        super().__init__(f"{'; '.join(mistakes)} (expected: {', '.join(expected) or 'none'})")
        mistakes = [f"faltan: {', '.join(missing)}"] if missing else []
        mistakes += [f"no existen: {', '.join(unknown)}"] if unknown else []
        self.spanish = f"{'; '.join(mistakes)} (se esperan: {', '.join(expected) or 'ninguno'})"
        self.missing = missing
        self.unknown = unknown


class Synced(Record):
    """A template in one language as Meta has it now."""

    id: str
    name: str
    language: str
    status: str
    category: str
    parameter_format: str = "POSITIONAL"
    components: tuple[dict[str, Any], ...] = ()
    quality: str | None = None
    rejected_reason: str | None = None

    @property
    def named(self) -> bool:
        return self.parameter_format.upper() == "NAMED"

    def component(self, kind: str) -> dict[str, Any]:
        return next((part for part in self.components if str(part.get("type")).upper() == kind), {})

    def text(self, kind: str) -> str:
        return text(self.component(kind).get("text")) or ""

    @property
    def buttons(self) -> list[dict[str, Any]]:
        return [mapping(button) for button in items(self.component("BUTTONS").get("buttons"))]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all values that it needs.

        Those of the header and the body are the variables' own; `header` is a media header's link (or the one value
        of a header with numbers), `button_0` the end of the first button's address, or its code.
        """
        header = ("header",) if _header_takes_one(self) else variables(self.text("HEADER"))
        buttons = [f"button_{index}" for index, button in enumerate(self.buttons) if _takes_value(button)]
        return tuple(dict.fromkeys((*header, *variables(self.text("BODY")), *buttons)))


def synced_from(raw: dict[str, Any]) -> Synced | None:
    """An entry of Meta's list; None when it has no name or language."""
    name, language = text(raw.get("name")), text(raw.get("language"))
    if name is None or language is None:
        return None
    reason = text(raw.get("rejected_reason"))
    return Synced(
        id=text(raw.get("id")) or "",
        name=name,
        language=language,
        status=(text(raw.get("status")) or "UNKNOWN").upper(),
        category=(text(raw.get("category")) or "UNKNOWN").upper(),
        parameter_format=(text(raw.get("parameter_format")) or "POSITIONAL").upper(),
        components=tuple(mapping(part) for part in items(raw.get("components"))),
        quality=text(mapping(raw.get("quality_score")).get("score")),
        rejected_reason=None if reason == "NONE" else reason,
    )


def cleaned(value: str) -> str:
    """A value on one line, without tabs, runs of spaces and invisible signs; a placeholder for an empty one."""
    line = " ".join(value.split())
    return "".join(sign for sign in line if unicodedata.category(sign) != "Cc") or _NOTHING


def components(template: Synced, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """The message's `components`; raises ParametersWrong."""
    values = _checked(template, parameters)
    found = [part for part in (_header(template, values), _body(template, values)) if part]
    for index, button in enumerate(template.buttons):
        if _takes_value(button):
            found.append(_button(index, button, values[f"button_{index}"]))
    return found


def words(template: Synced, parameters: Mapping[str, str]) -> str:
    """The text that the person reads; raises ParametersWrong."""
    values = _checked(template, parameters)
    header = values if template.named else {"1": values.get("header", "")}
    parts = (
        filled(template.text("HEADER"), _fitting(template.text("HEADER"), header, LONGEST["header"])),
        filled(template.text("BODY"), _fitting(template.text("BODY"), values, LONGEST["body"])),
        template.text("FOOTER"),
    )
    return "\n\n".join(part for part in parts if part)


def filled(pattern: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), pattern)


def _checked(template: Synced, parameters: Mapping[str, str]) -> dict[str, str]:
    expected = template.parameters
    missing = [name for name in expected if name not in parameters]
    unknown = sorted(set(parameters) - set(expected))
    if missing or unknown:
        raise ParametersWrong(missing, unknown, list(expected))
    return {name: cleaned(parameters[name]) for name in expected}


def _header(template: Synced, values: dict[str, str]) -> dict[str, Any] | None:
    kind = str(template.component("HEADER").get("format", "TEXT")).upper()
    if kind in _MEDIA:
        # The approved sample is not sent again: a link, or the id of a file at Meta, has to come with each message.
        place = "link" if "://" in values["header"] else "id"
        parameter = {"type": kind.lower(), kind.lower(): {place: values["header"]}}
        return {"type": "header", "parameters": [parameter]}
    pattern = template.text("HEADER")
    if not variables(pattern):
        return None
    given = values if template.named else {"1": values["header"]}
    return {"type": "header", "parameters": _texts(template, pattern, given, LONGEST["header"])}


def _body(template: Synced, values: dict[str, str]) -> dict[str, Any] | None:
    pattern = template.text("BODY")
    if not variables(pattern):
        return None
    return {"type": "body", "parameters": _texts(template, pattern, values, LONGEST["body"])}


def _texts(template: Synced, pattern: str, values: dict[str, str], longest: int) -> list[dict[str, str]]:
    names = variables(pattern) if template.named else sorted(variables(pattern), key=int)
    fitting = _fitting(pattern, values, longest)
    return [
        {"type": "text"} | ({"parameter_name": name} if template.named else {}) | {"text": fitting[name]}
        for name in names
    ]


def _fitting(pattern: str, values: dict[str, str], longest: int) -> dict[str, str]:
    """The values, the longest of them shortened until the filled text is within Meta's limit (132005)."""
    used = {name: values[name] for name in variables(pattern)}
    while used and (excess := _units(filled(pattern, used)) - longest) > 0:
        name = max(used, key=lambda used_name: _units(used[used_name]))
        room = _units(used[name]) - excess - 1
        if _units(used[name]) <= _SHORTEST:
            break
        used[name] = f"{split(used[name], max(room, _SHORTEST - 1))[0]}…"
    return used


def _units(string: str) -> int:
    """Length as Meta may count it: an emoji is two."""
    return len(string.encode("utf-16-le")) // 2


def _button(index: int, button: dict[str, Any], value: str) -> dict[str, Any]:
    code = _kind(button) == "COPY_CODE"
    parameter = {"type": "coupon_code", "coupon_code": value} if code else {"type": "text", "text": value}
    sub_type = "copy_code" if code else "url"
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [parameter]}


def _header_takes_one(template: Synced) -> bool:
    header = template.component("HEADER")
    media = str(header.get("format", "TEXT")).upper() in _MEDIA
    return media or (not template.named and bool(variables(template.text("HEADER"))))


def _takes_value(button: dict[str, Any]) -> bool:
    return _kind(button) == "COPY_CODE" or (_kind(button) == "URL" and "{{" in str(button.get("url", "")))


def _kind(button: dict[str, Any]) -> str:
    return str(button.get("type", "")).upper()
