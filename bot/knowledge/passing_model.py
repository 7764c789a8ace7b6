"""The embedded model for `recado serve`: in a process that ends after its work, because the model takes 130 MB."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bot.knowledge.embeddings import EmbeddedModel, EmbeddingsFailed, encoded
from pipelines.errors import FileRefused
from pipelines.isolated_process import IsolatedProcess

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_MEMORY = 2**30
_SECONDS = 60.0
_BATCH = 64
_REMEMBERED = 1000


class PassingModel:
    """Vectors of the last texts are remembered, so that a list that is read again starts no process."""

    name = EmbeddedModel.name

    def __init__(self) -> None:
        self._known: OrderedDict[str, Vectors] = OrderedDict()

    async def embed(self, texts: Sequence[str], done: Callable[[int], None] | None = None) -> Vectors:
        import numpy as np  # noqa: PLC0415 - for those who compare texts alone

        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        made = dict(zip(missing, await self._made(missing), strict=True)) if missing else {}
        found = [made[text] if text in made else self._known[text] for text in texts]
        self._known.update(made)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if done:
            done(len(texts))
        return np.stack(found) if found else np.zeros((0, 1), np.float32)

    async def _made(self, texts: list[str]) -> list[Vectors]:
        process = IsolatedProcess(memory=_MEMORY)
        batches = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
        try:
            return [row for batch in batches for row in await process.run(encoded, batch, seconds=_SECONDS)]
        except FileRefused as error:
            raise EmbeddingsFailed(f"the texts could not be compared ({error.reason})") from error
        finally:
            await process.close()

    async def close(self) -> None:
        """Nothing is open: each process has ended with its work."""
