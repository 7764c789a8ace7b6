"""Rate limits of sending: one for each person and one for the number, shared by all workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.infra.redis import answer, key

# About one message in six seconds to one person; a burst is borrowed from the time that follows.
_PAIR_INTERVAL_MS = 6_000
_PAIR_BURST = 45
# Of a second's messages, this share may leave at once; the others are spread, so that no second sees more than all.
_AT_ONCE = 0.2
# 4^X seconds (X = 0, 1, 2, 3), as Meta asks for; quiet for two minutes starts anew.
_LONGEST_HOLD_MS = 64_000
_FORGIVEN_MS = 120_000

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = tonumber(redis.call('HGET', KEYS[1], 'held_until') or '0')
"""

# A token bucket stored as one number, the time until which sent messages are paid for. ARGV interval, burst, patience,
# in ms.
_TAKE = f"""{_NOW}
local paid = math.max(tonumber(redis.call('HGET', KEYS[1], 'paid_until') or '0'), now) + ARGV[1]
local wait = math.max(paid - ARGV[2] * ARGV[1] - now, held - now, 0)
if wait <= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], 'paid_until', paid)
  redis.call('PEXPIRE', KEYS[1], math.ceil(paid - now) + {_FORGIVEN_MS})
end
return math.ceil(wait)
"""

# Of several refusals at the same time, one counts.
_HOLD = f"""{_NOW}
if held > now then return held - now end
local hits = tonumber(redis.call('HGET', KEYS[1], 'hits') or '0')
if now - held > {_FORGIVEN_MS} then hits = 0 end
local wait = math.min(1000 * 4 ^ hits, {_LONGEST_HOLD_MS})
redis.call('HSET', KEYS[1], 'held_until', now + wait, 'hits', hits + 1)
redis.call('PEXPIRE', KEYS[1], wait + {_FORGIVEN_MS})
return wait
"""


@dataclass(frozen=True, slots=True)
class SendRateLimiter:
    """Keeps Meta's rate limits before Meta refuses, and applies a refusal to all workers."""

    redis: Redis
    per_second: int

    def take(self, pipeline: Any, conversation: str, number: str, *, patience: float) -> None:
        """Ask in a pipeline for two waits, in milliseconds, of which the longer counts: the number's and the person's.

        The message is booked where a wait is within `patience` (seconds); beyond it, ask again later.
        """
        number_interval = 1000 / (self.per_second * (1 - _AT_ONCE))
        number_burst = max(1, int(self.per_second * _AT_ONCE))
        milliseconds = str(int(patience * 1000))
        self._take(pipeline, _number(number), number_interval, number_burst, milliseconds)
        self._take(pipeline, _pair(conversation), _PAIR_INTERVAL_MS, _PAIR_BURST, milliseconds)

    async def hold_person(self, conversation: str) -> float:
        """Hold all messages to a person, longer with each refusal; gives the seconds."""
        return float(await answer(self.redis.eval(_HOLD, 1, _pair(conversation)))) / 1000

    async def hold_number(self, number: str) -> float:
        """Hold all messages of the number, longer with each refusal; gives the seconds."""
        return float(await answer(self.redis.eval(_HOLD, 1, _number(number)))) / 1000

    @staticmethod
    def _take(pipeline: Any, name: str, interval_ms: float, burst: int, patience: str) -> None:
        pipeline.eval(_TAKE, 1, name, repr(interval_ms), str(burst), patience)


def _pair(conversation: str) -> str:
    return key(conversation, "pace")


def _number(number: str) -> str:
    return f"recado:pace:{number}"
