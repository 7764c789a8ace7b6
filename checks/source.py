"""Python modules of the repository, parsed once for all rules."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """A place that breaks a rule, in the form that editors open with a click."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, eq=False)
class Module:
    path: str
    text: str
    tree: ast.Module

    def finding(self, line: int, text: str) -> Finding:
        return Finding(self.path, line, text)


@cache
def _parsed(file: Path, path: str) -> Module:
    text = file.read_text()
    return Module(path, text, ast.parse(text, path))


def modules(root: Path, *packages: str) -> list[Module]:
    """Every module of the packages, sorted by path. Paths are those of the repository, with slashes."""
    files = sorted(file for package in packages for file in (root / package).rglob("*.py"))
    return [_parsed(file, file.relative_to(root).as_posix()) for file in files]
