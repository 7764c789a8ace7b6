"""No pattern repeats a group possessively, as `(?:ab)*+` does: Python 3.11.2, which is Debian's, matches it wrongly.

https://github.com/python/cpython/issues/106052
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from checks.source import Finding, modules

_PACKAGES = ("bot", "pipelines", "evals", "sandbox", "bench", "checks")
_POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[\d,]+\})\+")


def findings(root: Path) -> list[Finding]:
    return [
        module.finding(call.lineno, f"a group is repeated possessively: {pattern}")
        for module in modules(root, *_PACKAGES)
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and _of_re(call.func)
        for pattern in _texts(call.args[:1])
        if _POSSESSIVE_GROUP.search(pattern)
    ]


def _of_re(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"


def _texts(arguments: list[ast.expr]) -> list[str]:
    nodes = [node for argument in arguments for node in ast.walk(argument)]
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
