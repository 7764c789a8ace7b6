"""The folder of template files: read, checked by Meta's rules, every mistake named by file and line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.infra import plain_yaml
from bot.whatsapp.templates.rules import Category, Definition, Wording, problems

_log = structlog.get_logger()
Place = tuple[str | int, ...]


class TemplatesWrong(Exception):
    """Some files can't be used; `lines` says `file:line what is wrong` for each mistake."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    category: Category
    languages: dict[str, Wording] = Field(min_length=1)


def load(folder: Path) -> tuple[Definition, ...]:
    """Load the definitions by name and language; raises TemplatesWrong with the mistakes of all files."""
    found: list[Definition] = []
    wrong: list[str] = []
    if not folder.is_dir():
        raise TemplatesWrong([f"{folder}:1 is not a folder; see TEMPLATES_DIR"])
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            found.extend(_read(path))
        except TemplatesWrong as error:
            wrong.extend(error.lines)
    if wrong:
        raise TemplatesWrong(wrong)
    return tuple(found)


def names(folder: Path) -> frozenset[str] | None:
    """The names of the templates that there are files of; None without the folder, where nobody can say."""
    paths = (*folder.glob("*.yaml"), *folder.glob("*.yml"))
    return frozenset(path.stem for path in paths) if folder.is_dir() else None


def definitions(folder: Path) -> tuple[Definition, ...]:
    """As `load`; with a mistake in them none, and a line in the log: what Meta approved can be sent all the same."""
    if not folder.is_dir():
        return ()
    try:
        return load(folder)
    except TemplatesWrong as error:
        for line in error.lines:
            _log.error("template_file_wrong", why=line, fix="see `recado templates list`")
        return ()


def _read(path: Path) -> tuple[Definition, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplatesWrong([f"{path}:1 is not UTF-8; save the file with the encoding UTF-8"]) from error
    except OSError as error:
        raise TemplatesWrong([f"{path}:1 can't be read: {error.strerror}"]) from error
    return _definitions_in(text, path)


@lru_cache(maxsize=64)
def _definitions_in(text: str, path: Path) -> tuple[Definition, ...]:
    root, document = _parsed(text, path)
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        lines = [_line(path, root, problem["loc"], problem["msg"]) for problem in error.errors()]
        raise TemplatesWrong(lines) from error
    definitions = tuple(
        Definition(file.name, language, file.category, wording) for language, wording in file.languages.items()
    )
    lines = list(_mistakes(path, root, definitions))
    if lines:
        raise TemplatesWrong(lines)
    return definitions


def _parsed(text: str, path: Path) -> tuple[yaml.Node, Any]:
    """The file's nodes, which know their lines, and what they hold."""
    try:
        # Values stay text, as WhatsApp sends them, so that a date or a number keeps its spelling.
        root, document = plain_yaml.read(text, empty="")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        words = getattr(error, "problem", None) or "is not YAML"
        raise TemplatesWrong([f"{path}:{mark.line + 1 if mark else 1} {words}"]) from error
    if not isinstance(root, yaml.MappingNode):
        raise TemplatesWrong([f"{path}:1 expected lines of `name: value`"])
    return root, document


def _mistakes(path: Path, root: yaml.Node, definitions: tuple[Definition, ...]) -> Iterator[str]:
    if definitions[0].name != path.stem:
        yield _line(path, root, ("name",), f"expected {path.stem!r}, the file's own name")
    for definition in definitions:
        for problem in problems(definition):
            inside: Place = () if problem.place == ("name",) else ("languages", definition.language)
            yield _line(path, root, (*inside, *problem.place), problem.words)


def _line(path: Path, root: yaml.Node, place: Place, words: str) -> str:
    """The complaint with the line of the innermost part of the place that is in the file."""
    node, line = root, root.start_mark.line
    for step in place:
        found = _step(node, step)
        if found is None:
            break
        line, node = found
    where = ".".join(map(str, place))
    return f"{path}:{line + 1} {f'{where}: ' if where else ''}{words}"


def _step(node: yaml.Node, step: str | int) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        pairs = {key.value: (key.start_mark.line, value) for key, value in node.value}
        return pairs.get(str(step))
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None
