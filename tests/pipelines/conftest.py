"""Real media by name, and one engine that reads photos for all tests of a process."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.ocr import LocalReader

MEDIA = Path(__file__).parents[2] / "fixtures" / "media"


@pytest.fixture
def media() -> Callable[[str], bytes]:
    return lambda name: (MEDIA / name).read_bytes()


@pytest.fixture(scope="session")
def reader() -> Iterator[LocalReader]:
    reader = LocalReader(seconds=60)
    yield reader
    asyncio.run(reader.close())
