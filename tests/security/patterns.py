"""All regular expressions of `bot` and `pipelines`, found in their modules and sources."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import bot
import evals
import pipelines
import sandbox

# Alembic runs this module, in a migration alone.
_RUN_BY_OTHERS = {"bot.database.migrations.env"}
_CALLS = {"search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split"}
# Positions of the flags among the arguments.
_FLAGS_AT = dict.fromkeys(_CALLS, 2) | {"compile": 1, "sub": 4, "subn": 4, "split": 3}
_CALL_WRITTEN = re.compile(rf"\bre\.|\.(?:{'|'.join(sorted(_CALLS))})\b")
# Methods of patterns that other modules take from a table.
_EACH = {"search", "fullmatch", "sub"}


@dataclass(frozen=True)
class Scan:
    """A pattern, its method, and its place: `apply` runs it over a text."""

    place: str
    pattern: re.Pattern[Any]
    method: str

    def __str__(self) -> str:
        return f"{self.place} {self.method} {self.pattern.pattern[:60]!r}"

    def apply(self, text: str) -> None:
        subject: Any = text if isinstance(self.pattern.pattern, str) else text.encode("latin-1", "replace")
        match self.method:
            case "sub" | "subn":
                getattr(self.pattern, self.method)(subject[:0], subject)
            case "finditer":
                deque(self.pattern.finditer(subject), maxlen=0)
            case method:
                getattr(self.pattern, method)(subject)


@dataclass(frozen=True)
class Found:
    """`scans` of patterns in the code; `built` are the places that make a pattern from data at run time."""

    scans: tuple[Scan, ...]
    built: tuple[str, ...]


@cache
def found() -> Found:
    """Every pattern with every method called on its name, so that new patterns are included automatically."""
    modules = [importlib.import_module(name) for name in sorted(_names())]
    used = _Used()
    sources = {module: _parsed(_source(module)) for module in modules}
    for tree in sources.values():
        used.visit(tree)
    scans: dict[tuple[Any, int, str], Scan] = {}
    built: set[str] = set()
    for module, tree in sources.items():
        direct, unknown = _written(module, tree)
        built |= unknown
        for scan in (*_held_scans(module, tree, used), *direct):
            scans.setdefault((scan.pattern.pattern, scan.pattern.flags, scan.method), scan)
    return Found(tuple(scans.values()), tuple(sorted(built)))


def _held_scans(module: ModuleType, tree: ast.Module, used: _Used) -> Iterator[Scan]:
    loose, own = _loose(tree, module), _Used()
    own.visit(tree)
    for name, pattern in _held(module):
        # Another module's private pattern of this name may have other methods.
        elsewhere = set() if name.startswith("_") and own.methods(name) else used.methods(name)
        for method in sorted(own.methods(name) | elsewhere or loose or _EACH):
            yield Scan(f"{module.__name__}.{name}", pattern, method)


def _written(module: ModuleType, tree: ast.Module) -> tuple[list[Scan], set[str]]:
    """Scans by inline patterns, and the places whose pattern is unknown before run time."""
    scans, unknown = [], set()
    for call, name, function in _direct(tree):
        pattern = _evaluated(call, name, module)
        if pattern is None:
            unknown.add(f"{module.__name__}.{function}")
        elif name in _CALLS:
            scans.append(Scan(f"{module.__name__}:{call.lineno}", pattern, name))
    return scans, unknown


def _names() -> set[str]:
    packages = (bot, evals, pipelines, sandbox)
    found = (
        walk_package
        for package in packages
        for walk_package in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    )
    return {function.name for function in found} - _RUN_BY_OTHERS


def _parsed(source: str) -> ast.Module:
    """The tree of a source; empty where it calls no method of a pattern, because trees take their time."""
    return ast.parse(source if _CALL_WRITTEN.search(source) else "")


def _source(module: ModuleType) -> str:
    with open(module.__file__ or "", encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


class _Used(ast.NodeVisitor):
    """Methods called on each pattern's name, anywhere."""

    def __init__(self) -> None:
        self._by_name: dict[str, set[str]] = defaultdict(set)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in _CALLS:
            match node.value:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    self._by_name[name].add(node.attr)
        self.generic_visit(node)

    def names(self) -> set[str]:
        return {*self._by_name}

    def methods(self, name: str) -> set[str]:
        return self._by_name.get(name, set())


def _loose(tree: ast.Module, module: ModuleType) -> set[str]:
    """Methods called on patterns that aren't names of the module, but come from tables."""
    used = _Used()
    used.visit(tree)
    return {method for name in used.names() - {*vars(module)} for method in used.methods(name)} - {"split"}


def _held(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in vars(module).items():
        for pattern in _inside(value, module.__name__, set()):
            yield name, pattern


def _inside(value: Any, module: str, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    match value:
        case re.Pattern():
            yield value
        case dict():
            yield from _of_all([*value.keys(), *value.values()], module, seen)
        case list() | tuple() | set() | frozenset():
            yield from _of_all(list(value), module, seen)
        case type() if value.__module__ == module:
            yield from _of_all(list(vars(value).values()), module, seen)


def _of_all(values: list[Any], module: str, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    for value in values:
        yield from _inside(value, module, seen)


def _direct(tree: ast.Module) -> Iterator[tuple[ast.Call, str, str]]:
    """Calls of `re` itself, by function name, each with the function around it."""
    functions: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        around = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else functions.get(node, "")
        functions.update(dict.fromkeys(ast.iter_child_nodes(node), around))
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name in _FLAGS_AT:
                yield node, name, around


def _evaluated(call: ast.Call, name: str, module: ModuleType) -> re.Pattern[Any] | None:
    """The pattern of a call, where it consists of the module's constants."""
    place = _FLAGS_AT[name]
    flags = [*call.args[place : place + 1], *(keyword.value for keyword in call.keywords if keyword.arg == "flags")]
    try:
        pattern = _value(call.args[0], module)
        return re.compile(pattern, *(_value(flag, module) for flag in flags))
    except NameError:
        return None


def _value(expression: ast.expr, module: ModuleType) -> Any:
    return eval(compile(ast.Expression(expression), "<pattern>", "eval"), vars(module))
