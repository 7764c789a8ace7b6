"""Recado in this process, server and worker, between simulators of its upstreams, each behind a proxy of its own."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from aiohttp import web
from redis.asyncio import Redis

from bench.chaos.service_proxy import ServiceProxy
from bot.conversations.ledger import Ledger
from bot.infra.queues import QUEUES
from bot.infra.redis import key
from bot.settings import SECTIONS, Settings, variables
from bot.web.app import create_app
from bot.web.server import listening
from bot.worker import running
from sandbox.meta.simulator import MetaSimulator, Person
from sandbox.redis_server import redis_server
from sandbox.simulators.openrouter import OpenRouterSimulator, fails
from sandbox.simulators.vision import VisionSimulator
from sandbox.simulators.whisper import WhisperSimulator

ANSWER = "Abrimos a las 9."
STAFF = "5215599999999"
DEADLINE_SECONDS = 8.0
_ROOT = Path(__file__).parents[2]
Outside = Literal["OpenRouter", "Whisper", "Vision", "Meta"]


def _answer(_: list[dict[str, Any]], __: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "assistant", "content": ANSWER}


@dataclass
class InProcessRecado:
    meta: MetaSimulator
    models: OpenRouterSimulator
    whisper: WhisperSimulator
    vision: VisionSimulator
    redis: Redis
    proxies: dict[Outside, ServiceProxy]
    default: str
    fallback: str
    _people: count[int] = field(default_factory=count)
    _later: set[asyncio.Task[None]] = field(default_factory=set)

    def person(self, *, staff: bool = False) -> Person:
        """A new person, or the colleague."""
        number = next(self._people)
        return Person(STAFF if staff else f"52155{number:08}", "MX.99" if staff else f"MX.{number:016}", f"P{number}")

    @property
    def request_counts(self) -> Counter[str]:
        """Requests to each upstream so far, counted by the upstream."""
        names = {self.default: "default", self.fallback: "fallback"}
        models = Counter(names.get(request["model"], request["model"]) for request in self.models.requests)
        others = {"whisper": len(self.whisper.requests), "vision": self.vision.calls}
        return models + Counter(others) + Counter(dict(self.meta.calls))

    def run_later(self, seconds: float, what: Awaitable[None]) -> None:
        """Run something after a while."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            await what

        task = asyncio.ensure_future(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def restore(self, *, models: bool = True) -> None:
        """Repair everything; with `models`, both models close their circuit breakers again."""
        for task in self._later:
            await task
        for proxy in self.proxies.values():
            await proxy.open()
        self.meta.faults.cancel()
        for simulator in (self.models, self.whisper, self.vision):
            simulator.forget()
        if not models:
            return
        self.models.will(fails(400), model=self.default)
        for _ in range(2):
            person = self.person()
            await self.meta.writes(person, {"type": "text", "text": {"body": "hola"}})
            await self.meta.replies(person)

    async def conversation(self, person: Person) -> str | None:
        found: str | None = await self.redis.get(f"recado:identity:{person.bsuid}")
        return found

    async def end_states(self, person: Person, wamids: list[str]) -> list[str]:
        """The end states of messages once no work is left for the person; empty while some is."""
        name = await self.conversation(person)
        if name is None or await self.redis.exists(key(name, "lease")):
            return []
        due = await self.redis.zscore("recado:resend", name)
        # Messages that wait for the person's next message are listed under the day of their expiry.
        if due is not None and due < time.time() + 3600:
            return []
        entries = await Ledger(self.redis).of(name)
        states = [entries.get(wamid, {}).get("state", "open") for wamid in wamids]
        return [] if "open" in states else states

    async def close(self) -> None:
        for task in self._later:
            task.cancel()
        for proxy in self.proxies.values():
            await proxy.close()


@asynccontextmanager
async def open_recado(folder: Path, **environment: str) -> AsyncIterator[InProcessRecado]:
    """Run Recado with these variables until the context ends; short timeouts make a failure take seconds."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(redis_server(folder / "redis", options=("--appendfsync", "no")))
        redis = await stack.enter_async_context(Redis.from_url(url, decode_responses=True))
        models, whisper, vision = OpenRouterSimulator("key", rules=_answer), WhisperSimulator(), VisionSimulator()
        secret, token = secrets.token_hex(8), secrets.token_hex(8)
        meta = MetaSimulator(
            webhook_url="", app_secret=secret, access_token=token, verify_token="v", status_pauses=(0, 0.02, 0.02)
        )
        proxies: dict[Outside, ServiceProxy] = {
            "OpenRouter": await _behind(await stack.enter_async_context(_served(models.app()))),
            "Whisper": await _behind(await stack.enter_async_context(_served(whisper.app()))),
            "Vision": await _behind(await vision.start()),
            "Meta": await _behind(await meta.start()),
        }
        stack.push_async_callback(vision.stop)
        stack.push_async_callback(meta.stop)
        meta.media.base_url = f"http://{proxies['Meta'].address}"
        ours = {
            "REDIS_URL": url,
            "WHATSAPP_ACCESS_TOKEN": token,
            "WHATSAPP_PHONE_NUMBER_ID": meta.phone_number_id,
            "WHATSAPP_WABA_ID": meta.waba_id,
            "WHATSAPP_APP_SECRET": secret,
            "WHATSAPP_API_BASE_URL": meta.media.base_url,
            "OPENROUTER_API_KEY": "key",
            "LLM_BASE_URL": f"http://{proxies['OpenRouter'].address}/api/v1",
            "LLM_MODEL_DEFAULT": "house/default",
            "LLM_MODEL_FALLBACK": "house/fallback",
            "LLM_TIMEOUT_SECONDS": "0.8",
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": f"http://{proxies['Whisper'].address}/v1",
            "GOOGLE_VISION_ENDPOINT": f"http://{proxies['Vision'].address}",
            "STAFF_CONTACTS": STAFF,
            "STORAGE_DIR": str(folder / "files"),
            "PROMPTS_DIR": str(_ROOT / "prompts"),
            "TEMPLATES_DIR": str(_ROOT / "templates"),
            "TURN_QUIET_SECONDS": "0",
            "TURN_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
        }
        settings = _settings(ours | environment)
        address = await stack.enter_async_context(listening(create_app(settings), "127.0.0.1", 0))
        meta.webhook_url = meta.delivery.sender.url = f"{address}/webhooks/whatsapp"
        default, fallback = settings.llm.models
        recado = InProcessRecado(meta, models, whisper, vision, redis, proxies, default, fallback)
        stack.push_async_callback(recado.close)
        await stack.enter_async_context(running(settings, QUEUES, history=False))
        yield recado


async def _behind(address: str) -> ServiceProxy:
    proxy = ServiceProxy(int(address.rpartition(":")[2]))
    await proxy.open()
    return proxy


def _served(app: web.Application) -> AbstractAsyncContextManager[str]:
    return listening(app, "127.0.0.1", 0, finish=0.1)


def _settings(environment: dict[str, str]) -> Settings:
    """Settings of these variables alone, without this process's environment."""
    ours = {name for section in SECTIONS for name in variables(section)}
    others = {name: value for name, value in os.environ.items() if name not in ours}
    with patch.dict(os.environ, others | environment, clear=True):
        return Settings()
