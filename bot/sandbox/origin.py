"""The page may be open on a network: nobody else's page may use it, and nothing sent to it may run in it."""

from collections.abc import Awaitable, Callable

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


_DRAWN = ("image/", "audio/", "video/")


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse what another site's page would change here."""
    if request.method not in {"GET", "HEAD"} and not same_origin(request):
        raise web.HTTPForbidden(text="this page takes no orders from other sites")
    return await handler(request)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: also streams get them, before they start."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def same_origin(request: web.Request) -> bool:
    """Whether the page itself sent it; programs other than browsers send neither header and are let in."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host


def as_file(data: bytes, mime: str) -> web.Response:
    """Somebody's file: shown where a browser only draws or plays it, else only saved; it never runs as a page."""
    drawn = mime.startswith(_DRAWN) and "svg" not in mime
    headers = {
        "Content-Type": mime if drawn else "application/octet-stream",
        "Content-Disposition": "inline" if drawn else "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=3600",
    }
    return web.Response(body=data, headers=headers)
