"""Rewriting of this machine's addresses, because the page may be open on another machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class UrlRewriter:
    """`paths` maps an origin, such as `http://127.0.0.1:4242`, to a path of the page's server."""

    paths: dict[str, str]

    def rewrite_text(self, request: web.Request, text: str) -> str:
        """The text with addresses that the sender of the request can reach."""
        for origin, path in self.paths.items():
            text = text.replace(f"{origin}/", f"{request.scheme}://{request.host}{path}/")
        return text

    def rewrite_responses(self, pages: web.Application) -> web.Application:
        """The same pages, with links and redirects that the reader can reach."""

        @web.middleware
        async def rewrite(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            response = await handler(request)
            if "Location" in response.headers:
                response.headers["Location"] = self.rewrite_text(request, response.headers["Location"])
            if isinstance(response, web.Response) and response.content_type == "text/html" and response.text:
                response.text = self.rewrite_text(request, response.text)
            return response

        pages.middlewares.append(rewrite)
        return pages
