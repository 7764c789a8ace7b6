"""Documents as blocks with their places: Markdown, text, HTML, PDF, Word, Excel and CSV."""

from pipelines.blocks.block import Block, BlockLimits, Blocks
from pipelines.blocks.reader import FORMATS, BlockReader

__all__ = ["FORMATS", "Block", "BlockLimits", "BlockReader", "Blocks"]
