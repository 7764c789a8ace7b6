"""While nobody can send (token run out, number blocked), replies wait; one worker asks Meta when it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable

_log = structlog.get_logger()
# One tag, so that a Redis Cluster keeps them together.
_PAUSED = "recado:{paused}"
_PROBING = "recado:{paused}:probing"
_TRIES = "recado:{paused}:tries"
_FIRST_PROBE_SECONDS = 2
_LONGEST_PROBE_SECONDS = 300
# Sending that works this long makes the next trouble a new one.
_FORGIVEN_SECONDS = 900
_PROBE_SECONDS = 30

# KEYS 1 the pause, 2 how often it was tried of late. ARGV 1 now.
# A probe that fails puts the next one off twice as long.
_LONGER = f"""
local tries = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], {_FORGIVEN_SECONDS})
local wait = math.min({_FIRST_PROBE_SECONDS} * 2 ^ math.min(tries - 1, 10), {_LONGEST_PROBE_SECONDS})
redis.call('HSET', KEYS[1], 'probe_at', tostring(ARGV[1] + wait))
return 1
"""
_BEGIN = f"""
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'since', ARGV[1], 'code', ARGV[2], 'why', ARGV[3])
{_LONGER}
"""

FIX = "see WHATSAPP_ACCESS_TOKEN and the number's state in Meta's WhatsApp Manager; `recado doctor` tells more"


@dataclass(frozen=True, slots=True)
class Paused:
    """Why nothing is sent: Meta's code and words, and since when (Unix seconds)."""

    code: int
    why: str
    since: float


class SendingPause:
    def __init__(self, redis: Redis, events: LiveEvents) -> None:
        self._redis = redis
        self._events = events

    async def now(self) -> Paused | None:
        """The pause that is on, if one is."""
        raw: dict[str, str] = await answer(self._redis.hgetall(_PAUSED))
        return Paused(int(raw["code"]), raw["why"], float(raw["since"])) if raw else None

    # Asks for the pause that is on: its fields, `why` among them, or nothing.
    commands = (("HGETALL", _PAUSED),)

    async def begin(self, error: GraphError) -> None:
        """Stop sending for all workers; of many who find out, one tells the operators."""
        now = repr(time.time())
        if await answer(self._redis.eval(_BEGIN, 2, _PAUSED, _TRIES, now, str(error.code), str(error))):
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
        except (GraphError, MetaUnavailable) as error:
            await answer(self._redis.eval(_LONGER, 2, _PAUSED, _TRIES, repr(time.time())))
            _log.warning("sending_still_paused", error=str(error), fix=FIX)
            return False
        await self._redis.delete(_PAUSED)
        _log.info("sending_resumed")
        await self._events.publish({"type": "sending", "paused": False})
        return True
