"""Servers that stand in for Meta's in tests of the client."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import SecretStr

from bot.settings import WhatsAppSettings

TOKEN = "the token"


PHOTO = b"\xff\xd8\xff a photo"


LIMIT = 1000


@dataclass
class Shelf:
    """A server that may be any host of the internet; `url` is where its Graph API says that file 9 is."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    resolved: int = 0
    bodies: list[bytes] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v26.0/9", self._resolve)
        app.router.add_route("*", "/{tail:.*}", self._other)
        return app

    async def _resolve(self, request: web.Request) -> web.Response:
        self.resolved += 1
        found: dict[str, Any] = {"url": self.url, "mime_type": "image/jpeg"}
        return web.json_response(found | self.answers.get("resolve", {}))

    async def _other(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.host.partition(":")[0] + request.path, request.headers.get("Authorization")))
        self.bodies.append(await request.read())
        answer = self.answers.get(request.path, PHOTO)
        if isinstance(answer, list):
            answer = answer.pop(0)
        if callable(answer):
            response: web.StreamResponse = await answer(request)
            return response
        return answer if isinstance(answer, web.Response) else web.Response(body=answer)


@dataclass
class Internet(AbstractResolver):
    """Every name leads to this machine: http to port 80's stand-in, https to 443's."""

    ports: dict[int, int] = field(default_factory=dict)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        there = self.ports.get(port, port)
        return [ResolveResult(hostname=host, host="127.0.0.1", port=there, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def settings(base: str) -> WhatsAppSettings:
    return WhatsAppSettings(access_token=SecretStr(TOKEN), phone_number_id="1060", api_base_url=base)


async def cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.abort()
    return response


async def dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    for _ in range(500):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response
