"""What outlives an erasure, and no personal data: which messages not to take again, which conversations are over.

Meta delivers a message again for up to 7 days, and its statuses come late: without a trace of them the
erased person would be answered once more, and a part of what was erased be back.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis

from bot.infra.redis import key

# As long as the ledger keeps messages.
KEEP_SECONDS = 30 * 24 * 3600
_MESSAGES = "recado:erased"


class BeingErased(OSError):
    """The sender's data are being erased this very moment: Meta delivers the message again, and it starts anew."""


def erased(conversation: str) -> str:
    """The key that says: this conversation is being erased, or was; nothing may be written to it."""
    return key(conversation, "erased")


async def note_messages(redis: Redis, message_ids: Iterable[str]) -> None:
    """Remember messages by a digest; a wamid spells its sender's phone, but also enough chance to hide it."""
    now = time.time()
    digests = {_digest(one): now for one in message_ids}
    pipeline = redis.pipeline(transaction=False)
    pipeline.zremrangebyscore(_MESSAGES, "-inf", now - KEEP_SECONDS)
    if digests:
        pipeline.zadd(_MESSAGES, digests)
    pipeline.expire(_MESSAGES, KEEP_SECONDS)
    await pipeline.execute()


async def among(redis: Redis, message_ids: list[str]) -> set[str]:
    """Those of these messages that came before their sender was erased."""
    scores: list[Any] = await redis.zmscore(_MESSAGES, [_digest(one) for one in message_ids])
    return {one for one, score in zip(message_ids, scores, strict=True) if score is not None}


def _digest(message_id: str) -> str:
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]
