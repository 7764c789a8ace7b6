"""One prompt file: YAML front matter and a body, with every mistake named by file and line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


class PromptWrong(Exception):
    """A prompt file can't be used; the message is `file:line what is wrong`."""

    def __init__(self, file: Path | str, line: int, problem: str) -> None:
        super().__init__(f"{file}:{line} {problem}")
        self.file = str(file)
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class PromptFile:
    """`body` starts at line `body_line` of the file, counted from 1."""

    path: Path
    source: str = ""
    front: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1


class _Loader(yaml.SafeLoader):
    """YAML that leaves dates as they are written: its own reader knows no line when a month has no 30th."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> PromptFile:
    """Split a file at its front matter (`---` lines, YAML between); a file without one is all body."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PromptWrong(path, line, "is not UTF-8; save the file with the encoding UTF-8") from error
    except OSError as error:
        raise PromptWrong(path, 1, f"can't be read: {error.strerror}") from error
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        return PromptFile(path, text, body=text)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        raise PromptWrong(path, 1, "the front matter isn't closed; put a line with --- after it")
    return PromptFile(path, text, _front(path, "".join(lines[1:end])), "".join(lines[end + 1 :]), end + 2)


def _front(path: Path, source: str) -> dict[str, Any]:
    try:
        front = yaml.load(source, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "is not YAML"
        raise PromptWrong(path, (mark.line if mark else 0) + 2, f"front matter: {problem}") from error
    if front is None:
        return {}
    if not isinstance(front, dict):
        raise PromptWrong(path, 2, "front matter: expected lines of `name: value`")
    return front
