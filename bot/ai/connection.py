"""The HTTP connection of the OpenAI SDK, for models, transcription and embeddings: its answers have an end."""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import DefaultAioHttpClient

# What we read unpacks to so little at a time that the limit comes first; brotli and zstd don't.
_ENCODINGS = ("gzip", "deflate", "identity")
# A hundred vectors of 4,096 numbers are 8 MB as text.
MOST_BYTES = 16 * 1024 * 1024


def http_client() -> DefaultAioHttpClient:
    """Return a new client of the SDK over aiohttp; closing the SDK closes it."""
    return _bounded()(verify=_trusted(), headers={"Accept-Encoding": "gzip, deflate"}, follow_redirects=False)


@functools.cache
def _bounded() -> type[DefaultAioHttpClient]:
    import httpx2  # noqa: PLC0415 - a second and 20 MB that only a turn needs
    from openai import DefaultAioHttpClient  # noqa: PLC0415 - as above

    class BoundedClient(DefaultAioHttpClient):
        """The SDK's client; it reads an answer in pieces, and leaves one that is too large."""

        async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
            response = await super().send(request, stream=True, **options)
            if stream:
                return response
            body = bytearray()
            try:
                if response.headers.get("Content-Encoding", "identity").strip().lower() not in _ENCODINGS:
                    raise httpx2.ReadError("an encoding that nobody asked for", request=request)
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise httpx2.ReadError(f"more than {MOST_BYTES} bytes", request=request)
            finally:
                await response.aclose()
            headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_BODY]
            return httpx2.Response(
                response.status_code,
                headers=headers,
                content=bytes(body),
                request=request,
                extensions=response.extensions,
            )

    return BoundedClient


_OF_THE_BODY = (b"content-encoding", b"content-length", b"transfer-encoding")


@functools.cache
def _trusted() -> ssl.SSLContext:
    # Reading the list of authorities takes 30 ms of the loop, so the clients of a process share one.
    import httpx2  # noqa: PLC0415 - as above

    return httpx2.create_ssl_context()
