"""Proves that an e-mail address is somebody's: a code goes there and comes back in the chat."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from bot.infra.logs import masked
from bot.infra.redis import answer, key
from bot.integrations.email.jobs import enqueue

_DIGITS = 6
_ROUNDS = 20_000


class TooManyCodes(Exception):
    """This contact or this address was sent too many codes."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Codes live `valid_seconds`, allow `tries`, and are used once.

    `sends` an hour and `sends_a_day` count for a contact and for an address. With any number of phones, somebody has 30
    guesses a day in a million.

    A code is stored for an unknown address too: texts, waits and counts reveal no account.
    """

    redis: Redis
    valid_seconds: int = 600
    tries: int = 5
    sends: int = 3
    per_seconds: int = 3600
    sends_a_day: int = 6

    async def start(self, conversation: str, address: str, subject: str | None, language: str, effect: str) -> None:
        """Send a code to the address, if there is a `subject` for it to prove; an earlier code is void.

        `effect` identifies this sending: the same one sends the same e-mail. Raises TooManyCodes.
        """
        await self._count(conversation, address, effect)
        if await answer(self.redis.hget(_key(conversation), "sent")) == effect:
            return
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        salt = secrets.token_hex(16)
        stored = {"salt": salt, "code": await _digest(code, salt), "subject": subject or "", "left": str(self.tries)}
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.delete(_key(conversation))
        pipeline.hset(_key(conversation), mapping=stored)
        pipeline.expire(_key(conversation), self.valid_seconds)
        await pipeline.execute()
        if subject:
            data = {"to": address, "template": "verify_email", "data": {"code": code}, "language": language}
            # The suppression list isn't checked, because its answer would reveal an account.
            await enqueue(self.redis, data, f"verify-{masked(effect + salt)}")
        await answer(self.redis.hset(_key(conversation), "sent", effect))

    async def check(self, conversation: str, code: str) -> str | None:
        """The `subject` that the code proves; None for a wrong, old or used code. It stays valid until `consume`."""
        # The try is counted before the comparison, so that parallel requests get no more tries.
        code_fields = await answer(self.redis.eval(_TAKE_TRY, 1, _key(conversation)))
        if not code_fields:
            return None
        salt, stored, subject = cast("list[str]", code_fields)
        digest = await _digest("".join(filter(str.isdigit, code)), salt)
        matches = hmac.compare_digest(digest, stored)
        return str(subject) if matches and subject else None

    async def consume(self, conversation: str) -> None:
        """Make the code void after its use."""
        await self.redis.delete(_key(conversation))

    async def _count(self, conversation: str, address: str, effect: str) -> None:
        hashed = hashlib.sha256(address.casefold().encode()).hexdigest()[:24]
        counters = (key(conversation, "verify", "sent"), f"recado:verify:sent:{hashed}")
        limits = (("", self.sends, self.per_seconds), (":day", self.sends_a_day, 24 * self.per_seconds))
        for counter in counters:
            for which, most, seconds in limits:
                stored = f"{counter}{which}"
                if not await answer(self.redis.eval(_COUNT, 1, stored, effect, str(most), str(seconds))):
                    raise TooManyCodes


# Takes one try from a code that expires.
_TAKE_TRY = """
local found = redis.call('HMGET', KEYS[1], 'salt', 'code', 'subject', 'left')
if not found[1] then return false end
if tonumber(found[4]) <= 0 then return false end
redis.call('HINCRBY', KEYS[1], 'left', -1)
return {found[1], found[2], found[3]}
"""
# The same effect counts once, so that a repeated turn doesn't use up the limit.
_COUNT = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


async def _digest(code: str, salt: str) -> str:
    digest = await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", code.encode(), salt.encode(), _ROUNDS)
    return digest.hex()


def _key(conversation: str) -> str:
    return key(conversation, "verify", "code")
