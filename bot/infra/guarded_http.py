"""HTTP client for addresses from others: no private networks, no redirects, short timeouts."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import math
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
_LOOK_UP_SECONDS = 2.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def _networks(*written: str) -> Networks:
    return tuple(map(ipaddress.ip_network, written))


# IPv6 ranges whose last 32 bits are an IPv4 address that is connected to: compatible, mapped (RFC 4291), translated
# (RFC 2765), and by a gateway (RFC 6052).
_LAST_IS_IPV4 = _networks("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
# Lists of our own: `is_global` changes with Python's version. Of IPv4 all but these is the internet: IANA's registry
# of special addresses, and 6to4's relays.
_NOT_GLOBAL = _networks(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
    # Protocols and Teredo, documentation, 6to4.
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)  # fmt: skip
# The only IPv6 range that is given to the internet.
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
# Clouds' secrets of their machines (Azure, Alibaba, Amazon, Google), link-local, multicast.
_NEVER = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "224.0.0.0/4",
    "255.255.255.255/32", "::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::/64",
)  # fmt: skip


class PrivateAddress(OSError):
    """The host of an address from others resolves into a private network."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "the address is private")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Answer of the other side; `retry_after` in seconds, if it named a time to wait."""

    status: int
    retry_after: float | None = None


class NoAnswer(Exception):
    """No answer in time; the message says why, without the address. If `private`, no request was made."""

    def __init__(self, why: str, *, private: bool = False) -> None:
        super().__init__(why)
        self.private = private


class GuardedHttpClient:
    """A session of its own, because the addresses that it connects to are checked, and no others.

    The check is on the very address of each connection. Neither DNS rebinding nor odd spellings nor IPv6 bypass it.
    `resolver` is for tests.
    """

    def __init__(
        self, *, allow_private: bool, resolver: AbstractResolver | None = None, seconds: float = _SECONDS
    ) -> None:
        self._allow_private = allow_private
        connector = aiohttp.TCPConnector(
            socket_factory=self._socket, resolver=resolver, use_dns_cache=False, limit_per_host=20
        )
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_SECONDS))
        self._http = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )

    async def close(self) -> None:
        await self._http.close()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> HttpAnswer:
        """Post and get the status; raises NoAnswer. Redirects aren't followed, and of an answer no body is read."""
        return await self._ask("POST", url, body, headers)

    async def reach(self, url: str) -> None:
        """Send a HEAD request, which changes nothing; raises NoAnswer."""
        await self._ask("HEAD", url)

    async def _ask(self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> HttpAnswer:
        try:
            async with self._http.request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            ) as response:
                return HttpAnswer(response.status, seconds_until(response.headers.get("Retry-After")))
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PrivateAddress):
                raise NoAnswer(str(error.os_error.strerror), private=True) from error
            raise NoAnswer(f"no connection ({type(error).__name__})") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswer(f"no connection ({type(error).__name__})") from error

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = info
        if not allowed(ipaddress.ip_address(place[0].partition("%")[0]), allow_private=self._allow_private):
            raise PrivateAddress
        return socket.socket(family, kind, protocol)


def allowed(address: Address, *, allow_private: bool) -> bool:
    """True if we may connect to it. Link-local addresses never, because clouds keep their secrets there."""
    plain = _embedded_ipv4(address)
    if _within(plain, _NEVER) or _within(address, _NEVER):
        return False
    return allow_private or _is_global(plain)


def _is_global(address: Address) -> bool:
    return not _within(address, _NOT_GLOBAL) and (address.version == 4 or address in _GLOBAL_IPV6)  # noqa: PLR2004


def _within(address: Address, networks: Networks) -> bool:
    # An IPv4 address is in no IPv6 network for Python, and the other way round.
    return any(address in network for network in networks)


def _embedded_ipv4(address: Address) -> Address:
    """The IPv4 address that an IPv6 address embeds, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    # Not an own address of this machine: `::` and `::1` are in the range of IPv4-compatible ones.
    if int(address) > 1 and _within(address, _LAST_IS_IPV4):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or address


async def is_private(url: str) -> bool:
    """True if a URL's host resolves to a private address now; False if it does not resolve."""
    try:
        parts = urlsplit(url)
        look_up = asyncio.get_running_loop().getaddrinfo(parts.hostname or "", parts.port or 443)
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            found = await look_up
    except (OSError, ValueError, UnicodeError):
        return False
    addresses = (ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found)
    return not all(allowed(address, allow_private=False) for address in addresses)


def seconds_until(retry_after: str | None) -> float | None:
    """A `Retry-After` (RFC 9110: seconds, or a date) as seconds from now; None if there is none to be read."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            at = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None
