"""Tombstones that outlive an erasure: messages not to accept again, and conversations that are over.

Meta delivers a message again for up to 7 days, and statuses come late. Without tombstones the bot would answer an
erased person again, and store a part of the erased data anew. They hold no personal data.
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
# Digests of erased people's messages, by the time of the erasure.
MESSAGES = "recado:erased"


class BeingErased(OSError):
    """The sender's data are being erased now. Meta delivers the message again, and it starts a new conversation."""


def erased(conversation: str) -> str:
    """The key that forbids writing to a conversation, because it is being erased or was."""
    return key(conversation, "erased")


async def add_messages(redis: Redis, digests_of_ids: Iterable[str]) -> None:
    """Add messages by a digest: a wamid holds its sender's phone, and enough random bits to hide it."""
    now = time.time()
    digests = dict.fromkeys(digests_of_ids, now)
    pipeline = redis.pipeline(transaction=False)
    pipeline.zremrangebyscore(MESSAGES, "-inf", now - KEEP_SECONDS)
    if digests:
        pipeline.zadd(MESSAGES, digests)
    pipeline.expire(MESSAGES, KEEP_SECONDS)
    await pipeline.execute()


async def among(redis: Redis, message_ids: list[str]) -> set[str]:
    """Find the messages that came before their sender was erased."""
    scores: list[Any] = await redis.zmscore(MESSAGES, [digest(message_id) for message_id in message_ids])
    return {message_id for message_id, score in zip(message_ids, scores, strict=True) if score is not None}


def digest(message_id: str) -> str:
    """The member of MESSAGES that stands for a message."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]
