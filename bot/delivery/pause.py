"""Pause of sending while nobody can send (token expired, number blocked): one worker asks Meta for its end."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer, shielded
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable

_log = structlog.get_logger()
_PAUSED = "recado:{paused}"
_PROBING = "recado:{paused}:probing"
_TRIES = "recado:{paused}:tries"
_FIRST_PROBE_SECONDS = 2
_LONGEST_PROBE_SECONDS = 300
# After this time of working sends, probing starts anew with the shortest wait.
_FORGIVEN_SECONDS = 900
_PROBE_SECONDS = 30

# Doubles the wait after each failed probe. KEYS 1 pause, 2 number of recent probes. ARGV 1 now.
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
    """Reason of the pause: Meta's code and text, and its begin (Unix seconds)."""

    code: int
    why: str
    since: float


class SendingPause:
    def __init__(self, redis: Redis, events: LiveEvents) -> None:
        self._redis = redis
        self._events = events

    async def current(self) -> Paused | None:
        """The current pause, if any."""
        raw: dict[str, str] = await answer(self._redis.hgetall(_PAUSED))
        return Paused(int(raw["code"]), raw["why"], float(raw["since"])) if raw else None

    # Query commands of the current pause: its fields, `why` among them, or nothing.
    commands = (("HGETALL", _PAUSED),)

    async def begin(self, error: GraphError) -> None:
        """Stop sending for all workers; the first one alerts the operators."""
        now = repr(time.time())
        if await answer(self._redis.eval(_BEGIN, 2, _PAUSED, _TRIES, now, str(error.code), str(error))):
            await alert(self._events, "sending_paused", str(error), FIX)

    async def is_over(self, graph: Graph) -> bool:
        """Whether replies may leave. During a pause one worker at a time probes Meta, and ends the pause on success."""
        raw: dict[str, str] = await answer(self._redis.hgetall(_PAUSED))
        if not raw:
            return True
        due = time.time() >= float(raw.get("probe_at", "0"))
        if not due or not await self._redis.set(_PROBING, "1", nx=True, ex=_PROBE_SECONDS):
            return False
        try:
            return await self._probe(graph)
        finally:
            await shielded(answer(self._redis.delete(_PROBING)))

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
