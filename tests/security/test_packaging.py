"""Production runs the locked versions, and without privileges that it doesn't need."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
LOCKS = ["requirements.lock", "requirements-test.lock"]
_PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)")


def pins(name: str) -> dict[str, str]:
    """Versions by normalised package name."""
    found = (_PIN.match(line) for line in (ROOT / name).read_text().splitlines())
    return {_plain(match[1]): match[2] for match in found if match}


def direct(*extras: str) -> set[str]:
    """The project's own requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *(requirement for extra in extras for requirement in project["optional-dependencies"][extra]),
    ]
    return {_plain(re.split(r"[\[<>=;, ]", question)[0]) for question in asked} - {"recado"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("lock", "extras"), [(LOCKS[0], ("ocr", "evals", "oidc")), (LOCKS[1], ("ocr", "evals", "sandbox", "test"))]
)
def test_the_lock_has_all_that_is_asked_for_as_it_is_pinned(lock: str, extras: tuple[str, ...]) -> None:
    locked, pinned = pins(lock), pins("constraints.txt")
    assert direct(*extras) <= locked.keys(), "run `make lock`"
    differ = {name: (locked[name], pinned[name]) for name in locked.keys() & pinned.keys()}
    assert [(name, *both) for name, both in differ.items() if len(set(both)) > 1] == [], "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_has_hashes_and_none_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 50
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_image_takes_only_what_is_locked_and_nothing_for_trying_things_out() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes --requirement requirements.lock" in dockerfile
    assert "--no-deps --no-build-isolation ." in dockerfile
    assert "\nUSER recado\n" in dockerfile
    assert not (direct("sandbox") - direct("ocr")) & pins("requirements.lock").keys()


def test_the_image_has_every_package_that_is_installed() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = [package.removesuffix("*") for package in setuptools["packages"]["find"]["include"]]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert [package for package in packages if f"\nCOPY {package} {package}\n" not in dockerfile] == []


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_no_process_in_compose_can_write_to_its_image_or_gain_rights(service: str) -> None:
    found = COMPOSE["services"][service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert not found.keys() & {"privileged", "cap_add", "network_mode", "pid"}
    assert all(port.startswith("127.0.0.1:") for port in found.get("ports", []))
