"""Limits of wrong logins, by e-mail address and by network address, over all processes."""

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

# Counts a try before its password is checked, so that simultaneous tries count too. Returns the seconds to wait, or 0.
_COUNT = f"""
local wait = 0
for index, name in ipairs(KEYS) do
  local count = redis.call('INCR', name)
  if count == 1 then redis.call('EXPIRE', name, {_SECONDS}) end
  if count > tonumber(ARGV[index]) then wait = math.max(wait, redis.call('TTL', name)) end
end
return wait
"""
# Takes back a try that succeeded.
_UNCOUNT = """
for _, name in ipairs(KEYS) do if redis.call('EXISTS', name) == 1 then redis.call('DECR', name) end end
"""


class TooManyTries(Exception):
    """Too many wrong logins: the next one may come in so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class LoginLimits:
    redis: Redis

    async def count(self, email: str, address: str) -> None:
        """Count a try; raises TooManyTries."""
        await self._count(_keys(email, address), _PAIR, _ADDRESS, _EMAIL)

    async def forget(self, email: str, address: str) -> None:
        """Take back the tries of somebody who knew the password."""
        pair, *others = _keys(email, address)
        await self.redis.delete(pair)
        await answer(self.redis.eval(_UNCOUNT, len(others), *others))

    async def count_company_login(self, address: str) -> None:
        """Count a login with a company account, whose operator isn't known yet; raises TooManyTries."""
        await self._count((_from(address),), _ADDRESS)

    async def forget_company_login(self, address: str) -> None:
        """Take back the try of a login with a company account that succeeded."""
        await answer(self.redis.eval(_UNCOUNT, 1, _from(address)))

    async def _count(self, keys: tuple[str, ...], *limits: int) -> None:
        wait = int(await answer(self.redis.eval(_COUNT, len(keys), *keys, *map(str, limits))))
        if wait:
            raise TooManyTries(wait)


def _keys(email: str, address: str) -> tuple[str, str, str]:
    who = hashlib.sha256(email_key(email).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return f"recado:login:{who}:{address}", _from(address), f"recado:login:{who}"


def _from(address: str) -> str:
    return f"recado:login:from:{address}"
