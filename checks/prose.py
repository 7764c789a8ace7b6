"""Docstrings begin with the thing or a verb, and cite nothing that a reader doesn't have."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from checks.source import Finding, Module, modules

_PACKAGES = ("bot", "evals", "pipelines", "sandbox")
_TEXTS = {".css", ".html", ".js", ".json", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}
_FOLDERS = (*_PACKAGES, "bench", "checks", "docs", "fixtures", "prompts", "templates", "tests")
_OPENING = re.compile(r"\s*(What|Whoever|That|Who|Where|One|All)\b")
_CITATION = re.compile(r"\(references? \d[\d., and-]*\)|\((?:contract|design)\.md\)")
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def findings(root: Path) -> list[Finding]:
    found = [finding for module in modules(root, *_PACKAGES) for finding in _openings(module)]
    return found + _citations(root)


def _openings(module: Module) -> list[Finding]:
    found = []
    for node in ast.walk(module.tree):
        if not isinstance(node, _DOCUMENTED):
            continue
        opening = _OPENING.match(ast.get_docstring(node, clean=False) or "")
        if opening:
            line = node.body[0].lineno
            found.append(module.finding(line, f"docstring begins with {opening[1]}; begin with the thing or a verb"))
    return found


def _citations(root: Path) -> list[Finding]:
    files = [*root.glob("*"), *(file for folder in _FOLDERS for file in (root / folder).rglob("*"))]
    return [
        Finding(file.relative_to(root).as_posix(), number, f"{cited[0]} leads nowhere; say the fact itself")
        for file in sorted(files)
        if file.suffix in _TEXTS and "node_modules" not in file.parts and file.is_file()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if (cited := _CITATION.search(line))
    ]
