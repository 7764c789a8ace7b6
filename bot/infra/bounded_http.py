"""Sessions whose answers end: others' servers may send without end, or little that unpacks to gigabytes."""

from __future__ import annotations

from typing import Any

import aiohttp

# A hundred templates of Meta, or a hundred prices of Stripe, are less than one megabyte.
MOST_BYTES = 8 * 1024 * 1024


class AnswerTooLarge(aiohttp.ClientPayloadError):
    """The answer has more bytes than anybody would send us."""


class BoundedResponse(aiohttp.ClientResponse):
    """A response that is read whole only while it stays small; a file is read in pieces, by its own limit."""

    async def read(self) -> bytes:
        """The body, unpacked. Raises AnswerTooLarge."""
        if self._body is None:
            try:
                self._body = await read_small(self.content)
            except BaseException:
                self.close()
                raise
        return await super().read()


async def read_small(content: aiohttp.StreamReader, most: int = MOST_BYTES) -> bytes:
    """Read a body, unpacked. Raises AnswerTooLarge."""
    received = bytearray()
    async for piece in content.iter_any():
        received += piece
        if len(received) > most:
            raise AnswerTooLarge(f"more than {most} bytes")
    return bytes(received)


def session(**options: Any) -> aiohttp.ClientSession:
    """A session for the servers of our vendors, without cookies. Give it back by closing it."""
    cookies = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(response_class=BoundedResponse, cookie_jar=cookies, **options)
