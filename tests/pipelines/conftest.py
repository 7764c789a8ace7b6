"""Real media by name, and one engine that reads photos for all tests of a process."""

from collections.abc import Callable

import pytest

from pipelines.ocr import LocalReader
from tests.paths import ROOT
from tests.photo_reader import CachingPhotoReader

MEDIA = ROOT / "fixtures" / "media"


@pytest.fixture
def media() -> Callable[[str], bytes]:
    return lambda name: (MEDIA / name).read_bytes()


@pytest.fixture(scope="session")
def reader(photo_reader: CachingPhotoReader) -> LocalReader:
    return photo_reader
