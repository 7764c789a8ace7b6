"""A variable is named after the thing that it holds: `for message in messages`, never `for one in messages`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from checks.source import Finding, Module, modules

_PLACEHOLDERS = {"one", "two"}
# Coordinates, the parameter of a search, and the quantile of the normal distribution have these names everywhere.
_SHORT = {"_", "x", "y", "q", "z"}
# Corners of a quadrilateral, and polynomials of a barcode's symbols.
_GEOMETRY = {"fixtures/products/symbols.py", "pipelines/product/glyphs.py", "pipelines/product/layout.py"}
_BRIEF = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
_PACKAGES = ("bot", "pipelines", "sandbox", "evals", "checks", "bench", "fixtures", "browser_tests", "tests")


def findings(root: Path) -> list[Finding]:
    return sorted(finding for module in modules(root, *_PACKAGES) for finding in _in_module(module))


def _in_module(module: Module) -> Iterator[Finding]:
    for line, name, is_brief in _bound(module.tree):
        if name in _PLACEHOLDERS:
            yield module.finding(line, f"the variable {name!r}; name the thing that it holds")
        # Capital letters are type variables.
        elif len(name) == 1 and name.islower() and not is_brief and name not in _SHORT and module.path not in _GEOMETRY:
            yield module.finding(line, f"the variable {name!r}; give it a word, or use it in one expression only")


def _bound(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Names that are assigned, and parameters, each with whether it belongs to a comprehension or a lambda."""
    pending = [(tree, False)]
    while pending:
        node, is_brief = pending.pop()
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                yield node.lineno, node.id, is_brief
            continue
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg, is_brief
        is_brief = is_brief or isinstance(node, _BRIEF)
        pending.extend((child, is_brief) for child in ast.iter_child_nodes(node))
