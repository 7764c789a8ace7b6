"""A Redis whose connections break at a chosen request."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bench.chaos.redis_proxy import RedisProxy, proxy_to
from bot.infra.redis import connect
from bot.settings import RedisSettings


@pytest.fixture
async def proxy(redis_address: str, redis: Redis) -> AsyncIterator[RedisProxy]:
    async with proxy_to(int(redis_address.rpartition(":")[2].partition("/")[0])) as found:
        yield found


@pytest.fixture
async def through(proxy: RedisProxy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    """A client that reaches Redis through the proxy."""
    monkeypatch.setenv("REDIS_URL", proxy.url)
    async with connect(RedisSettings()) as client:
        yield client
