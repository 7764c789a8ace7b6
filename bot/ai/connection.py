"""The HTTP connection of the OpenAI SDK, for models, transcription and embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2


def http_client() -> httpx2.AsyncClient:
    """Return a new HTTP client for the SDK; closing the SDK closes it."""
    from bot.ai.direct_client import DirectClient  # noqa: PLC0415 - with httpx2 it takes a time that only a turn needs

    return DirectClient()
