"""`make audit`: known vulnerabilities of the locked dependencies, or a notice that no list could be reached."""

from __future__ import annotations

import json
import subprocess
import sys

_LAST = "the last look is dated in docs/dependencies-audit.md"
_SERVICES = ("pypi", "osv")


def main(program: str, lock: str) -> int:
    """Return 1 where a dependency has a known vulnerability; 0 where none has, or no list could be reached."""
    for service in _SERVICES:
        found = _query(program, lock, service)
        looked_at = [dependency for dependency in found if "skip_reason" not in dependency]
        if looked_at:
            return _report(looked_at, len(found))
        print(f"{service}: its list of holes can't be reached from here")
    print(f"NOT AUDITED: {_LAST}")
    return 0


def _query(program: str, lock: str, service: str) -> list[dict[str, object]]:
    command = [
        program, "--requirement", lock, "--no-deps", "--disable-pip", "--vulnerability-service", service,
        "--format", "json", "--progress-spinner", "off", "--timeout", "10",
    ]  # fmt: skip
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        found: list[dict[str, object]] = json.loads(ended.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []
    return found


def _report(looked_at: list[dict[str, object]], count: int) -> int:
    holes = [dependency for dependency in looked_at if dependency.get("vulns")]
    for dependency in holes:
        print(f"{dependency['name']} {dependency['version']}: {json.dumps(dependency['vulns'])}")
    print(f"{len(looked_at)} of {count} dependencies looked at, {len(holes)} with a known hole")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
