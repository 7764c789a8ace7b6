"""Reads the scanned pages of documents on this machine, for all who read documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipelines.image import Reading, ReadText
from pipelines.ocr import EngineMissing, LocalReader


@asynccontextmanager
async def scanned_pages() -> AsyncIterator[ReadText]:
    """Give a reader of pages; without its engine they stay unread, and the file is named."""
    reader = LocalReader()

    async def read(jpeg: bytes) -> Reading:
        try:
            return await reader.read(jpeg)
        except EngineMissing:
            return Reading("")

    try:
        yield read
    finally:
        await reader.close()
