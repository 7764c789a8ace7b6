"""Reads a document of any known format; parsers that a hostile file could harm run in a separate process."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from pipelines import file_type, pdf
from pipelines.blocks.block import TOO_LONG, Block, BlockCollector, BlockLimits, Blocks
from pipelines.blocks.csv_rows import read_csv
from pipelines.blocks.html import read_html
from pipelines.blocks.markdown import read_markdown, read_plain
from pipelines.blocks.office import read_docx, read_xlsx
from pipelines.byte_budget import for_decoding
from pipelines.characters import cleaned, decoded
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import ReadText
from pipelines.isolated_process import IsolatedProcess
from pipelines.spool import spooled

Format = Literal["md", "txt", "html", "pdf", "docx", "xlsx", "csv"]
FORMATS: dict[str, Format] = {
    ".md": "md", ".markdown": "md", ".txt": "txt", ".html": "html", ".htm": "html", ".pdf": "pdf", ".docx": "docx",
    ".xlsx": "xlsx", ".csv": "csv", ".tsv": "csv",
}  # fmt: skip
# The libraries and a workbook take some 100 MB.
MEMORY = 256 * 1024 * 1024
_RESERVED = 128 * 1024 * 1024
# A process that leaks is replaced.
_TASKS = 50
_SIGNS_OF_A_CHARACTER = 2
_TEXTS = ("md", "txt", "csv")


class BlockReader:
    """Reads documents one after the other in one process; `close` ends it."""

    def __init__(self, limits: BlockLimits) -> None:
        self._limits = limits
        self._process = IsolatedProcess(memory=MEMORY, tasks=_TASKS)

    async def read(self, content: bytes, form: Format, read_text: ReadText | None = None) -> Blocks:
        """Read a document's blocks. Raises FileRefused; errors of `read_text` pass through."""
        if not content.strip(b"\0 \t\r\n"):
            raise FileRefused(FileProblem.EMPTY, "nothing in it")
        if len(content) > self._limits.bytes:
            raise FileRefused(FileProblem.TOO_LARGE, f"{len(content)} bytes, {self._limits.bytes} allowed")
        _check_kind(content, form)
        if form in _TEXTS:
            found = await asyncio.to_thread(read_texts, content, form, self._limits)
        elif form == "pdf":
            found = await self._pdf(content, read_text)
        elif form == "html":
            found = await self._isolated(read_html, content, self._limits)
        else:
            async with spooled(content) as path:
                found = await self._isolated(read_docx if form == "docx" else read_xlsx, path, self._limits)
        if not found.blocks:
            why = "its pages are pictures, and nothing reads them" if found.scanned else "no text in it"
            raise FileRefused(FileProblem.EMPTY, why)
        return found

    async def _isolated(self, work: Callable[..., Blocks], *arguments: object) -> Blocks:
        async with for_decoding().reserved(_RESERVED):
            return await self._process.run(work, *arguments, seconds=self._limits.seconds)

    async def _pdf(self, content: bytes, read_text: ReadText | None) -> Blocks:
        limits = pdf.PageLimits(self._limits.pages, self._limits.scanned_pages, self._limits.seconds)
        found = await pdf.read_pages(content, limits, read_text, self._process)
        collector = BlockCollector(self._limits.characters)
        for page in found.pages:
            for paragraph in page.text.split("\n\n"):
                if paragraph.strip():
                    collector.add(Block(paragraph.strip(), page=page.number))
        cut = f"read {found.read} of {found.total} pages" if found.read < found.total else None
        return Blocks(tuple(collector.blocks), found.total, collector.cut or cut, found.scanned)

    async def close(self) -> None:
        await self._process.close()


def read_texts(content: bytes, form: str, limits: BlockLimits) -> Blocks:
    """Read a format that needs no library."""
    text = decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    # Marks and spaces go, so that a file may be longer than the text that is kept of it.
    longest = limits.characters * _SIGNS_OF_A_CHARACTER
    cut, text = (TOO_LONG, text[:longest]) if len(text) > longest else (None, text)
    if form == "csv":
        found = read_csv(text, limits)
    elif form == "md":
        found = read_markdown(cleaned(text), characters=limits.characters)
    else:
        found = read_plain(cleaned(text), characters=limits.characters)
    return replace(found, cut=found.cut or cut)


def office_format(content: bytes) -> Literal["docx", "xlsx"] | None:
    """The format of Word's or Excel's file, by its bytes."""
    signature = file_type.signature_of(content)
    if signature is None or signature.format not in ("docx", "xlsx"):
        return None
    return "docx" if signature.format == "docx" else "xlsx"


def _check_kind(content: bytes, form: Format) -> None:
    """Refuse a file whose content isn't of the format that its name states."""
    signature = file_type.signature_of(content)
    is_what: Any = signature.format if signature else None
    expected = form if form in ("pdf", "docx", "xlsx") else "text"
    if is_what == expected:
        return
    if is_what == "ole" and expected in ("docx", "xlsx"):
        raise FileRefused(FileProblem.ENCRYPTED, "it has a password, or is of an Office before 2007")
    raise FileRefused(FileProblem.UNREADABLE_FORMAT, f"its bytes are {is_what or 'unknown'}, not {form}")
