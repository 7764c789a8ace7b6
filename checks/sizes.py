"""A function is read without scrolling, and a module at one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

from checks.source import Finding, Module, modules

FUNCTION_LINES = 50
MODULE_LINES = 400
_PACKAGES = ("bot", "pipelines", "evals", "sandbox")


def findings(root: Path) -> list[Finding]:
    return [finding for module in modules(root, *_PACKAGES) for finding in _long(module)]


def _long(module: Module) -> list[Finding]:
    found = []
    lines = len(module.text.splitlines())
    if lines > MODULE_LINES:
        found.append(module.finding(1, f"{lines} lines in a module, {MODULE_LINES} allowed"))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(module.finding(node.lineno, f"{node.name} has {lines} lines, {FUNCTION_LINES} allowed"))
    return found
