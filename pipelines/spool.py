"""Writes received bytes to a temporary file for the process that reads them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def spooled(content: bytes) -> AsyncIterator[Path]:
    """Write the bytes to a file in a folder of its own, which is removed at the end of the context."""
    with tempfile.TemporaryDirectory(prefix="recado-") as folder:
        path = Path(folder, "source")
        await asyncio.to_thread(path.write_bytes, content)
        yield path
