"""Requests to a provider's HTTP interface, and the fate of the e-mail when no answer comes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp

from bot.infra import bounded_http
from bot.integrations.email.provider import InDoubt, ProviderUnavailable

_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """`data` is the body's JSON; None when the body is no JSON or broke off."""

    status: int
    headers: Mapping[str, str]
    data: Any

    @property
    def is_web_page(self) -> bool:
        """Whether a website answered, and no interface."""
        return self.headers.get("Content-Type", "").startswith("text/html")


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose requests each open a connection.

    A provider may have closed a kept connection a moment ago. Then nobody can tell whether it accepted the e-mail.
    """
    async with bounded_http.session(connector=aiohttp.TCPConnector(force_close=True)) as http:
        yield http


async def send_request(  # noqa: PLR0913 - one request has these parts
    http: aiohttp.ClientSession, method: str, url: Any, *, headers: Mapping[str, str], seconds: float, body: bytes = b""
) -> ProviderResponse:
    """Raises ProviderUnavailable when the request can't have arrived, InDoubt when it may have."""
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(_CONNECT_SECONDS, seconds))
    request = http.request(method, url, headers=headers, data=BytesIO(body), timeout=timeout, allow_redirects=False)
    try:
        async with request as response:
            # The status decides, even if the body breaks off.
            text = b""
            with suppress(aiohttp.ClientError, TimeoutError):
                text = await response.read()
            return ProviderResponse(response.status, response.headers, _json(text))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
        raise ProviderUnavailable(f"no connection ({type(error).__name__})") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise InDoubt(f"no answer ({type(error).__name__})") from error


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
