"""Reads the pages of a PDF in a separate process; scanned ones by an OCR engine."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipelines import pdf_page
from pipelines.byte_budget import for_decoding
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import SIDE_TO_READ, ReadText
from pipelines.isolated_process import IsolatedProcess
from pipelines.spool import spooled

# The process takes 30 MB by itself and 80 with a page that was scanned at 600 dpi.
MEMORY_A_PDF = 112 * 1024 * 1024
_RESERVED_A_PDF = 128 * 1024 * 1024
# A page with fewer letters is a scan with a stamp or a page number.
_LETTERS_OF_A_PAGE = 8
_SHARPEST_SCALE = 300 / 72
_WRONG_PASSWORD = 4  # FPDF_ERR_PASSWORD in fpdfview.h


@dataclass(frozen=True, slots=True)
class PageLimits:
    """Pages that are read, those of them that may be scans, and processor seconds for all."""

    pages: int
    scanned: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PageText:
    """Text of a page, by its number from 1; `is_read` is False for a scan that nothing has read."""

    number: int
    text: str
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class PdfPages:
    """The first pages of all `total`; `scanned` if some are pictures, read or not."""

    pages: tuple[PageText, ...]
    total: int
    scanned: bool

    @property
    def read(self) -> int:
        return sum(page.is_read for page in self.pages)


class _Page(NamedTuple):
    """Printed text of a page; a scan has hardly any, and `jpeg` is its picture if one was rendered."""

    text: str
    is_scan: bool = False
    jpeg: bytes | None = None


async def read_pages(
    document: bytes, limits: PageLimits, read_text: ReadText | None, process: IsolatedProcess
) -> PdfPages:
    """Read the pages in `process`. Raises FileRefused; errors of `read_text` pass through.

    Without `read_text` scanned pages are left out.
    """
    async with for_decoding().reserved(_RESERVED_A_PDF), spooled(document) as path:
        scans = limits.scanned if read_text is not None else 0
        opened, total = await process.run(_open_pdf, path, limits.pages, scans, seconds=limits.seconds)
    texts = [await _text_of(page, read_text) for page in opened]
    pages = tuple(
        PageText(number, text, is_read=bool(page.jpeg) or not page.is_scan)
        for number, (page, text) in enumerate(zip(opened, texts, strict=True), 1)
    )
    return PdfPages(pages, total, any(page.is_scan for page in opened))


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


def _open_pdf(document: Path, most_pages: int, most_scans: int) -> tuple[list[_Page], int]:
    """Run in a separate process, because a hostile file can make PDFium hang."""
    import pypdfium2  # noqa: PLC0415 -- only in the process of its own

    try:
        pdf = pypdfium2.PdfDocument(document)
        pdf.init_forms()
        pages: list[_Page] = []
        for number in range(min(len(pdf), most_pages)):
            pages.append(_page(pdf[number], may_render=sum(bool(page.jpeg) for page in pages) < most_scans))
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
