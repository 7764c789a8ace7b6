"""Checks of the tokens of operators and Prometheus, in constant time and with a limit of wrong ones by client."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import time
from collections.abc import Callable

from aiohttp import web

from bot.web.refusals import count_refusal

_MOST_WRONG = 10
_SECONDS = 60.0
_MOST_CLIENTS = 10_000


class TokenGuard:
    """Checks tokens, and counts the wrong ones of each client in this minute.

    Ten wrong tokens refuse a client for the rest of the minute. Behind a proxy without X-Forwarded-For all clients
    share one address: a right token still passes there, or any stranger could lock the operators out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By client: when its minute began, and the wrong tokens since.
        self._wrong: dict[str, tuple[float, int]] = {}

    def check(self, request: web.Request, token: str, *, realm: str, basic: bool = False) -> None:
        """Let a right token pass; raises 401, or 429 after too many wrong ones."""
        client, known = client_of(request)
        wait = self._wait(client)
        if wait and known:
            count_refusal(f"{realm}_limited")
            raise _too_many(wait)
        headers = request.headers.getall("Authorization", ())
        if any(hmac.compare_digest(given, _bytes(token)) for given in _given(headers, basic=basic)):
            return
        if headers:
            count_refusal(f"{realm}_token")
            self._count(client)
        if wait:
            raise _too_many(wait)
        asked = "Basic" if basic else "Bearer"
        raise web.HTTPUnauthorized(
            text=f"send Authorization: Bearer {realm.upper()}_TOKEN",
            headers={"WWW-Authenticate": f'{asked} realm="{realm}"'},
        )

    def _wait(self, client: str) -> float:
        """Seconds until this client may try again."""
        began, count = self._wrong.get(client, (0.0, 0))
        left = began + _SECONDS - self._clock()
        return max(left, 0.0) if count >= _MOST_WRONG else 0.0

    def _count(self, client: str) -> None:
        began, count = self._wrong.pop(client, (self._clock(), 0))
        if self._clock() - began >= _SECONDS:
            began, count = self._clock(), 0
        self._wrong[client] = (began, count + 1)
        if len(self._wrong) > _MOST_CLIENTS:
            # The client that sent no token for the longest time.
            del self._wrong[next(iter(self._wrong))]


GUARD = web.AppKey("token_guard", TokenGuard)


def client_of(request: web.Request) -> tuple[str, bool]:
    """Network address of the client, and whether it stands for a single client.

    A private peer counts as our proxy. Of its X-Forwarded-For only the last address counts, which it wrote itself.
    """
    peer = _address(request.remote or "")
    if peer is None or peer.is_global:
        return _network(peer), peer is not None
    seen = ",".join(request.headers.getall("X-Forwarded-For", ())).rpartition(",")[2]
    client = _address(seen.strip())
    return (_network(client), True) if client else (_network(peer), False)


def _address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(written.strip("[]"))
    except ValueError:
        return None
    # A server for both protocols writes an IPv4 client so; as IPv6, all of them would share one network.
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    """The address of one client; for IPv6 its /64 network, because one person has all of it."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address), 64), strict=False))
    return str(address or "")


def _given(headers: list[str] | tuple[str, ...], *, basic: bool) -> list[bytes]:
    """The token of the header; none if there are two headers."""
    if len(headers) != 1:
        return []
    scheme, _, given = headers[0].partition(" ")
    if scheme.lower() == "bearer":
        return [_bytes(given.strip())]
    if not basic or scheme.lower() != "basic":
        return []
    try:
        return [base64.b64decode(given.strip(), validate=True).partition(b":")[2]]
    except (binascii.Error, ValueError):
        return []


def _bytes(text: str) -> bytes:
    # Bytes that are not UTF-8 arrive as lone surrogates.
    return text.encode("utf-8", "surrogateescape")


def _too_many(wait: float) -> web.HTTPTooManyRequests:
    return web.HTTPTooManyRequests(text="too many wrong tokens", headers={"Retry-After": str(int(wait) + 1)})
