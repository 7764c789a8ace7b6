"""Live events for pages that are open now: nothing depends on them. The last minutes stay for pages that come back."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from bot.infra.json_bytes import json_bytes
from bot.infra.redis import answer

_CHANNEL = "recado:events"
_RECENT = "recado:events:recent"
KEEP_SECONDS = 600
# Trimmed a little later than promised.
_TRIM_MILLISECONDS = (KEEP_SECONDS + 30) * 1000
_AT_ONCE = 500
_PLACE = re.compile(r"\d{1,16}-\d{1,16}")
_log = structlog.get_logger()
# Of a turn, no page that comes back needs these; its messages are in the history.
_LARGE = ("perceived", "requests", "taps", "reply")


class LiveEvents:
    """The live stream of turns and hand-overs, over Redis, so that each process sees the events of all."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def put(self, pipeline: Any, event: dict[str, Any]) -> None:
        """Publish to the open pages together with other commands."""
        # As text, because a commit under the lease is sent so.
        text = json_bytes(event).decode()
        if event["type"] != "asked":
            trim = str(int(time.time() * 1000) - _TRIM_MILLISECONDS)
            short = json_bytes(_short(event)).decode() if event["type"] == "turn" else text
            pipeline.execute_command("XADD", _RECENT, "MINID", "~", trim, "*", "event", short)
            pipeline.expire(_RECENT, KEEP_SECONDS)
        pipeline.publish(_CHANNEL, text)

    async def publish(self, event: dict[str, Any]) -> None:
        """Publish to the open pages; if Redis fails, they miss an update and the customer misses nothing."""
        await self.publish_all([event])

    async def publish_all(self, events: Sequence[dict[str, Any]]) -> None:
        """Publish events together; see `publish`."""
        if not events:
            return
        try:
            pipeline = self._redis.pipeline(transaction=False)
            for event in events:
                self.put(pipeline, event)
            await pipeline.execute()
        except RedisError as error:
            _log.warning("event_not_published", error=type(error).__name__)

    async def listen(self) -> AsyncIterator[dict[str, Any]]:
        """Yield events from now on, until the caller stops; resumes after an outage of Redis."""
        while True:
            try:
                async with self.subscription() as subscription:
                    await subscription.subscribe(_CHANNEL)
                    while True:
                        message = await subscription.get_message(timeout=3)
                        if message is not None:
                            yield json.loads(message["data"])
            except RedisError as error:
                _log.warning("event_stream_broke", error=type(error).__name__)
                await asyncio.sleep(1)

    async def follow(self, after: str | None) -> AsyncIterator[tuple[str, dict[str, Any] | None]]:
        """Yield events with their places, those after a place first; None at a place after which some are lost.

        It also yields None with an empty place every few seconds, so that the caller can look around.
        Raises RedisError.
        """
        # Before the subscription, because an event in between must be seen, also by a page without a place.
        place = await self._place(after)
        async with self.subscription() as subscription:
            await subscription.subscribe(_CHANNEL)
            if after is not None and place != after:
                yield place, None
            while True:
                for id_, fields in await self._since(place):
                    place = id_
                    yield id_, json.loads(fields["event"])
                if await subscription.get_message(timeout=3) is None:
                    yield "", None

    async def forget(self, is_about: Callable[[str], bool]) -> None:
        """Delete the kept events about somebody, whom no page that comes back may see again."""
        place = "0-0"
        while entries := await self._since(place):
            place = entries[-1][0]
            if gone := [id_ for id_, fields in entries if is_about(fields["event"])]:
                await answer(self._redis.xdel(_RECENT, *gone))

    def subscription(self) -> AbstractAsyncContextManager[PubSub]:
        return self._redis.pubsub(ignore_subscribe_messages=True)

    async def _place(self, after: str | None) -> str:
        """The place itself while nothing after it is lost, else the newest one."""
        newest = await self._redis.xrevrange(_RECENT, count=1)
        seconds, microseconds = await self._redis.time()
        now = seconds * 1000 + microseconds // 1000
        last = str(newest[0][0]) if newest else f"{now - 1}-0"
        is_place = after is not None and _PLACE.fullmatch(after) is not None
        if (
            after is not None
            and is_place
            and now - KEEP_SECONDS * 1000 <= _order(after)[0]
            and _order(after) <= _order(last)
        ):
            return after
        return last

    async def _since(self, place: str) -> list[tuple[str, dict[str, str]]]:
        found: list[tuple[str, dict[str, str]]] = await answer(
            self._redis.xrange(_RECENT, min=f"({place}", count=_AT_ONCE)
        )
        return found


def _order(place: str) -> tuple[int, int]:
    milliseconds, _, number = place.partition("-")
    return int(milliseconds), int(number)


def _short(event: dict[str, Any]) -> dict[str, Any]:
    tools = [{"name": tool["name"], "outcome": tool["outcome"]} for tool in event["tools"]]
    return {name: value for name, value in event.items() if name not in _LARGE} | {"tools": tools}
