"""Rate limit of one person's messages: beyond it one notice, then silence until it clears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from bot.infra.logs import masked
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

# Admits messages within the limit. A turn that is tried again gets the same answer: admitted messages stay admitted,
# and the notice belongs to the turn that gave it. KEYS 1 admitted by time, 2 turn that gave the notice.
# ARGV limit, window (s), turn, then id and time of each message. Gives 1 or 0 a message, then 1 where a notice is due.
_ADMIT = """
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local answers, over = {}, false
for index = 4, #ARGV, 2 do
  local id, at = ARGV[index], tonumber(ARGV[index + 1])
  if redis.call('ZSCORE', KEYS[1], id) then
    answers[#answers + 1] = 1
  elseif redis.call('ZCOUNT', KEYS[1], '(' .. (at - window), '+inf') < limit then
    redis.call('ZADD', KEYS[1], at, id)
    answers[#answers + 1] = 1
    if redis.call('GET', KEYS[2]) ~= ARGV[3] then redis.call('DEL', KEYS[2]) end
  else
    answers[#answers + 1] = 0
    over = true
  end
end
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if newest then redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', newest - 2 * window) end
redis.call('EXPIRE', KEYS[1], 3 * window)
local new = over and redis.call('SET', KEYS[2], ARGV[3], 'NX', 'EX', 3 * window)
local mine = over and redis.call('GET', KEYS[2]) == ARGV[3]
answers[#answers + 1] = (new or mine) and 1 or 0
return answers
"""


def count(limit: str) -> int:
    """Number of messages that a limit such as `20/minute` allows."""
    return int(limit.partition("/")[0])


@dataclass(frozen=True, slots=True)
class Admission:
    """Messages within the limit, messages beyond it, and whether this turn gives the notice."""

    admitted: list[Inbound]
    over: list[Inbound]
    notice: bool


class MessageRateLimit:
    """`limit` as in RATE_LIMIT_CONTACT, such as `20/minute`."""

    def __init__(self, redis: Redis, limit: str) -> None:
        unit = limit.partition("/")[2]
        self._redis = redis
        self._limit = count(limit)
        self._window = _SECONDS[unit]

    async def admit(
        self, conversation: str, messages: list[Inbound], turn: str, uncounted: frozenset[str] = frozenset()
    ) -> Admission:
        """Count the messages of a turn by their arrival; the same turn gets the same answer again.

        Messages of `uncounted` are admitted and not counted: a tap or a choice that is dropped is lost for good.
        """
        arguments: list[str] = []
        counted = [message for message in messages if message.id not in uncounted]
        for message in counted:
            arguments += [masked(message.id), f"{message.received_at.timestamp():.3f}"]
        names = key(conversation, "rate"), key(conversation, "rate", "notice")
        limits = str(self._limit), str(self._window)
        asked = self._redis.eval(_ADMIT, 2, *names, *limits, turn, *arguments)
        *within, notice = cast("list[int]", await answer(asked))
        over = [message for message, fine in zip(counted, within, strict=True) if not fine]
        beyond = {message.id for message in over}
        return Admission([message for message in messages if message.id not in beyond], over, bool(notice))
