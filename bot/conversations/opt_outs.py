"""Objections to marketing, which outlive the erasure of a contact.

An objection holds for good (GDPR article 21); without its record, the next import of numbers would undo it. We store an
HMAC of the phone or BSUID under a secret of this Redis, which identifies nobody without both.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from redis.asyncio import Redis

from bot.infra.signed_tokens import shared_secret


async def store(redis: Redis, identities: Iterable[str], *, opted_out: bool) -> None:
    """Store, or delete, an objection under each identity of a person, in its canonical spelling."""
    for name in await _names(redis, identities):
        await (redis.set(name, "1") if opted_out else redis.delete(name))


async def has_objected(redis: Redis, identities: Iterable[str]) -> bool:
    """Whether a person whose contact was erased had objected."""
    names = await _names(redis, identities)
    return bool(names and await redis.exists(*names))


async def _names(redis: Redis, identities: Iterable[str]) -> list[str]:
    wanted = sorted(set(identities))
    if not wanted:
        return []
    secret = await shared_secret(redis, "optouts")
    return [f"recado:optout:{hmac.new(secret, one.encode(), hashlib.sha256).hexdigest()}" for one in wanted]
