"""Message templates as we write them down: Meta's rules checked beforehand, and the body that asks for a review."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
LONGEST = {"header": 60, "body": 1024, "footer": 60}
_LANGUAGE = re.compile(r"^[a-z]{2,3}(_[A-Z]{2})?$")
_NAME = re.compile(r"^[a-z0-9_]{1,512}$")
_PARAMETER = re.compile(r"^[a-z][a-z0-9_]*$")
_PHONE = re.compile(r"^\+\d{7,20}$")
_URL = re.compile(r"^https?://[^\s{}]+(\{\{1\}\})?$")
_SHORTENED = re.compile(r"^https?://(wa\.me|bit\.ly|tinyurl\.com|t\.co|goo\.gl)/")
_LONGEST_LABEL, _LONGEST_URL, _LONGEST_CODE = 25, 2000, 15
_MOST_BUTTONS = 10
_MOST_OF_A_KIND = {"url": 2, "phone_number": 1, "copy_code": 1}
Category = Literal["UTILITY", "MARKETING"]


class Button(BaseModel):
    """A button below a template; a URL may end in `{{1}}`, and then `example` is a whole one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["quick_reply", "url", "phone_number", "copy_code"]
    text: str = ""
    url: str = ""
    phone_number: str = ""
    example: str = ""


class Wording(BaseModel):
    """A template's components in one language; `examples` has a value for each variable, for Meta's review."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str = ""
    body: str = Field(min_length=1)
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    examples: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Definition:
    """A template in one language, as a company wants it."""

    name: str
    language: str
    category: Category
    wording: Wording

    @property
    def variables(self) -> tuple[str, ...]:
        """The parameters' names, each once, in the order of the header and the body."""
        return variables(f"{self.wording.header} {self.wording.body}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule of Meta that a definition breaks, and the place in its file."""

    place: tuple[str | int, ...]
    words: str


def variables(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def problems(definition: Definition) -> Iterator[Problem]:
    """Problems for which Meta would reject it, at once or in its review (docs/whatsapp.md, Templates)."""
    if not _NAME.match(definition.name):
        yield Problem(("name",), "expected small letters, digits and _ only, at most 512")
    if not _LANGUAGE.match(definition.language):
        yield Problem((), f"{definition.language!r} is no language of WhatsApp; expected one such as es_MX")
    wording = definition.wording
    yield from _texts(wording)
    yield from _body(wording)
    yield from _examples(definition)
    yield from _buttons(wording.buttons)


def create_body(definition: Definition) -> dict[str, Any]:
    """The body of `POST /{WABA}/message_templates`."""
    return {
        "name": definition.name,
        "language": definition.language,
        "category": definition.category,
        "parameter_format": "NAMED",
        "components": _components(definition.wording),
    }


def _texts(wording: Wording) -> Iterator[Problem]:
    for part, longest in LONGEST.items():
        text: str = getattr(wording, part)
        if len(text) > longest:
            yield Problem((part,), f"has {len(text)} characters; at most {longest} are allowed")
        if re.search(r"\{\{|\}\}", VARIABLE.sub("", text)):
            yield Problem((part,), "has braces that are no variable; expected {{name}}")
        for name in variables(text):
            if not _PARAMETER.match(name):
                yield Problem((part,), f"{{{{{name}}}}}: expected small letters, digits and _, a letter first")
        if part != "body" and re.search(r"[\n*]", text):
            yield Problem((part,), "may have no new line and no formatting")
    if len(VARIABLE.findall(wording.header)) > 1:
        yield Problem(("header",), "may have one variable only")
    if VARIABLE.search(wording.footer):
        yield Problem(("footer",), "may have no variable")


def _body(wording: Wording) -> Iterator[Problem]:
    text = wording.body.strip()
    found = VARIABLE.findall(text)
    if re.match(r"\W*\{\{", text) or re.search(r"\}\}\W*$", text):
        yield Problem(("body",), "may not begin or end with a variable")
    if re.search(r"\}\}\s*\{\{", text):
        yield Problem(("body",), "has two variables side by side; put words between them")
    words = len(VARIABLE.sub("", text).split())
    if found and words < 2 * len(found) + 1:
        yield Problem(("body",), f"has {len(found)} variables in {words} words: too many for its length")
    if wording.footer and wording.footer.strip() == text:
        yield Problem(("footer",), "says the same as the body")


def _examples(definition: Definition) -> Iterator[Problem]:
    used, given = set(definition.variables), definition.wording.examples
    for name in sorted(used - set(given)):
        yield Problem(("examples",), f"has no example for {{{{{name}}}}}; Meta's review needs one")
    for name in sorted(set(given) - used):
        yield Problem(("examples", name), "is an example for a variable that is not there")
    for name in sorted(used & set(given)):
        if not given[name].strip():
            yield Problem(("examples", name), "is empty; Meta's review needs a real value")


def _buttons(buttons: tuple[Button, ...]) -> Iterator[Problem]:
    if len(buttons) > _MOST_BUTTONS:
        yield Problem(("buttons",), f"there are {len(buttons)}; at most {_MOST_BUTTONS} are allowed")
    kinds: list[str] = [button.type for button in buttons]
    for kind, most in _MOST_OF_A_KIND.items():
        if kinds.count(kind) > most:
            yield Problem(("buttons",), f"{kinds.count(kind)} of type {kind}; at most {most} allowed")
    replies = [index for index, kind in enumerate(kinds) if kind == "quick_reply"]
    if replies and replies[-1] - replies[0] >= len(replies):
        yield Problem(("buttons",), "quick replies must stand together, without other buttons between them")
    labels = [button.text for button in buttons if button.text]
    for index, button in enumerate(buttons):
        if labels.count(button.text) > 1:
            yield Problem(("buttons", index, "text"), "is the label of another button too")
        yield from (Problem(("buttons", index, place), words) for place, words in _button(button))


def _button(button: Button) -> Iterator[tuple[str, str]]:
    if button.type == "copy_code":
        if not 0 < len(button.example) <= _LONGEST_CODE:
            yield "example", f"expected a code of 1 to {_LONGEST_CODE} characters"
        return
    if not 0 < len(button.text.strip()) <= _LONGEST_LABEL or VARIABLE.search(button.text) or "\n" in button.text:
        yield "text", f"expected 1 to {_LONGEST_LABEL} characters, no variable, no new line"
    if button.type == "phone_number" and not _PHONE.match(button.phone_number):
        yield "phone_number", "expected + and digits"
    if button.type == "url":
        if not _URL.match(button.url) or len(button.url) > _LONGEST_URL:
            yield (
                "url",
                f"expected a web address of at most {_LONGEST_URL} characters, with {{{{1}}}} at its end or not",
            )
        if _SHORTENED.match(button.url):
            yield "url", "Meta rejects wa.me and shortened links"
        if "{{1}}" in button.url and not button.example.startswith(button.url.partition("{{")[0]):
            yield "example", "expected a whole address that begins as `url` does"


def _components(wording: Wording) -> list[dict[str, Any]]:
    found = []
    if wording.header:
        found.append({"type": "HEADER", "format": "TEXT"} | _text(wording, wording.header, "header_text_named_params"))
    found.append({"type": "BODY"} | _text(wording, wording.body.strip(), "body_text_named_params"))
    if wording.footer:
        found.append({"type": "FOOTER", "text": wording.footer})
    if wording.buttons:
        found.append({"type": "BUTTONS", "buttons": [_as_json(button) for button in wording.buttons]})
    return found


def _text(wording: Wording, text: str, examples: str) -> dict[str, Any]:
    named = [{"param_name": name, "example": wording.examples[name]} for name in variables(text)]
    return {"text": text} | ({"example": {examples: named}} if named else {})


def _as_json(button: Button) -> dict[str, Any]:
    given = button.model_dump(exclude_defaults=True, exclude={"example"}) | {"type": button.type.upper()}
    if button.type == "copy_code":
        return given | {"example": button.example}
    return given | ({"example": [button.example]} if "{{1}}" in button.url else {})
