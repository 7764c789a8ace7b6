"""`GET /files/{token}`: a file on this company's disk, for the holder of a valid link."""

from __future__ import annotations

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from bot.storage.files import FileMissing, Files, LinkWrong
from bot.storage.storage import StorageFailed, disposition

FILES = web.AppKey("files", Files)
_HEADERS = {
    # Received files are served unchanged. Browsers save them, never show them, and run nothing.
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "private, no-store",
}
_ONE_STORAGE = "see that serve and worker have one storage: the same STORAGE_DIR on the same disk, or one bucket"
_log = structlog.get_logger()
routes = web.RouteTableDef()


@routes.get("/files/{token}")
async def download(request: web.Request) -> web.StreamResponse:
    """Stream the file, also from the start of a range. Every fault of a link gets the same answer."""
    try:
        file, path = await request.app[FILES].open(request.match_info["token"])
    except LinkWrong as error:
        if isinstance(error, FileMissing):
            _log.error("file_missing", fix=_ONE_STORAGE)
        return web.Response(status=404, text="there is no such file, or the link has expired", headers=_HEADERS)
    except (StorageFailed, RedisError, OSError) as error:
        _log.warning("file_not_served", error=type(error).__name__, fix="see REDIS_URL and STORAGE_DIR")
        return web.Response(status=503, text="the file can't be read now; try again in a moment", headers=_HEADERS)
    own = {"Content-Type": file.mime, "Content-Disposition": disposition(file.name)}
    return web.FileResponse(path, headers=_HEADERS | own)
