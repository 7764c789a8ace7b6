"""Documents name only files that are there."""

from __future__ import annotations

import re
from pathlib import Path

from checks.source import Finding

_PACKAGES = "bot|pipelines|evals|sandbox|tests|bench|checks|docs|prompts|templates|fixtures"
# A path between backticks without a place to fill in, such as `bot/agent/loop.py`.
_PATH = re.compile(rf"`((?:{_PACKAGES})/[\w./-]*)`")
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def findings(root: Path) -> list[Finding]:
    documents = [*root.glob("*.md"), *(root / "docs").glob("*.md"), *root.glob("*/README.md")]
    return [finding for document in sorted(documents) for finding in _missing(root, document)]


def _missing(root: Path, document: Path) -> list[Finding]:
    found = []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        named = [(path, root / path) for path in _PATH.findall(line)]
        named += [(link, document.parent / link) for link in _LINK.findall(_CODE.sub("", line))]
        for name, place in named:
            if not place.exists():
                found.append(Finding(document.relative_to(root).as_posix(), number, f"{name} isn't there"))
    return found
