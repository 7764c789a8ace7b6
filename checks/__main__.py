"""Print each place that breaks a rule of the repository, and exit 1 where there is one: `python -m checks`."""

from __future__ import annotations

import sys
from pathlib import Path

from checks import (
    class_names,
    document_links,
    document_names,
    imports,
    names_of_tests,
    possessive_groups,
    prose,
    redis_keys,
    sizes,
    variable_names,
)
from checks.source import Finding

RULES = (
    class_names,
    redis_keys,
    prose,
    sizes,
    imports,
    document_links,
    document_names,
    names_of_tests,
    possessive_groups,
    variable_names,
)


def findings(root: Path) -> list[Finding]:
    return [finding for rule in RULES for finding in rule.findings(root)]


def main() -> int:
    found = findings(Path.cwd())
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(f"{len(found)} left to mend\n" if found else "The rules of the repository hold.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
