"""YAML for people who don't know YAML: words stay words, and a number is one only if a schema asks for it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import yaml

# Keys whose values are words for people, wherever such files have them.
WORDS = frozenset((
    "name", "description", "displayName", "owner", "about", "text", "tap", "caption", "says", "user", "assistant",
    "summary", "judge", "header", "body", "footer",
))  # fmt: skip
# Recado's own files have some 800 pieces, five deep.
_MOST_PIECES = 5000
_DEEPEST = 20
# Repairs of one file, each followed by reading the file once more.
_MOST_MENDED = 20
_BROKEN = (yaml.YAMLError, ValueError, RecursionError)
_ENTRY = re.compile(r"(?P<before>[ ]*(?:- +)*(?P<key>\w+):[ ]+)(?P<value>\S.*)")
# A comment has a space behind its sign, as in `closed: # days off`; #1 is a number of something.
_COMMENT = re.compile(r"[ \t]#(?:[ \t].*)?$")
_CUT = re.compile(r"[ \t]*(?<![^ \t])#[^\s#].*")
# Phones put these where a space is typed.
_SPACES = str.maketrans("\u00a0\u2007\u202f", "   ")
_SPACED = re.compile(
    r"^[ \u00a0\u2007\u202f]*(?:-[ \u00a0\u2007\u202f]+)?(?:\w+:[ \u00a0\u2007\u202f]+)?", re.MULTILINE
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?P<part>\.\d{1,17}(?:[eE][-+]?\d{1,2})?)?")
_TRUE, _FALSE, _NONE = ("true", "yes", "on"), ("false", "no", "off"), ("null", "~", "")


class YamlTooLarge(yaml.YAMLError):
    """YAML that could expand far beyond its text."""

    def __init__(self, problem: str, mark: Any) -> None:
        super().__init__(problem)
        self.problem = problem
        self.problem_mark = mark


class PlainScalar(str):
    """A value without quotes, as it is written."""

    __slots__ = ()


def _loader(base: Any) -> Any:
    """A loader that takes every value for text: `no`, `12:30`, `1e3`, `007` and `2026-02-30` stay as written."""

    class Loader(base):  # type: ignore[misc]  # of two kinds
        empty: str | None = None

        def text(self, node: yaml.ScalarNode) -> str | None:
            # None in Python's loader, "" in the one in C.
            if node.style:
                return str(node.value)
            return PlainScalar(node.value) if node.value else self.empty

    Loader.yaml_implicit_resolvers = {
        sign: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:merge"]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_constructor("tag:yaml.org,2002:str", Loader.text)
    return Loader


# The C parser is ten times as fast, but not on every machine; the Python parser tells places better.
_FAST, _EXACT = _loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)), _loader(yaml.SafeLoader)


def read(
    source: str, words: Collection[str] = WORDS, *, empty: str | None = None, exact: bool = False
) -> tuple[yaml.Node | None, Any]:
    """The nodes of a document, and what it holds: lists, mappings, texts, and `empty` for what is left so.

    Values of `words`, each on one line, may hold YAML's own signs. `exact` tells places better and takes longer.
    Raises yaml.YAMLError, ValueError, RecursionError; TooMuch, before anything is built, for YAML that grows.
    """
    lines, kind = _SPACED.sub(lambda found: found[0].translate(_SPACES), source).split("\n"), _EXACT if exact else _FAST
    mended: set[int] = set()
    while True:
        text = "\n".join(lines)
        try:
            _limit(text, kind)
            loader = kind(text)
            loader.empty = empty
            return _read(lines, loader, words)
        except _BROKEN as error:
            number = _mended(lines, error, words, mended)
            if number is None and kind is _FAST:
                # The Python parser, because the C parser names the end of the file in place of a mistake's line.
                return read(source, words, empty=empty, exact=True)
            if number is None:
                raise
            mended.add(number)


def typed(value: Any) -> Any:
    """Read a value without quotes as a number, yes or no, or nothing, where it is one; also within a list."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if not isinstance(value, PlainScalar):
        return value
    word = value.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if word in _NONE:
        return None
    number = _NUMBER.fullmatch(value)
    return value if number is None else float(value) if number["part"] else int(value)


def is_nothing(value: Any) -> bool:
    """True if a value is empty, or one of YAML's words for nothing."""
    return value is None or (isinstance(value, PlainScalar) and value.lower() in _NONE)


def _limit(text: str, kind: Any) -> None:
    """Refuse aliases, types and deep nesting, by which a few lines of YAML can expand."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=kind)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        refused = ""
        if isinstance(event, yaml.AliasEvent):
            refused = "*name, which repeats another value, can't be used here"
        elif getattr(event, "tag", None) not in (None, "!"):
            refused = "types such as !!int can't be used here"
        elif count > _MOST_PIECES or depth > _DEEPEST:
            refused = f"more than {_MOST_PIECES} values, or more than {_DEEPEST} within each other"
        if refused:
            raise YamlTooLarge(refused, event.start_mark)


def _read(lines: list[str], loader: Any, words: Collection[str]) -> tuple[yaml.Node | None, Any]:
    try:
        nodes = loader.get_single_node()
        if nodes is None:
            return None, {}
        _complete(nodes, lines, words)
        return nodes, loader.construct_document(nodes)
    finally:
        loader.dispose()


def _complete(root: yaml.Node, lines: list[str], words: Collection[str]) -> None:
    """Restore the rest of a value that was taken for a comment, as in Tienda #1."""
    seen: set[int] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        # An alias leads to a node that was there before.
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
            continue
        for key, value in node.value:
            pending.append(value)
            if isinstance(key, yaml.ScalarNode) and key.value in words and not node.flow_style:
                _complete_one(value, lines)


def _complete_one(node: yaml.Node, lines: list[str]) -> None:
    if not isinstance(node, yaml.ScalarNode) or node.style or node.end_mark.line >= len(lines):
        return
    cut = _CUT.fullmatch(lines[node.end_mark.line], node.end_mark.column)
    if cut:
        node.value = f"{node.value} {_COMMENT.sub('', cut[0]).strip()}".strip()


def _mended(lines: list[str], error: Exception, words: Collection[str], mended: Collection[int]) -> int | None:
    """Put the value that isn't YAML between quotes, where it is one of words; gives its line."""
    for mark in (getattr(error, "problem_mark", None), getattr(error, "context_mark", None)):
        if mark is None or mark.line >= len(lines) or mark.line in mended or len(mended) >= _MOST_MENDED:
            continue
        found = _ENTRY.fullmatch(lines[mark.line])
        if found and found["key"] in words:
            value = _COMMENT.sub("", found["value"]).rstrip()
            lines[mark.line] = found["before"] + "'" + value.replace("'", "''") + "'"
            return int(mark.line)
    return None
