"""Live events for pages that are open now; nothing depends on them, and a missed one is no loss."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

_CHANNEL = "recado:events"
_log = structlog.get_logger()


class LiveEvents:
    """The live stream of turns and hand-overs, over Redis, so that each process sees the events of all."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def put(self, pipeline: Any, event: dict[str, Any]) -> None:
        """Publish to the open pages together with other commands."""
        pipeline.publish(_CHANNEL, json.dumps(event, ensure_ascii=False))

    async def publish(self, event: dict[str, Any]) -> None:
        """Publish to the open pages; if Redis fails, they miss an update and the customer misses nothing."""
        try:
            await self._redis.publish(_CHANNEL, json.dumps(event, ensure_ascii=False))
        except RedisError as error:
            _log.warning("event_not_published", error=type(error).__name__)

    async def listen(self) -> AsyncIterator[dict[str, Any]]:
        """Yield events from now on, until the caller stops; resumes after an outage of Redis."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(_CHANNEL)
                    while True:
                        message = await subscription.get_message(timeout=3)
                        if message is not None:
                            yield json.loads(message["data"])
            except RedisError as error:
                _log.warning("event_stream_broke", error=type(error).__name__)
                await asyncio.sleep(1)
