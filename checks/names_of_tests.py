"""A test module has a name of its own, because pytest imports test modules by their names without folders."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path, PurePath

from checks.source import Finding, modules


def findings(root: Path) -> list[Finding]:
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules(root, "tests"):
        name = PurePath(module.path).name
        if name.startswith("test_"):
            places[name].append(module.path)
    return [
        Finding(path, 1, f"another test module has this name: {', '.join(other for other in paths if other != path)}")
        for paths in places.values()
        if len(paths) > 1
        for path in paths
    ]
