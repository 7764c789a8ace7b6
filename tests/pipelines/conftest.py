"""Real media by name, and one engine that reads photos for all tests of a process."""

from collections.abc import Callable

import pytest

from pipelines.ocr import LocalReader
from tests.eyes import Eyes
from tests.paths import ROOT

MEDIA = ROOT / "fixtures" / "media"


@pytest.fixture
def media() -> Callable[[str], bytes]:
    return lambda name: (MEDIA / name).read_bytes()


@pytest.fixture(scope="session")
def reader(eyes: Eyes) -> LocalReader:
    return eyes
