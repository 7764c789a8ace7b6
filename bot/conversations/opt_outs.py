"""Who wants no marketing, beyond the erasure of all else that was known of them.

An objection to marketing must be heeded for good (GDPR article 21), which erasing its record would undo at the next
import of numbers. Kept is an HMAC of the phone or BSUID under a secret of this Redis: it tells nothing without both.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from redis.asyncio import Redis

from bot.infra.signed_tokens import shared_secret


async def keep(redis: Redis, identities: Iterable[str], *, opted_out: bool) -> None:
    """Remember, or forget, an objection under each of somebody's identities, in their plain spelling."""
    for name in await _names(redis, identities):
        await (redis.set(name, "1") if opted_out else redis.delete(name))


async def has_objected(redis: Redis, identities: Iterable[str]) -> bool:
    """Whether somebody whose contact was erased had objected."""
    names = await _names(redis, identities)
    return any([await redis.exists(name) for name in names])


async def _names(redis: Redis, identities: Iterable[str]) -> list[str]:
    wanted = sorted(set(identities))
    if not wanted:
        return []
    secret = await shared_secret(redis, "optouts")
    return [f"recado:optout:{hmac.new(secret, one.encode(), hashlib.sha256).hexdigest()}" for one in wanted]
