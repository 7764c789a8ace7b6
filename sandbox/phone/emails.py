"""E-mails on the page: each as its reader sees it, and its attachments."""

from __future__ import annotations

from aiohttp import web

from sandbox.phone.origin_guard import file_response
from sandbox.simulators.smtp import ReceivedEmail, SmtpSimulator
from sandbox.url_rewriter import UrlRewriter

# The page shows each e-mail in a frame. Because its HTML is foreign, it gets an origin of its own, and no scripts,
# forms or network. Its links open new windows.
_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; frame-ancestors 'self'"
)
_NEW_WINDOWS = '<base target="_blank">'


def routes(smtp: SmtpSimulator, url_rewriter: UrlRewriter) -> list[web.RouteDef]:
    """`/mails` (newest first), and of each `/mails/{id}/page` and `/mails/{id}/attachments/{number}`."""

    def mail(request: web.Request) -> ReceivedEmail:
        found = next((received for received in smtp.mails if str(received.id) == request.match_info["id"]), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    async def page(request: web.Request) -> web.Response:
        html = url_rewriter.rewrite_text(request, mail(request).html)
        before, head, after = html.partition("<head>")
        text = f"{before}{head}{_NEW_WINDOWS}{after}" if head else f"{_NEW_WINDOWS}{html}"
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def attachment(request: web.Request) -> web.Response:
        parts = dict(enumerate(mail(request).message.iter_attachments()))
        part = parts.get(int(request.match_info["number"]))
        if part is None:
            raise web.HTTPNotFound
        data = part.get_payload(decode=True)
        return file_response(data if isinstance(data, bytes) else b"", part.get_content_type())

    return [
        web.get("/mails", smtp.listing),
        web.get("/mails/{id}/page", page),
        web.get(r"/mails/{id}/attachments/{number:\d{1,4}}", attachment),
    ]
