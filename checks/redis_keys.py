"""A Redis key is spelled in one module, its owner; other modules call the owner's functions."""

from __future__ import annotations

import ast
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from checks.source import Finding, Module, modules

_PACKAGES = ("bot", "evals", "sandbox")
_PREFIX = "recado:"
# A part that only the running program knows.
_VARIABLE = "*"
Names = Mapping[str, tuple[str, ...]]

# Reads of another module's key, each with its reason: (module, key) → reason.
READS: dict[tuple[str, str], str] = {}


def findings(root: Path, reads: Mapping[tuple[str, str], str] = READS) -> list[Finding]:
    places: dict[str, dict[str, tuple[Module, int]]] = defaultdict(dict)
    unused = {(path, name) for path, name in reads if (root / path).exists()}
    for module in modules(root, *_PACKAGES):
        for name, line in _spelled(module.tree, _constants(module.tree)):
            unused.discard((module.path, name))
            if (module.path, name) not in reads:
                places[name].setdefault(module.path, (module, line))
    stale = [
        Finding(path, 1, f"the read of {name} is listed in checks/redis_keys.py, but gone") for path, name in unused
    ]
    return sorted(stale) + sorted(
        module.finding(line, f"the key {name} is spelled elsewhere too: {_others(found, path)}")
        for name, found in places.items()
        if len(found) > 1
        for path, (module, line) in found.items()
    )


def _others(found: Mapping[str, tuple[Module, int]], here: str) -> str:
    return ", ".join(f"{path}:{line}" for path, (_, line) in found.items() if path != here)


def _spelled(node: ast.AST, names: Names) -> Iterator[tuple[str, int]]:
    """Keys below a node, with their lines; `names` are constants, and loop variables over literal words."""
    if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp):
        names = {**names, **_loops(node.generators)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "key":
        for parts in itertools.product(*(_words(part, names) for part in node.args[1:])):
            if parts and parts[0] != _VARIABLE:
                yield f"{{{_conversation(node, names)}}}:{_shortened(':'.join(parts))}", node.lineno
    elif isinstance(node, ast.Constant | ast.JoinedStr):
        for text in _words(node, names):
            if text.startswith(_PREFIX) and not text.startswith(f"{_PREFIX}{{{_VARIABLE}"):
                yield _shortened(text.removeprefix(_PREFIX)), node.lineno
        return
    for child in ast.iter_child_nodes(node):
        yield from _spelled(child, names)


def _conversation(call: ast.Call, names: Names) -> str:
    """The hash tag of a key: `c` for any conversation, or the constant that stands in its place."""
    (tag, *_) = _words(call.args[0], names)
    return "c" if tag == _VARIABLE else tag


def _constants(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    return {
        node.targets[0].id: (node.value.value,)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def _loops(generators: Iterable[ast.comprehension]) -> dict[str, tuple[str, ...]]:
    found = {}
    for loop in generators:
        if isinstance(loop.target, ast.Name) and isinstance(loop.iter, ast.Tuple):
            words = [
                element.value
                for element in loop.iter.elts
                if isinstance(element, ast.Constant) and isinstance(element.value, str)
            ]
            if len(words) == len(loop.iter.elts):
                found[loop.target.id] = tuple(words)
    return found


def _words(node: ast.AST, names: Names) -> tuple[str, ...]:
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.FormattedValue(value=value):
            return _words(value, names)
        case ast.JoinedStr(values=values):
            return tuple("".join(parts) for parts in itertools.product(*(_words(part, names) for part in values)))
        case _:
            return (_VARIABLE,)


def _shortened(name: str) -> str:
    """The key up to its first variable part: `delivery:*:x` and `delivery:*` belong together."""
    known, variable, _ = name.partition(_VARIABLE)
    return known + variable
