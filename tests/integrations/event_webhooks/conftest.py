"""Some ERPs that listen, and the queue that sends them events."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.infra.guarded_http import GuardedHttpClient
from bot.infra.live_events import LiveEvents
from bot.infra.queues import Job
from bot.integrations.event_webhooks import PAUSES, EventDeliveries
from bot.settings import SubscriberSettings
from bot.web.server import listening
from sandbox.simulators.event_subscriber import ErpSimulator, new_secret

SECRET = new_secret()
EVENT = {"event": "message.sent", "data": {"text": "¿Qué tal? 🌮"}, "id": "message-sent-1"}
TASK = Job("deliver", EVENT, "message-sent-1", 1_700_000_000.5)


@pytest.fixture
async def erps() -> AsyncIterator[Callable[[], Awaitable[tuple[ErpSimulator, str]]]]:
    async with AsyncExitStack() as stack:

        async def begin() -> tuple[ErpSimulator, str]:
            erp = ErpSimulator(SECRET)
            url = await stack.enter_async_context(listening(erp.app(), "127.0.0.1", 0, finish=0.1))
            return erp, f"{url}/events"

        yield begin


Make = Callable[..., EventDeliveries]


@pytest.fixture
async def deliveries(redis: Redis) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        def make(
            *urls: str, private: bool = True, resolver: AbstractResolver | None = None, pauses: Any = PAUSES
        ) -> EventDeliveries:
            guarded = GuardedHttpClient(allow_private=private, resolver=resolver, seconds=1)
            stack.push_async_callback(guarded.close)
            settings = SubscriberSettings(subscribers=list(urls), secret=SecretStr(SECRET), allow_private=private)
            return EventDeliveries(redis, settings, LiveEvents(redis), guarded, pauses=pauses)

        yield make
