"""The OpenAI SDK's HTTP client, directly over aiohttp; imported with the SDK, at the first call."""

from __future__ import annotations

import functools
import ssl
from typing import Any

import aiohttp
import httpx2

# A keep-alive connection is idle for less than this, so that few are closed by the other side as a request leaves.
_KEEP_ALIVE_SECONDS = 5.0
_CONNECTIONS = 1000
# The callers limit a whole call. Of an answer, these headers are read, by the SDK or by us.
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
_READ = ("Content-Type", "Retry-After")
# A process speaks to a few addresses, and the SDK gives each as text at every call.
_url = functools.lru_cache(maxsize=16)(httpx2.URL)


class DirectClient(httpx2.AsyncClient):
    """Sends a request in one step. httpx2's own way costs a third of a call's CPU time.

    That way leads through cookies, authentication, hooks, and streams, and the SDK is used with none of them.
    """

    def __init__(self) -> None:
        super().__init__(transport=httpx2.AsyncBaseTransport())
        connector = aiohttp.TCPConnector(ssl=_trusted(), limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=_NO_TIMEOUT
        )

    def build_request(self, method: str, url: httpx2.URL | str, **parts: Any) -> httpx2.Request:
        content = parts.get("content")
        if not isinstance(content, bytes):
            return super().build_request(method, url, **parts)
        return httpx2.Request(method, _url(url), headers=parts["headers"], stream=httpx2.ByteStream(content))

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """Raises httpx2.TransportError."""
        body = await request.aread()
        headers = request.headers.multi_items()
        try:
            async with self._session.request(request.method, str(request.url), headers=headers, data=body) as answer:
                content = await answer.read()
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
