"""Protection of the page on a network: other sites can't use it, and uploaded content can't run in it."""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), geolocation=(self), camera=()",
    "Content-Security-Policy": _POLICY,
}


_SHOWN_INLINE = ("image/", "audio/", "video/")


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse requests by which another site's page would change something."""
    if request.method not in {"GET", "HEAD"} and not same_origin(request):
        raise web.HTTPForbidden(text="this page takes no orders from other sites")
    return await handler(request)


def require_known_host(names: Collection[str], public: Collection[str], *, any_address: bool) -> Any:
    """A middleware for the whole server: refuses other host names than `names`, because of DNS rebinding.

    Another site's owner can point its name to this machine; a bare address belongs to no other site. Meta's and
    Stripe's webhooks are signed and may come through a tunnel, so that they pass. The page has no login, so that the
    tunnel's own name, in `public`, reaches all but the page; customers get links to Stripe's simulated pages.
    """

    @web.middleware
    async def known_host_only(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        path, hosts = request.path, request.headers.getall("Host", ())
        on_page = path.startswith("/sandbox/")
        for_customers = not on_page or path.startswith("/sandbox/stripe-pages/")
        if not (path.startswith("/webhooks/") or known(hosts) or (for_customers and is_public(hosts))):
            raise web.HTTPForbidden(text="this host is not ours: open the address that was printed, or see --host")
        if on_page:
            return await guard(request, handler)
        return await handler(request)

    def known(hosts: Collection[str]) -> bool:
        if len(hosts) != 1:
            return False
        name = _name(next(iter(hosts)))
        address = _address(name)
        if address is not None:
            return any_address or address.is_loopback or name in names
        return name == "localhost" or name.endswith(".localhost") or name in names

    def is_public(hosts: Collection[str]) -> bool:
        return len(hosts) == 1 and _name(next(iter(hosts))) in public

    return known_host_only


def own_hosts_only(host: str, public_url: str | None) -> Any:
    """The middleware for a server that listens on this host."""
    everywhere = host in ("0.0.0.0", "::", "")
    machine = socket.gethostname().lower()
    names = {machine, f"{machine}.local"} if everywhere else {_name(host), host.lower()}
    public = {(urlsplit(public_url).hostname or "").lower()} if public_url else set()
    return require_known_host(names | (public if everywhere else set()), public, any_address=everywhere)


def _name(host: str) -> str:
    """The name of a `Host` header, without a port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`, so that streams get the headers before they start."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def same_origin(request: web.Request) -> bool:
    """Whether the page itself sent the request; programs other than browsers send neither header and pass."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host


def file_response(data: bytes, mime: str) -> web.Response:
    """A person's file: media types are shown inline, others only saved; none runs as a page."""
    drawn = mime.startswith(_SHOWN_INLINE) and "svg" not in mime
    headers = {
        "Content-Type": mime if drawn else "application/octet-stream",
        "Content-Disposition": "inline" if drawn else "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=3600",
    }
    return web.Response(body=data, headers=headers)
