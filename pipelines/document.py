"""Reads the text of PDFs, also scanned ones, of plain text and CSV."""

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from pipelines import file_type, pdf_page
from pipelines.byte_budget import for_decoding
from pipelines.characters import cleaned, decoded
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import SIDE_TO_READ, ReadText
from pipelines.isolated_process import IsolatedProcess
from pipelines.spool import spooled

LARGEST_BYTES = 100 * 1024 * 1024
MOST_PAGES = 30
MOST_SCANNED_PAGES = 5
MOST_CHARACTERS = 20_000
SECONDS_A_PDF = 15.0
# The process takes 30 MB by itself and 80 with a page that was scanned at 600 dpi.
MEMORY_A_PDF = 112 * 1024 * 1024
_RESERVED_A_PDF = 128 * 1024 * 1024
# A page with fewer letters is a scan with a stamp or a page number.
_LETTERS_OF_A_PAGE = 8
_SHARPEST_SCALE = 300 / 72
_WRONG_PASSWORD = 4  # FPDF_ERR_PASSWORD in fpdfview.h


@dataclass(frozen=True, slots=True)
class Pages:
    """Text of the first `read` of all `pages`; `scanned` if some are pictures, read or not."""

    text: str
    pages: int
    read: int
    scanned: bool
    truncated: bool


class _Page(NamedTuple):
    """Printed text of a page; a scan has hardly any, and `jpeg` is its picture if one was rendered."""

    text: str
    is_scan: bool = False
    jpeg: bytes | None = None


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
            raise FileRefused(FileProblem.UNREADABLE_FORMAT, f"{other or 'unknown'} {PurePath(filename or '').suffix}")


async def _read_pdf(document: bytes, read_text: ReadText | None) -> Pages:
    async with for_decoding().reserved(_RESERVED_A_PDF), spooled(document) as path:
        process = IsolatedProcess(memory=MEMORY_A_PDF)
        try:
            opened, total = await process.run(_open_pdf, path, read_text is not None, seconds=SECONDS_A_PDF)
        finally:
            await process.close()
    texts = [await _text_of(page, read_text) for page in opened]
    text = "\n\n".join(filter(None, texts))
    done = [page for page in opened if page.jpeg or not page.is_scan]
    return Pages(
        text=text[:MOST_CHARACTERS],
        pages=total,
        read=len(done),
        scanned=any(page.is_scan for page in opened),
        truncated=len(text) > MOST_CHARACTERS or len(done) < total,
    )


async def _text_of(page: _Page, read_text: ReadText | None) -> str:
    if page.jpeg and read_text:
        return _together((await read_text(page.jpeg)).text.strip(), page.text)
    return page.text


def _together(read: str, printed: str) -> str:
    """Join text read in the picture of a page with printed lines that it lacks."""
    seen = _plain(read)
    return "\n".join(filter(None, (read, *(line for line in printed.split("\n") if _plain(line) not in seen))))


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _open_pdf(document: Path, may_render: bool) -> tuple[list[_Page], int]:  # noqa: FBT001 -- pickled by position
    """Run in a process of its own, because a hostile file can make PDFium hang."""
    import pypdfium2  # noqa: PLC0415 -- only in the process of its own

    try:
        pdf = pypdfium2.PdfDocument(document)
        pdf.init_forms()
        pictures = MOST_SCANNED_PAGES if may_render else 0
        pages: list[_Page] = []
        for number in range(min(len(pdf), MOST_PAGES)):
            pages.append(_page(pdf[number], may_render=sum(bool(page.jpeg) for page in pages) < pictures))
        return pages, len(pdf)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _WRONG_PASSWORD:
            raise FileRefused(FileProblem.ENCRYPTED, "a password is needed") from None
        raise FileRefused(FileProblem.DAMAGED, "not a whole PDF") from None


def _page(page: Any, *, may_render: bool) -> _Page:
    textpage = page.get_textpage()
    printed = pdf_page.text_of(page, textpage)
    text = "\n".join(filter(None, (printed, *pdf_page.entries_of(page))))
    is_blank = next(page.get_objects(max_depth=1), None) is None
    if is_blank or (len(printed) >= _LETTERS_OF_A_PAGE and not pdf_page.is_picture(page, textpage)):
        return _Page(text)
    if not may_render:
        return _Page(text, is_scan=True)
    scale = min(SIDE_TO_READ / max(*page.get_size(), 1), _SHARPEST_SCALE)
    written = io.BytesIO()
    page.render(scale=scale).to_pil().convert("RGB").save(written, "JPEG", quality=85)
    return _Page(text, is_scan=True, jpeg=written.getvalue())


def _read_plain(document: bytes) -> Pages:
    most_bytes = MOST_CHARACTERS * 4
    text = cleaned(decoded(document[:most_bytes])).strip()
    if not text:
        raise FileRefused(FileProblem.EMPTY, "no text in it")
    truncated = len(document) > most_bytes or len(text) > MOST_CHARACTERS
    return Pages(text[:MOST_CHARACTERS], 1, 1, scanned=False, truncated=truncated)
