"""The HTTP connection of the OpenAI SDK, for the models and for transcription."""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import DefaultAioHttpClient


def http_client() -> DefaultAioHttpClient:
    """Return a new client of the SDK over aiohttp; closing the SDK closes it."""
    from openai import DefaultAioHttpClient  # noqa: PLC0415 - a second and 20 MB that only a turn needs

    return DefaultAioHttpClient(verify=_trusted())


@functools.cache
def _trusted() -> ssl.SSLContext:
    # Reading the list of authorities takes 30 ms of the loop, so the clients of a process share one.
    import httpx2  # noqa: PLC0415 - as above

    return httpx2.create_ssl_context()
