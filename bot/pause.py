"""While nobody can send (token run out, number blocked), replies wait; one worker asks Meta when it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot.alerts import alert
from bot.events import Events
from bot.redis import answer
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, Unavailable

_log = structlog.get_logger()
_PAUSED = "recado:paused"
_PROBING = "recado:paused:probing"
_TRIES = "recado:paused:tries"
_FIRST_PROBE_SECONDS = 2.0
_LONGEST_PROBE_SECONDS = 300.0
# Sending that works this long makes the next trouble a new one.
_FORGIVEN_SECONDS = 900
_PROBE_SECONDS = 30

FIX = "see WHATSAPP_ACCESS_TOKEN and the number's state in Meta's WhatsApp Manager; `recado doctor` tells more"


@dataclass(frozen=True, slots=True)
class Paused:
    """Why nothing is sent: Meta's code and words, and since when (Unix seconds)."""

    code: int
    why: str
    since: float


class Pause:
    def __init__(self, redis: Redis, events: Events) -> None:
        self._redis = redis
        self._events = events

    async def now(self) -> Paused | None:
        """The pause that is on, if one is."""
        raw: dict[str, str] = await answer(self._redis.hgetall(_PAUSED))
        return Paused(int(raw["code"]), raw["why"], float(raw["since"])) if "since" in raw else None

    async def begin(self, error: GraphError) -> None:
        """Stop sending for all workers; of many who find out, one tells the operators."""
        if not await answer(self._redis.hsetnx(_PAUSED, "since", repr(time.time()))):
            return
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.incr(_TRIES)
        pipeline.expire(_TRIES, _FORGIVEN_SECONDS)
        tries, _ = await pipeline.execute()
        fields = {"code": str(error.code), "why": str(error), "probe_at": repr(_next(tries))}
        await answer(self._redis.hset(_PAUSED, mapping=fields))
        await alert(self._events, "sending_paused", str(error), FIX)

    async def over(self, graph: Graph) -> bool:
        """Whether replies may leave. While they may not, one worker asks Meta now and then, and ends the pause."""
        raw: dict[str, str] = await answer(self._redis.hgetall(_PAUSED))
        if not raw:
            return True
        due = time.time() >= float(raw.get("probe_at", "0"))
        if not due or not await self._redis.set(_PROBING, "1", nx=True, ex=_PROBE_SECONDS):
            return False
        try:
            return await self._probe(graph)
        finally:
            await self._redis.delete(_PROBING)

    async def _probe(self, graph: Graph) -> bool:
        try:
            await graph.check_can_send()
        except (GraphError, Unavailable) as error:
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.incr(_TRIES)
            pipeline.expire(_TRIES, _FORGIVEN_SECONDS)
            tries, _ = await pipeline.execute()
            await answer(self._redis.hset(_PAUSED, "probe_at", repr(_next(tries))))
            _log.warning("sending_still_paused", error=str(error), fix=FIX)
            return False
        await self._redis.delete(_PAUSED)
        _log.info("sending_resumed")
        await self._events.publish({"type": "sending", "paused": False})
        return True


def _next(tries: int) -> float:
    return time.time() + min(_FIRST_PROBE_SECONDS * 2.0 ** min(tries - 1, 10), _LONGEST_PROBE_SECONDS)
