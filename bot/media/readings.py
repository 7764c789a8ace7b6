"""What was read of a photo is kept by the photo's own bytes: sent again, it neither costs nor waits again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic import TypeAdapter
from redis.asyncio import Redis

from bot.infra.redis import answer, key
from pipelines.image import Reading

# What was taken back by its sender may be known for so long, under a digest that nobody asks for.
_KEEP_SECONDS = 24 * 3600

_reading: TypeAdapter[Reading] = TypeAdapter(Reading)


@dataclass(frozen=True, slots=True)
class ReadingCache:
    """Those of one conversation: nobody learns from the time it takes what others have sent."""

    redis: Redis
    conversation: str

    async def of(self, photo: bytes) -> Reading | None:
        raw = await answer(self.redis.get(self._name(photo)))
        return _reading.validate_json(raw) if raw else None

    async def keep(self, photo: bytes, reading: Reading) -> None:
        await answer(self.redis.set(self._name(photo), _reading.dump_json(reading), ex=_KEEP_SECONDS))

    def _name(self, photo: bytes) -> str:
        return key(self.conversation, "reading", hashlib.sha256(photo).hexdigest()[:32])
