"""A block: a paragraph or a table's row of a document, with its place."""

from dataclasses import dataclass, replace

TOO_LONG = "the text is longer than the limit"


@dataclass(frozen=True, slots=True)
class Block:
    """Text under its headings; of a paged document its page, of a table its row (counted from 1) and its sheet.

    A row holds `header: value` pairs, so that it says something by itself.
    """

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    sheet: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of a document; `cut` says where reading stopped at a limit, and `pages` is None if there are none."""

    blocks: tuple[Block, ...]
    pages: int | None = None
    cut: str | None = None
    scanned: bool = False

    @property
    def text(self) -> str:
        """The whole text, with a line for each heading and each row."""
        lines: list[str] = []
        shown: tuple[str, ...] = ()
        for block in self.blocks:
            if block.headings != shown:
                lines += ["", *block.headings[_common(shown, block.headings) :]]
                shown = block.headings
            lines.append(block.text)
        return "\n".join(lines).strip()


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """Limits of one document, checked before the work that they save."""

    bytes: int
    unpacked: int
    characters: int
    pages: int
    scanned_pages: int
    rows: int
    cells: int
    seconds: float


def _common(path: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Number of headings that both have from the beginning."""
    count = 0
    for mine, theirs in zip(path, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


class BlockCollector:
    """Collects blocks up to a number of characters."""

    def __init__(self, characters: int) -> None:
        self._left = characters
        self.blocks: list[Block] = []
        self.cut: str | None = None

    def add(self, block: Block) -> bool:
        """Add a block; False once the limit is reached, where the block is cut."""
        if self.cut is not None:
            return False
        if len(block.text) > self._left:
            self.cut = TOO_LONG
            block = replace(block, text=block.text[: self._left])
        self._left -= len(block.text)
        if block.text:
            self.blocks.append(block)
        return self.cut is None
