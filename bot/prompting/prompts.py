"""The folder of prompts as one thing with one version: loaded whole, or refused with file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import Any

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.prompting.files import PromptFile, PromptWrong, read

# What the service hands to every prompt; a prompt that asks for anything else is refused when it is loaded.
# The samples stand in for them in that check.
SAMPLES: Mapping[str, Any] = {
    "business": {"name": "Recado"},
    "customer_name": "Ana",
    "language": "es",
    "now": "2026-11-24 10:00",
    "summary": "…",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt as the model gets it, and which one it was: `version` names the content of the whole folder."""

    text: str
    name: str
    version: str


class Prompts:
    """Prompt files by name (`assistant` is `assistant.md`); `_name.md` are partials, for `{% include %}`."""

    def __init__(self, files: Mapping[str, PromptFile], version: str) -> None:
        self._files = files
        self.version = version
        self._environment = ImmutableSandboxedEnvironment(
            loader=DictLoader({f"{name}.md": file.body for name, file in files.items()}),
            undefined=StrictUndefined,
            # A prompt isn't HTML; what people send is fenced where it comes in.
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in files:
            self._check(name)
        for name in files:
            self.render(name, SAMPLES)

    def front(self, name: str) -> dict[str, Any]:
        """The front matter of a file; raises PromptWrong when there is no such file."""
        return self._file(name).front

    def path(self, name: str) -> Path:
        return self._file(name).path

    def render(self, name: str, values: Mapping[str, Any]) -> Rendered:
        """The prompt with its values, which are put in as text and never read as a template."""
        file = self._file(name)
        try:
            text = self._environment.get_template(f"{name}.md").render(values)
        except UndefinedError as error:
            raise self._wrong(file, error, "a value is missing") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise self._wrong(file, error, "can't be rendered") from error
        return Rendered(text.strip(), name, self.version)

    def _file(self, name: str) -> PromptFile:
        if name not in self._files:
            raise PromptWrong(f"{name}.md", 1, "there is no such prompt file in the folder PROMPTS_DIR")
        return self._files[name]

    def _wrong(self, file: PromptFile, error: Exception, what: str) -> PromptWrong:
        """Where it happened: the innermost template line of the traceback, maybe in an included partial."""
        line = 1
        for frame, number in walk_tb(error.__traceback__):
            inner = self._files.get(str(frame.f_globals.get("name")).removesuffix(".md"))
            if inner is not None and "environment" in frame.f_globals:
                file, line = inner, number
        return PromptWrong(file.path, file.body_line + line - 1, f"{what}: {error}")

    def _check(self, name: str) -> None:
        file = self._files[name]
        try:
            tree = self._environment.parse(file.body)
        except TemplateSyntaxError as error:
            raise PromptWrong(file.path, file.body_line + error.lineno - 1, error.message or "syntax") from error
        for unknown in sorted(meta.find_undeclared_variables(tree) - set(SAMPLES)):
            line = file.body_line + _line_of(file.body, unknown)
            raise PromptWrong(file.path, line, f"unknown value {unknown!r}; known are {', '.join(sorted(SAMPLES))}")
        for included in meta.find_referenced_templates(tree):
            if included is None or included.removesuffix(".md") not in self._files:
                line = file.body_line + _line_of(file.body, str(included))
                raise PromptWrong(file.path, line, f"includes {included!r}, which isn't in the folder")


def load(folder: Path) -> Prompts:
    """All `*.md` files of the folder. Raises PromptWrong for the first mistake found."""
    paths = sorted(folder.glob("*.md"))
    if not paths:
        raise PromptWrong(folder, 1, "holds no prompt files (*.md); see PROMPTS_DIR")
    files = {path.stem: read(path) for path in paths if path.stem.lower() != "readme"}
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return Prompts(files, digest.hexdigest()[:12])


def _line_of(body: str, needle: str) -> int:
    """On which line of the body, counted from 0, a word stands first."""
    position = body.find(needle)
    return body.count("\n", 0, position) if position >= 0 else 0
