"""Transport of Stripe's library over our session: an answer has an end, and nobody is followed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp


def transport_of(stripe: Any, http: aiohttp.ClientSession, timeout: aiohttp.ClientTimeout) -> Any:
    """A client for the library's requests. The library itself would read an answer of any size, and follow it."""

    class Transport(stripe.AIOHTTPClient):  # type: ignore[misc, name-defined, unused-ignore]
        async def request_async(
            self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
        ) -> tuple[bytes, int, Mapping[str, str]]:
            try:
                async with http.request(
                    method, url, headers=headers, data=post_data, timeout=timeout, allow_redirects=False
                ) as response:
                    return await response.read(), response.status, response.headers
            except (aiohttp.ClientError, TimeoutError) as error:
                self._handle_request_error(error)
                raise  # pragma: no cover - the line above raises

    return Transport(session=http, timeout=timeout)
