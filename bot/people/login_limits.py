"""Limits of wrong passwords, by e-mail address and by network address, over all processes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.infra.redis import answer
from bot.people.operators import email_key

# Wrong tries in a quarter of an hour: of one address for one operator, of one address for all, of all for one. The
# last limit is wide, because whoever reaches it locks the operator out.
_SECONDS = 15 * 60
_PAIR, _ADDRESS, _EMAIL = 5, 30, 100

# Counts a try before its password is checked, so that many at once count too. Gives the seconds to wait, or 0.
_COUNT = f"""
local wait = 0
for index, name in ipairs(KEYS) do
  local count = redis.call('INCR', name)
  if count == 1 then redis.call('EXPIRE', name, {_SECONDS}) end
  if count > tonumber(ARGV[index]) then wait = math.max(wait, redis.call('TTL', name)) end
end
return wait
"""
# Takes back a try that was right.
_UNCOUNT = """
redis.call('DEL', KEYS[1])
for index = 2, 3 do if redis.call('EXISTS', KEYS[index]) == 1 then redis.call('DECR', KEYS[index]) end end
"""


class TooManyTries(Exception):
    """Too many wrong passwords: the next one may come in so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class LoginLimits:
    redis: Redis

    async def count(self, email: str, address: str) -> None:
        """Count a try; raises TooManyTries."""
        limits = (str(limit) for limit in (_PAIR, _ADDRESS, _EMAIL))
        wait = int(await answer(self.redis.eval(_COUNT, 3, *_keys(email, address), *limits)))
        if wait:
            raise TooManyTries(wait)

    async def forget(self, email: str, address: str) -> None:
        """Take back the tries of somebody who knew the password."""
        await answer(self.redis.eval(_UNCOUNT, 3, *_keys(email, address)))


def _keys(email: str, address: str) -> tuple[str, str, str]:
    who = hashlib.sha256(email_key(email).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return f"recado:login:{who}:{address}", f"recado:login:from:{address}", f"recado:login:{who}"
