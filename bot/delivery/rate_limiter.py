"""Rate limits of sending: one for each person and one for the number, shared by all workers."""

from __future__ import annotations

from functools import cache
from typing import Any

from redis.asyncio import Redis

from bot.delivery.throughput import Throughput
from bot.infra.redis import answer, key

# About one message in six seconds to one person; a burst is borrowed from the time that follows.
_PAIR = ("6000", "45")
# After a refusal the number keeps to Meta's standard limit for so long.
_SLOW_MS = 600_000
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

# A token bucket stored as one number, the time until which sent messages are paid for. ARGV longest wait, interval and
# burst, and both for the time after a refusal; times in ms.
_RESERVE = f"""{_NOW}
local slow = tonumber(redis.call('HGET', KEYS[1], 'slow_until') or '0') > now
local interval, burst = ARGV[slow and 4 or 2], ARGV[slow and 5 or 3]
-- Nothing is saved up while all is held.
local paid = math.max(tonumber(redis.call('HGET', KEYS[1], 'paid_until') or '0'), now, held) + interval
local wait = math.max(paid - burst * interval - now, held - now, 0)
if wait <= tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'paid_until', paid)
  redis.call('PEXPIRE', KEYS[1], math.ceil(paid - now) + {_SLOW_MS})
end
return math.ceil(wait)
"""

# Of several refusals at the same time, one counts.
_HOLD = f"""{_NOW}
if held > now then return held - now end
local hits = tonumber(redis.call('HGET', KEYS[1], 'hits') or '0')
if now - held > {_FORGIVEN_MS} then hits = 0 end
local wait = math.min(1000 * 4 ^ hits, {_LONGEST_HOLD_MS})
redis.call('HSET', KEYS[1], 'held_until', now + wait, 'hits', hits + 1, 'slow_until', now + {_SLOW_MS})
redis.call('PEXPIRE', KEYS[1], {_SLOW_MS})
return wait
"""


class SendRateLimiter:
    """Keeps Meta's rate limits before Meta refuses, and applies a refusal to all workers.

    `per_second` is the number's limit; without it, see `throughput`.
    """

    def __init__(self, redis: Redis, per_second: int | None) -> None:
        self.redis = redis
        self.throughput = Throughput(per_second)

    def reserve(self, pipeline: Any, conversation: str, number: str, *, longest_wait: float) -> None:
        """Ask in a pipeline for two waits, in milliseconds, of which the longer counts: the number's and the person's.

        The place is reserved if its wait is within `longest_wait` (seconds); beyond it, ask again later.
        """
        milliseconds = str(int(longest_wait * 1000))
        usual, slow = _bucket(self.throughput.of(number)), _bucket(self.throughput.after_refusal(number))
        pipeline.eval(_RESERVE, 1, _number(number), milliseconds, *usual, *slow)
        pipeline.eval(_RESERVE, 1, _pair(conversation), milliseconds, *_PAIR, *_PAIR)

    async def hold_person(self, conversation: str) -> float:
        """Hold all messages to a person, longer with each refusal; gives the seconds."""
        return float(await answer(self.redis.eval(_HOLD, 1, _pair(conversation)))) / 1000

    async def hold_number(self, number: str) -> float:
        """Hold all messages of the number, longer with each refusal; gives the seconds."""
        return float(await answer(self.redis.eval(_HOLD, 1, _number(number)))) / 1000


@cache
def _bucket(per_second: int) -> tuple[str, str]:
    """Milliseconds between two messages, and the number of messages in a burst."""
    return repr(1000 / (per_second * (1 - _AT_ONCE))), str(max(1, int(per_second * _AT_ONCE)))


def _pair(conversation: str) -> str:
    return key(conversation, "pace")


def _number(number: str) -> str:
    return f"recado:pace:{number}"
