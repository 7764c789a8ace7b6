"""Meta and OpenRouter with minimal answers, so that only Recado is measured."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import AsyncExitStack

from aiohttp import web

from bot.web.server import listening

_ANSWER = {
    "id": "gen-1",
    "model": "anthropic/claude-3-haiku",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Abrimos a las 9."}}],
    "usage": {"prompt_tokens": 500, "completion_tokens": 8, "cost": 0.0001},
}


class Upstreams:
    """`model_seconds` is how long a model takes to answer. `sent_at` has the time of each person's last reply.

    `accepted` has the name and the callback string of each reply.
    """

    def __init__(self, model_seconds: float = 0) -> None:
        self.url = ""
        self.count = 0
        self.last_at = 0.0
        self.sent_at: dict[str, float] = {}
        self.accepted: list[tuple[str, str]] = []
        self.model_seconds = model_seconds
        self._more = asyncio.Condition()

    async def start(self, stack: AsyncExitStack) -> None:
        app = web.Application()
        app.router.add_post("/api/v1/chat/completions", self._think)
        app.router.add_post("/{version}/{number}/messages", self._send)
        self.url = await stack.enter_async_context(listening(app, "127.0.0.1", 0, finish=0.1))

    async def sent(self, count: int, within: float) -> None:
        """Wait until this many messages have been sent."""
        async with asyncio.timeout(within), self._more:
            await self._more.wait_for(lambda: self.count >= count)

    async def _think(self, request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(self.model_seconds)
        return web.json_response(_ANSWER)

    async def _send(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "status" in body:
            return web.json_response({"success": True})
        self.last_at = time.perf_counter()
        self.sent_at[str(body.get("to") or body.get("recipient"))] = self.last_at
        async with self._more:
            self.count += 1
            name = wamid(self.count, "out")
            self.accepted.append((name, str(body.get("biz_opaque_callback_data"))))
            self._more.notify_all()
        return web.json_response({"messages": [{"id": name}]})


def wamid(number: int, direction: str) -> str:
    """A name as long as Meta's, which holds a person's number and 20 bytes of chance."""
    chance = f"{direction:>3}{number:017}".encode().hex().upper()
    return f"wamid.{base64.b64encode(f'__5215512345678_____ {chance}'.encode()).decode()}"
