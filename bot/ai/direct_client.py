"""The OpenAI SDK's HTTP client, directly over aiohttp: its answers have an end. Imported at the first call."""

from __future__ import annotations

import functools
import ssl
from typing import Any

import aiohttp
import httpx2

from bot.infra.bounded_http import read_small

# A hundred vectors of 4,096 numbers are 8 MB as text.
MOST_BYTES = 16 * 1024 * 1024
# An idle connection is closed by us, so that few are closed by the other side as a request leaves.
_KEEP_ALIVE_SECONDS = 5.0
_CONNECTIONS = 1000
# The callers limit a whole call.
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
# Of an answer's headers, the SDK and we read these.
_READ = ("Content-Type", "Retry-After")
# A process speaks to a few addresses, and the SDK gives each as text at every call.
_url = functools.lru_cache(maxsize=16)(httpx2.URL)


class DirectClient(httpx2.AsyncClient):
    """Sends a request in one step, because httpx2's own way costs a third of a call's CPU time.

    That way leads through cookies, authentication, redirects, hooks and streams; the SDK is used with none of them.
    """

    def __init__(self) -> None:
        super().__init__(transport=httpx2.AsyncBaseTransport())
        connector = aiohttp.TCPConnector(ssl=_trusted(), limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        cookies = aiohttp.DummyCookieJar()
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=cookies, timeout=_NO_TIMEOUT)

    def build_request(self, method: str, url: httpx2.URL | str, **parts: Any) -> httpx2.Request:
        content = parts.get("content")
        if not isinstance(content, bytes):
            return super().build_request(method, url, **parts)
        return httpx2.Request(method, _url(url), headers=parts["headers"], stream=httpx2.ByteStream(content))

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """Send a request and read the answer whole. Raises httpx2.TransportError."""
        body = request.read()
        headers = request.headers.multi_items()
        try:
            async with self._session.request(
                request.method, str(request.url), headers=headers, data=body, allow_redirects=False
            ) as answer:
                content = await read_small(answer.content, MOST_BYTES)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise httpx2.TransportError(type(error).__name__, request=request) from error
        read = {name: value for name in _READ if (value := answer.headers.get(name)) is not None}
        return httpx2.Response(answer.status, headers=read, content=content, request=request)

    async def aclose(self) -> None:
        await self._session.close()
        await super().aclose()


@functools.cache
def _trusted() -> ssl.SSLContext:
    # Reading the list of authorities takes 30 ms of the loop, so the clients of a process share one.
    return httpx2.create_ssl_context()
