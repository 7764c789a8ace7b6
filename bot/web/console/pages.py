"""The console's pages and their files, served as they lie in the folder `page`."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "page"
# The system answers an error to a longer one.
_LONGEST_PATH = 200
_IMPORT_MAP = '<script type="importmap">'


def _import_map_source() -> str:
    """The hash by which the policy allows the import map: browsers take no such map from a file."""
    _, found, rest = (FOLDER / "index.html").read_text(encoding="utf-8").partition(_IMPORT_MAP)
    digest = hashlib.sha256(rest.partition("</script>")[0].encode()).digest() if found else b""
    return f" 'sha256-{base64.b64encode(digest).decode()}'" if digest else ""


# Nothing but our own files may run or be drawn, and no other page may frame ours.
POLICY = (
    f"default-src 'none'; script-src 'self'{_import_map_source()}; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ogg": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_SAFE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # The address of a page may hold the token of a link.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}
# Because old modules must not mix with new ones after an update, the browser asks each time, and mostly gets a 304.
_CHECKED = {"Cache-Control": "no-cache"}

routes = web.RouteTableDef()


def _page(name: str) -> web.FileResponse:
    headers = _SAFE | _CHECKED | {"Content-Type": "text/html; charset=utf-8"}
    return web.FileResponse(FOLDER / name, headers=headers)


@routes.get("/console")
async def console(_: web.Request) -> web.Response:
    raise web.HTTPFound("/console/")


@routes.get("/console/")
async def shell(_: web.Request) -> web.FileResponse:
    """The page; it asks the API who is there, and leads to the login where nobody is."""
    return _page("index.html")


@routes.get("/console/login")
async def login(_: web.Request) -> web.FileResponse:
    return _page("login/login.html")


@routes.get("/console/oidc/callback")
async def callback(_: web.Request) -> web.FileResponse:
    """The login page, to which the company's provider sends the browser back; its script finishes the login.

    Because the browser comes from another site, it sends no strict cookie yet. The script's request carries the cookie.
    """
    return _page("login/login.html")


@routes.get("/console/password")
async def password(_: web.Request) -> web.FileResponse:
    """The page that a link of `recado operators add` opens; its script sends the token with the password."""
    return _page("login/password.html")


@routes.get("/console/worker.js")
async def service_worker(_: web.Request) -> web.FileResponse:
    """The service worker, at a path from which the browser lets it serve the whole console."""
    return _file("worker.js")


@routes.get("/console/manifest.webmanifest")
async def manifest(_: web.Request) -> web.FileResponse:
    return _file("manifest.webmanifest")


@routes.get("/console/static/{path:.+}")
async def static(request: web.Request) -> web.FileResponse:
    """A file of the page."""
    return _file(request.match_info["path"])


def _file(path: str) -> web.FileResponse:
    """A file of the folder with a known type; all others are not there."""
    kind = _TYPES.get(Path(path).suffix)
    parts = path.split("/")
    if (
        kind is None
        or len(path) > _LONGEST_PATH
        or "\0" in path
        or "\\" in path
        or any(part in ("", ".", "..") for part in parts)
    ):
        raise web.HTTPNotFound(text="there is no such file")
    file = FOLDER.joinpath(*parts)
    if not file.is_file():
        raise web.HTTPNotFound(text="there is no such file")
    return web.FileResponse(file, headers=_SAFE | _CHECKED | {"Content-Type": kind})
