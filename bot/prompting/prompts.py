"""The folder of prompts as one thing with one version: loaded whole, or refused with file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.prompting.files import PromptFile, PromptWrong, read

# What the service hands to a prompt; one that asks for anything else is refused when it is loaded.
# The samples stand in for them in that check: somebody well known, and somebody of whom nothing is known.
_SAMPLES: tuple[Mapping[str, Any], ...] = (
    {
        "business": {"name": "Recado"},
        "customer_name": "Ana",
        "language": "es",
        "now": "2026-11-24 10:00 (Tuesday)",
        "summary": "…",
    },
    {
        "business": {"name": ""},
        "customer_name": "",
        "language": "en",
        "now": "2026-11-24 10:00 (Tuesday)",
        "summary": "",
    },
)
# These are rendered off a turn too, where nobody is spoken to.
_KNOWN_TO = {"summary": ("business", "summary"), "_business": ("business",)}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt as the model gets it, and which one it was: `version` names the content of the whole folder."""

    text: str
    name: str
    version: str


# All that an expression in a template can raise; a template that includes itself ends in a RecursionError.
_BROKEN = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class Prompts:
    """Prompt files by name (`assistant` is `assistant.md`); `_name.md` are partials, for `{% include %}`."""

    def __init__(self, files: Mapping[str, PromptFile], version: str) -> None:
        self._files = files
        self.version = version
        self._environment = ImmutableSandboxedEnvironment(
            loader=FunctionLoader(self._source),
            undefined=StrictUndefined,
            # A prompt isn't HTML; what people send is fenced where it comes in.
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in files:
            self._check(name)
        for name in files:
            for sample in _SAMPLES:
                self.render(name, {value: sample[value] for value in _known_to(name)})

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
        except _BROKEN as error:
            raise self._wrong(file, error, "can't be rendered") from error
        return Rendered(text.strip(), name, self.version)

    def _file(self, name: str) -> PromptFile:
        if name not in self._files:
            raise PromptWrong(f"{name}.md", 1, "there is no such prompt file in the folder PROMPTS_DIR")
        return self._files[name]

    def _source(self, name: str) -> tuple[str, str, None] | None:
        """What jinja reads, with the file's path, by which a traceback tells where it happened."""
        file = self._files.get(name.removesuffix(".md")) if name.endswith(".md") else None
        return (file.body, str(file.path), None) if file else None

    def _wrong(self, file: PromptFile, error: Exception, what: str) -> PromptWrong:
        """Where it happened: the innermost template line of the traceback, maybe in an included partial."""
        paths = {str(file.path): file for file in self._files.values()}
        line = 1
        for frame, number in walk_tb(error.__traceback__):
            inner = paths.get(frame.f_code.co_filename)
            if inner is not None:
                file, line = inner, number
        return PromptWrong(file.path, file.body_line + line - 1, f"{what}: {error}")

    def _check(self, name: str) -> None:
        file = self._files[name]
        try:
            tree = self._environment.parse(file.body)
            self._environment.compile(file.body)
        except TemplateSyntaxError as error:
            raise PromptWrong(file.path, file.body_line + error.lineno - 1, error.message or "syntax") from error
        known = _known_to(name)
        for unknown in sorted(meta.find_undeclared_variables(tree) - set(known)):
            line = min(found.lineno for found in tree.find_all(nodes.Name) if found.name == unknown)
            problem = f"unknown value {unknown!r}; known are {', '.join(sorted(known))}"
            raise PromptWrong(file.path, file.body_line + line - 1, problem)
        includes: Iterator[Any] = tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))
        for include in includes:
            wanted = include.template.value if isinstance(include.template, nodes.Const) else None
            if self._source(str(wanted)) is None:
                problem = f"includes {wanted!r}, which isn't in the folder; write the name of a file in quotes"
                raise PromptWrong(file.path, file.body_line + include.lineno - 1, problem)


def _known_to(name: str) -> tuple[str, ...]:
    return _KNOWN_TO.get(name, tuple(_SAMPLES[0]))


def load(folder: Path) -> Prompts:
    """All `*.md` files of the folder. Raises PromptWrong for the first mistake found."""
    paths = sorted(folder.glob("*.md"))
    if not paths:
        raise PromptWrong(folder, 1, "holds no prompt files (*.md); see PROMPTS_DIR")
    files = {path.stem: read(path) for path in paths if path.stem.lower() != "readme"}
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(f"{name}\0{file.source}\0".encode())
    return Prompts(files, digest.hexdigest()[:12])
