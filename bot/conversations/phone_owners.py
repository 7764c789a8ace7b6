"""Owners of a phone: a tombstone of each owner, so that the next one gets no right by the number alone.

Operators give numbers to new people. We keep HMACs of a phone and of the BSUIDs seen with it, under a secret of this
Redis. They name nobody without both, and outlive the contact, its erasure and its end.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.infra.signed_tokens import shared_secret
from bot.whatsapp.phone_numbers import canonical_variant

# A number goes to another person within months. The owners are known for longer than a contract lasts.
KEEP_SECONDS = 3 * 365 * 24 * 3600

# KEYS 1 owners of a phone. ARGV present owners.
_ASK = f"""
local had = redis.call('SMEMBERS', KEYS[1])
if #ARGV > 0 then
  redis.call('SADD', KEYS[1], unpack(ARGV))
  redis.call('EXPIRE', KEYS[1], {KEEP_SECONDS})
end
return had
"""

# Part of the inbox's script, for a newcomer: returns if another person had the phone, and adds the owner otherwise.
# Its variables: `owners` (key; empty without a phone) and `owner` (empty without a BSUID).
JOIN_SCRIPT = f"""
if owners ~= '' then
  for _, had in ipairs(redis.call('SMEMBERS', owners)) do
    if had ~= owner then return end
  end
  if owner ~= '' then
    redis.call('SADD', owners, owner)
    redis.call('EXPIRE', owners, {KEEP_SECONDS})
  end
end
"""


@dataclass(frozen=True, slots=True)
class PhoneOwners:
    """`secret` keys the digests. A conversation's name stands for an owner whose BSUID was never seen."""

    secret: bytes

    def add(self, pipeline: Any, phone: str, owners: Iterable[str]) -> None:
        """Add owners of a phone, past or present."""
        digests = [self._digest(owner) for owner in owners]
        if digests:
            pipeline.sadd(self.key(phone), *digests)
            self.renew(pipeline, phone)

    def renew(self, pipeline: Any, phone: str) -> None:
        pipeline.expire(self.key(phone), KEEP_SECONDS)

    def read(self, pipeline: Any, phone: str, owners: Iterable[str] = ()) -> None:
        """Read a phone's owners, for `contested`, and in the same step add the present ones."""
        pipeline.eval(_ASK, 1, self.key(phone), *map(self._digest, owners))

    def contested(self, found: Iterable[str], mine: Iterable[str]) -> bool:
        """Whether another person had the phone: then the number alone gives a right to nobody."""
        return not set(found).issubset(map(self._digest, mine))

    def to_join(self, phone: str | None, bsuid: str | None) -> tuple[str, str]:
        """The key and the owner for JOIN_SCRIPT."""
        return (self.key(phone), self._digest(bsuid) if bsuid else "") if phone else ("", "")

    def key(self, phone: str) -> str:
        return f"recado:phone-owners:{self._digest(canonical_variant(phone))}"

    def _digest(self, identity: str) -> str:
        return hmac.digest(self.secret, identity.encode(), "sha256").hex()[:32]


async def phone_owners(redis: Redis) -> PhoneOwners:
    return PhoneOwners(await shared_secret(redis, "phone-owners"))
