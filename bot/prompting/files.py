"""Prompt files: YAML front matter and a body in parts; each mistake is named by its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from bot.infra import plain_yaml
from bot.prompting.diagnostics import Diagnostic

Role = Literal["system", "user", "assistant"]
Place = tuple[str | int, ...]

LARGEST_FILE = 64 * 1024
MOST_FILES = 1000
# Because a release is read, checked and compiled as one, all files together are limited too.
LARGEST_FOLDER = 1024 * 1024
# Because phones turn two or three dashes into a long one, all these count.
_FENCE = re.compile(r"[ \t]*(?:---|—-|–-|——|—)[ \t]*")
# A part begins with its role alone on a line, as in Prompty, which also allows `# system:` and `developer:`.
_PART = re.compile(r"^[ \t]*+#?[ \t]*+(system|developer|user|assistant)[ \t]*+:[ \t]*+$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PromptPart:
    """Template of one message; starts at `line` of the file, counted from 1."""

    role: Role
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class PromptFile:
    """`name` is such as `assistant.md`; `source` is the whole text; `body` starts at `body_line`, counted from 1."""

    name: str
    source: str
    front_matter: Mapping[str, Any] = field(default_factory=dict)
    nodes: yaml.Node | None = field(default=None, compare=False)
    body: str = ""
    body_line: int = 1
    parts: tuple[PromptPart, ...] = ()

    @property
    def stem(self) -> str:
        return self.name.removesuffix(".md")

    @property
    def is_partial(self) -> bool:
        return self.name.startswith("_")

    def line(self, number: int) -> str:
        """Text of a line, counted from 1; empty beyond the end."""
        lines = self.source.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def place(self, *steps: str | int) -> tuple[int, int]:
        """Line and column of a value of the front matter, or of the innermost existing field around the value."""
        node, mark = self.nodes, self.nodes.start_mark if self.nodes else None
        for step in steps:
            found = _child(node, step)
            if found is None:
                break
            mark, node = found
        # Because YAML begins below the dashes, its first line is line 2 of the file.
        return (mark.line + 2, mark.column + 1) if mark else (1, 1)


def read_folder(folder: Path) -> tuple[dict[str, str], list[Diagnostic]]:
    """Texts of all `*.md` files of a folder by name, and diagnostics of those that can't be read."""
    texts: dict[str, str] = {}
    wrong: list[Diagnostic] = []
    paths = sorted(path for path in folder.glob("*.md") if path.stem.lower() != "readme")
    if len(paths) > MOST_FILES:
        return {}, [Diagnostic(".", 1, 1, "too-large", f"the folder holds {len(paths)} files", f"keep {MOST_FILES}")]
    for path in paths:
        text = _read_text(path)
        if isinstance(text, Diagnostic):
            wrong.append(text)
        else:
            texts[path.name] = text
        if sum(map(len, texts.values())) > LARGEST_FOLDER:
            fix = "move what isn't a prompt to another folder"
            return {}, [
                Diagnostic(".", 1, 1, "too-large", f"the files hold more than {LARGEST_FOLDER} characters", fix)
            ]
    if not paths:
        wrong.append(Diagnostic(".", 1, 1, "no-files", "holds no prompt files (*.md)", "see PROMPTS_DIR"))
    return texts, wrong


def _read_text(path: Path) -> str | Diagnostic:
    try:
        raw = path.read_bytes() if path.stat().st_size <= LARGEST_FILE else None
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Diagnostic(path.name, 1, 1, "unreadable-file", f"can't be read: {why}", "see the file's rights")
    if raw is None:
        fix = "divide it: a prompt of this size costs more than it tells"
        return Diagnostic(path.name, 1, 1, "too-large", f"is larger than {LARGEST_FILE} bytes", fix)
    try:
        # Because editors add a byte order mark and Windows its line ends, both are removed.
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        return Diagnostic(path.name, line, column, "not-utf8", "is not UTF-8", "save it with the encoding UTF-8")


def parse(name: str, source: str) -> tuple[PromptFile, list[Diagnostic]]:
    """Split a file into front matter (YAML between `---` lines) and parts; the front matter may be missing.

    Because parts are split before values are inserted, no value can begin a part.
    """
    lines = source.split("\n")
    if not _FENCE.fullmatch(lines[0]):
        return PromptFile(name, source, body=source, parts=_split_parts(source, 1)), []
    end = next((number for number, line in enumerate(lines[1:], 1) if _FENCE.fullmatch(line)), None)
    if end is None:
        fix = "put a line with --- after it"
        return PromptFile(name, source), [
            Diagnostic(name, 1, 1, "unclosed-front-matter", "the front matter isn't closed", fix)
        ]
    body = "\n".join(lines[end + 1 :])
    try:
        nodes, front = plain_yaml.read("\n".join(lines[1:end]))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "can't be read"
        line, column = (mark.line + 2, mark.column + 1) if mark else (2, 1)
        diagnostic = Diagnostic(name, line, column, "broken-yaml", f"front matter: {problem}", _YAML_FIX)
        return PromptFile(name, source, body=body, body_line=end + 2), [diagnostic]
    if not isinstance(front, dict):
        diagnostic = Diagnostic(name, 2, 1, "broken-yaml", "front matter: expected lines of `name: value`", _YAML_FIX)
        return PromptFile(name, source, body=body, body_line=end + 2), [diagnostic]
    return PromptFile(name, source, front, nodes, body, end + 2, _split_parts(body, end + 2)), []


_YAML_FIX = "put texts with : or # between quotes, and indent with spaces"


def _split_parts(body: str, body_line: int) -> tuple[PromptPart, ...]:
    """Split the body at its roles; text before the first role is the system's."""
    found = list(_PART.finditer(body))
    starts = [(0, "system"), *((mark.end() + 1, mark[1].lower()) for mark in found)]
    ends = [*(mark.start() for mark in found), len(body)]
    parts = []
    for (start, role), end in zip(starts, ends, strict=True):
        source = body[start:end]
        if source.strip() or (not found and len(starts) == 1):
            said = cast("Role", "system" if role == "developer" else role)
            parts.append(PromptPart(said, source, body_line + body.count("\n", 0, start)))
    return tuple(parts)


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        pairs = {key.value: (key.start_mark, value) for key, value in node.value}
        return pairs.get(str(step))
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark, node.value[step]
    return None


def has_role_line(text: str) -> bool:
    """Whether a line of the text would begin a part."""
    return _PART.search(text) is not None
