"""Reads the text of a document that a person sent: PDF, also scanned, Word, Excel, plain text and CSV."""

import asyncio
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from pipelines import file_type
from pipelines.blocks import BlockLimits, BlockReader
from pipelines.blocks.reader import office_format
from pipelines.characters import cleaned, decoded
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import ReadText
from pipelines.isolated_process import IsolatedProcess
from pipelines.pdf import MEMORY_A_PDF, PageLimits, read_pages

LARGEST_BYTES = 100 * 1024 * 1024
MOST_PAGES = 30
MOST_SCANNED_PAGES = 5
MOST_CHARACTERS = 20_000
SECONDS_A_PDF = 15.0
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pages:
    """Text of the first `read` of all `pages`; `scanned` if some are pictures, read or not."""

    text: str
    pages: int
    read: int
    scanned: bool
    truncated: bool


async def read_document(document: bytes, *, filename: str | None, read_text: ReadText | None) -> Pages:
    """Read the text of a document by its bytes; of the name, only the suffix enters a refusal.

    Raises FileRefused; errors of `read_text` pass through. Without `read_text` scanned pages are left out.
    """
    if not document:
        raise FileRefused(FileProblem.EMPTY, "no bytes")
    if len(document) > LARGEST_BYTES:
        raise FileRefused(FileProblem.TOO_LARGE, f"{len(document)} bytes")
    match file_type.kind_of(document):
        case "pdf":
            return await _read_pdf(document, read_text)
        case "text":
            return await asyncio.to_thread(_read_plain, document)
        case other:
            if form := office_format(document):
                return await _read_office(document, form)
            raise FileRefused(FileProblem.UNREADABLE_FORMAT, f"{other or 'unknown'} {PurePath(filename or '').suffix}")


async def _read_pdf(document: bytes, read_text: ReadText | None) -> Pages:
    process = IsolatedProcess(memory=MEMORY_A_PDF)
    try:
        limits = PageLimits(MOST_PAGES, MOST_SCANNED_PAGES, SECONDS_A_PDF)
        found = await read_pages(document, limits, read_text, process)
    finally:
        await process.close()
    text = "\n\n".join(page.text for page in found.pages if page.text)
    return Pages(
        text=text[:MOST_CHARACTERS],
        pages=found.total,
        read=found.read,
        scanned=found.scanned,
        truncated=len(text) > MOST_CHARACTERS or found.read < found.total,
    )


async def _read_office(document: bytes, form: Literal["docx", "xlsx"]) -> Pages:
    """Read Word's or Excel's file; it counts as one page, because its pages are made when it is printed."""
    reader = BlockReader(
        BlockLimits(
            bytes=LARGEST_BYTES,
            unpacked=64 * _MEBIBYTE,
            characters=MOST_CHARACTERS,
            pages=MOST_PAGES,
            scanned_pages=MOST_SCANNED_PAGES,
            rows=2000,
            cells=50_000,
            seconds=SECONDS_A_PDF,
        )
    )
    try:
        found = await reader.read(document, form)
    finally:
        await reader.close()
    text = found.text
    truncated = found.cut is not None or len(text) > MOST_CHARACTERS
    return Pages(text[:MOST_CHARACTERS], 1, 1, scanned=False, truncated=truncated)


def _read_plain(document: bytes) -> Pages:
    most_bytes = MOST_CHARACTERS * 4
    text = cleaned(decoded(document[:most_bytes])).strip()
    if not text:
        raise FileRefused(FileProblem.EMPTY, "no text in it")
    truncated = len(document) > most_bytes or len(text) > MOST_CHARACTERS
    return Pages(text[:MOST_CHARACTERS], 1, 1, scanned=False, truncated=truncated)
