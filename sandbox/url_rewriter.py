"""The page may be open on another machine: addresses that only this one knows lead through the page's own server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class UrlRewriter:
    """`paths` has the path of the page's server that leads to an origin, such as `http://127.0.0.1:4242`."""

    paths: dict[str, str]

    def rewrite_text(self, request: web.Request, text: str) -> str:
        """The text with its addresses as whoever sent the request reaches them."""
        for origin, path in self.paths.items():
            text = text.replace(f"{origin}/", f"{request.scheme}://{request.host}{path}/")
        return text

    def rewrite_responses(self, pages: web.Application) -> web.Application:
        """The same pages, but what they link and redirect to can be reached too."""

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
