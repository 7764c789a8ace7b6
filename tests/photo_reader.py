"""The local photo reader, shared by all tests of a process."""

from __future__ import annotations

from pipelines.image import Reading
from pipelines.ocr import LocalReader


class CachingPhotoReader(LocalReader):
    """Starts once and reads every photo once, because both take seconds."""

    def __init__(self) -> None:
        super().__init__(seconds=60)
        self._known: dict[bytes, Reading] = {}

    async def read(self, jpeg: bytes) -> Reading:
        if jpeg not in self._known:
            self._known[jpeg] = await super().read(jpeg)
        return self._known[jpeg]

    async def close(self) -> None:
        """Stay open, because other tests use the reader too; `end` closes it."""

    async def end(self) -> None:
        await super().close()
