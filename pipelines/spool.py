"""A stranger's bytes as a file for the process that reads them: no copy goes through a pipe, and none stays."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def spooled(content: bytes) -> AsyncIterator[Path]:
    """A file of these bytes in a folder of its own, which ends with the context."""
    with tempfile.TemporaryDirectory(prefix="recado-") as folder:
        path = Path(folder, "source")
        await asyncio.to_thread(path.write_bytes, content)
        yield path
