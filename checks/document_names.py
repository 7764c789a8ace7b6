"""Documents name only classes and modules that the code has."""

from __future__ import annotations

import re
from pathlib import Path

from checks.source import Finding, modules

_PACKAGES = ("bot", "pipelines", "evals", "sandbox", "bench", "checks", "tests")
_CODE = re.compile(r"`([^`]+)`")
# Two humps, such as ToolError: words with one are also headers, states and names of things outside.
_CLASS = re.compile(r"\b(?:[A-Z][a-z]+){2,}\b")
_MODULE = re.compile(r"\bbot(?:\.[a-z_]+)+")


def findings(root: Path) -> list[Finding]:
    sources = modules(root, *_PACKAGES)
    words = {word for module in sources for word in _CLASS.findall(module.text)}
    names = {module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for module in sources}
    documents = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]
    return [
        Finding(document.relative_to(root).as_posix(), number, f"{name} is in no module")
        for document in documents
        if document.exists()
        for number, line in enumerate(document.read_text().splitlines(), 1)
        for code in _CODE.findall(line)
        for name in _unknown(code, words, names)
    ]


def _unknown(code: str, words: set[str], names: set[str]) -> list[str]:
    """Names of a piece of code that no module has; a module may be followed by a name of its own."""
    gone = [module for module in _MODULE.findall(code) if not {module, module.rpartition(".")[0]} & names]
    return gone + [name for name in _CLASS.findall(code) if name not in words]
