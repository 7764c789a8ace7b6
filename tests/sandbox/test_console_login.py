"""The sandbox's way into the console without a password: for browsers on this machine, and for no other site."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from bot.web.server import listening
from sandbox.phone.console_login import console_login_handler

STRANGERS = [
    {"X-Forwarded-For": "203.0.113.7"},
    # A tunnel that doesn't say whom it brings.
    {"Host": "demo.tunnel.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example:80"},
    # A picture or a link of another site.
    {"Sec-Fetch-Site": "cross-site"},
]


async def test_strangers_and_other_sites_are_not_logged_in() -> None:
    app = web.Application()
    app.router.add_get("/console", console_login_handler(app))
    async with listening(app, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
        for headers in STRANGERS:
            async with http.get(f"{address}/console", headers=headers) as response:
                assert response.status == 403, headers
                assert "Set-Cookie" not in response.headers
