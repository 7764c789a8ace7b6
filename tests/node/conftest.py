"""A process of Node with the company's own BullMQ, installed here once from package.json."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bench.chaos.node import Node, node_at


@pytest.fixture
async def node(redis: Redis, redis_address: str) -> AsyncIterator[Node]:
    async with node_at(redis_address) as found:
        yield found
