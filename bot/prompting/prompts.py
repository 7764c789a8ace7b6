"""Compiled release of prompts: all files of the folder together, rendered in less than a millisecond."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from traceback import walk_tb
from typing import Any, assert_never

from jinja2 import TemplateError, UndefinedError

from bot.ai.chat import FromModel, FromPerson, Instructions, Line
from bot.prompting.business_profile import FILE, Business, business_of, name_in
from bot.prompting.diagnostics import Diagnostic, PromptsWrong, column_of
from bot.prompting.files import PromptFile, PromptPart, Role
from bot.prompting.front_matter import FrontMatter, Model
from bot.prompting.knowledge_lock import digest_in, prompt_texts
from bot.prompting.release_name import name_of
from bot.prompting.template_language import LONGEST_VALUE, TemplateLanguage

# Exceptions that an expression in a template can raise.
_BROKEN = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
_FILE = re.compile(r"\$\{file:([^{}]+)\}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class RenderedPart:
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """Prompt as the model gets it; `version` names the release.

    `tools` limits the offered tools to these names; None allows all.
    """

    name: str
    version: str
    parts: tuple[RenderedPart, ...]
    model: Model = field(default_factory=Model)
    tools: frozenset[str] | None = None

    @property
    def text(self) -> str:
        return "\n\n".join(part.text for part in self.parts)

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(_line(part) for part in self.parts)


def _line(part: RenderedPart) -> Line:
    match part.role:
        case "system":
            return Instructions(part.text)
        case "user":
            return FromPerson(part.text)
        case "assistant":
            return FromModel(part.text)
        case _:
            assert_never(part.role)


@dataclass(frozen=True, slots=True)
class Prompt:
    """File with typed front matter; `defaults` are default values of its inputs."""

    file: PromptFile
    front_matter: FrontMatter
    defaults: Mapping[str, Any]

    @property
    def units(self) -> tuple[tuple[str, PromptPart], ...]:
        """Templates of the file by name: one for each part; a partial is a single template."""
        if self.file.is_partial:
            return ((self.file.name, PromptPart("system", self.file.body, self.file.body_line)),)
        return tuple((f"{self.file.name}#{number}", part) for number, part in enumerate(self.file.parts))


class Prompts:
    """Prompts by name, made by `check`; `assistant` is the file `assistant.md`.

    `knowledge` names the set of documents that the release goes with.
    """

    def __init__(self, texts: Mapping[str, str], prompts: Mapping[str, Prompt], language: TemplateLanguage) -> None:
        self.texts = dict(texts)
        self.release = name_of(texts)
        self.knowledge = digest_in(texts)
        self._prompts = dict(prompts)
        self._language = language
        self._units = {unit: (prompt.file, part) for prompt in prompts.values() for unit, part in prompt.units}
        business = prompts[FILE].file
        facts = self.render("_business", {"business": {"name": name_in(business)}}).text
        self.business: Business = business_of(business, facts)

    @property
    def wording(self) -> str:
        """Name of the texts without the documents, of which an evaluation is told apart."""
        return name_of(prompt_texts(self.texts))

    def __contains__(self, name: str) -> bool:
        return f"{name}.md" in self._prompts

    def render(self, name: str, values: Mapping[str, Any]) -> Rendered:
        """Render a prompt. Values are inserted as text, and never read as a template, a part or an include.

        Raises PromptsWrong, which is rare, because `check` rendered each prompt before.
        """
        prompt = self._prompts.get(f"{name}.md")
        if prompt is None:
            raise PromptsWrong([Diagnostic(f"{name}.md", 1, 1, "missing-file", "there is no such prompt")])
        values = _with_defaults(prompt, values)
        parts = []
        try:
            for unit, part in prompt.units:
                text = self._language.run(unit, values).strip()
                if text:
                    parts.append(RenderedPart(part.role, text))
        except _BROKEN as error:
            raise PromptsWrong([self._wrong(prompt.file, error)]) from error
        tools = None if prompt.front_matter.tools is None else frozenset(prompt.front_matter.tools)
        return Rendered(name, self.release, tuple(parts), prompt.front_matter.model, tools)

    def _wrong(self, file: PromptFile, error: Exception) -> Diagnostic:
        """Diagnostic at the traceback's innermost template line, maybe in an included partial."""
        number = 1
        for frame, line in walk_tb(error.__traceback__):
            name = frame.f_code.co_filename
            if unit := self._units.get(name):
                file, number = unit[0], unit[1].line + self._language.line_of(name, line) - 1
        code, what = ("unknown-variable", "a value is missing") if isinstance(error, UndefinedError) else _CAN_NOT
        column = column_of(file.line(number), "{{", "{%")
        return Diagnostic(file.name, number, column, code, f"{what}: {error}", "see what each value can hold")


_CAN_NOT = ("can-not-render", "can't be rendered")


def defaults_of(front: FrontMatter, files: Mapping[str, PromptFile]) -> dict[str, Any]:
    """Defaults of the inputs; `${file:_name.md}` becomes that file's text. Raises KeyError with a missing name.

    Values are cut at LONGEST_VALUE.
    """
    return {
        input_.name: _filled(input_.default, files) if isinstance(input_.default, str) else input_.default
        for input_ in front.inputs
        if input_.default is not None
    }


def _filled(default: str, files: Mapping[str, PromptFile]) -> str:
    pieces: list[str] = []
    length, end = 0, 0
    for found in _FILE.finditer(default):
        pieces += [default[end : found.start()], files[found[1].strip()].body.strip()]
        end = found.end()
        length += len(pieces[-1]) + len(pieces[-2])
        if length > LONGEST_VALUE:
            break
    return "".join((*pieces, default[end:]))[:LONGEST_VALUE]


def _with_defaults(prompt: Prompt, given: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(prompt.defaults)
    # Because an empty value means that the service knows none, the default stays.
    values |= {name: value for name, value in given.items() if value or name not in values}
    for input_ in prompt.front_matter.inputs:
        if input_.strict and isinstance(values.get(input_.name), str):
            values[input_.name] = one_line(values[input_.name])
    return {name: value[:LONGEST_VALUE] if isinstance(value, str) else value for name, value in values.items()}


def one_line(text: str) -> str:
    """Text of a person as one line, without invisible characters and tags."""
    return escape(" ".join(_UNSEEN.sub(" ", text).split()), quote=False)
