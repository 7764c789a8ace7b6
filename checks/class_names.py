"""A public class name has one meaning in the whole tree."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from checks.source import Finding, Module, modules

# The sandbox and the tests may call a thing by the name that the bot or a vendor gives it.
_PACKAGES = ("bot", "evals", "pipelines", "bench", "checks")


def findings(root: Path) -> list[Finding]:
    places: dict[str, list[tuple[Module, int]]] = defaultdict(list)
    for module in modules(root, *_PACKAGES):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append((module, node.lineno))
    return [
        module.finding(line, f"class {name} is defined elsewhere too: {_others(found, module)}")
        for name, found in sorted(places.items())
        if len(found) > 1
        for module, line in found
    ]


def _others(found: list[tuple[Module, int]], here: Module) -> str:
    return ", ".join(f"{module.path}:{line}" for module, line in found if module is not here) or "in the same module"
