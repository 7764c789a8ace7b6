"""The webhook's baseline: a bare aiohttp handler with the same HMAC and one Redis script, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

_SECRET = os.environ["WHATSAPP_APP_SECRET"].encode()
_SCRIPT = """
if redis.call('HSETNX', KEYS[1], ARGV[1], 'x') == 1 then redis.call('RPUSH', KEYS[2], ARGV[2]) end
return redis.call('LLEN', KEYS[2])
"""
_REDIS: web.AppKey[Any] = web.AppKey("redis")


async def _receive(request: web.Request) -> web.Response:
    body = await request.read()
    wanted = "sha256=" + hmac.new(_SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, request.headers.get("X-Hub-Signature-256", "")):
        return web.Response(status=401)
    await request.app[_REDIS].execute_command("EVAL", _SCRIPT, 2, "floor:seen", "floor:list", wanted, body)
    return web.Response()


async def _redis(app: web.Application) -> AsyncIterator[None]:
    async with Redis.from_url(os.environ["REDIS_URL"]) as client:
        app[_REDIS] = client
        yield


def app() -> web.Application:
    made = web.Application(client_max_size=4 * 1024 * 1024)
    made.router.add_post("/webhooks/whatsapp", _receive)
    made.cleanup_ctx.append(_redis)
    return made


if __name__ == "__main__":
    import uvloop

    uvloop.install()
    web.run_app(app(), host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
