"""Imports of a command stand at the top of its module: the lazy group of commands loads only the one that is called."""

from __future__ import annotations

import re
from pathlib import Path

from checks.source import Finding, modules

_LATE = re.compile(r"#\s*noqa:[^#]*\bPLC0415\b")


def findings(root: Path) -> list[Finding]:
    return [
        module.finding(number, "an import inside a function; commands import at the top")
        for module in modules(root, "bot/cli")
        for number, line in enumerate(module.text.splitlines(), 1)
        if _LATE.search(line)
    ]
