"""Objections to marketing, which outlive the erasure of a contact.

An objection holds for good (GDPR article 21); without its record, the next import of numbers would undo it. We store an
HMAC of the phone or BSUID under a secret of this Redis, which identifies nobody without both.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from redis.asyncio import Redis

from bot.infra.redis import answer
from bot.infra.signed_tokens import shared_secret

# Conversations whose person objected, by the time (Unix seconds) of the objection: to look through, while the contact's
# own record decides.
LISTED = "recado:opted-out"
# Set once the list also has the objections that are older than the list.
_COMPLETE = "recado:opted-out:complete"
_AT_ONCE = 500


async def store(redis: Redis, identities: Iterable[str], *, opted_out: bool) -> None:
    """Store, or delete, an objection under each identity of a person, in its canonical spelling."""
    for name in await names_of(redis, identities):
        await (redis.set(name, "1") if opted_out else redis.delete(name))


async def names_of(redis: Redis, identities: Iterable[str]) -> list[str]:
    """The keys under which objections of a person with these identities are stored."""
    wanted = sorted(set(identities))
    if not wanted:
        return []
    secret = await shared_secret(redis, "optouts")
    return [f"recado:optout:{hmac.new(secret, name.encode(), hashlib.sha256).hexdigest()}" for name in wanted]


async def listed(redis: Redis, most: int) -> list[str]:
    """Conversations on the list, the newest objection first."""
    names: list[str] = await answer(redis.zrevrange(LISTED, 0, most - 1))
    return names


async def unlist(redis: Redis, names: Iterable[str]) -> None:
    gone = list(names)
    if gone:
        await answer(redis.zrem(LISTED, *gone))


async def complete_list(redis: Redis) -> None:
    """List the objections of before there was a list, once: a worker does it at its start."""
    if await answer(redis.exists(_COMPLETE)):
        return
    found: list[str] = []
    async for name in redis.scan_iter(match="recado:{*}:contact", count=_AT_ONCE, _type="hash"):
        found.append(name)
        if len(found) == _AT_ONCE:
            await _list_those_of(redis, found)
            found = []
    await _list_those_of(redis, found)
    await answer(redis.set(_COMPLETE, "1"))


async def _list_those_of(redis: Redis, records: list[str]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for record in records:
        pipeline.hmget(record, ["marketing_opt_out", "marketing_at"])
    choices = await pipeline.execute() if records else []
    old = {
        record.partition("{")[2].partition("}")[0]: float(at or 0)
        for record, (opted_out, at) in zip(records, choices, strict=True)
        if opted_out == "1"
    }
    if old:
        await answer(redis.zadd(LISTED, old))
