"""Queue of replies of each conversation, in order, and the number of parts that were sent."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from bot.conversations import choices, ledger
from bot.infra.redis import answer, key
from bot.messages.outbound import Reply
from bot.whatsapp.limits import fit


def put(pipeline: Any, conversation: str, reply: Reply) -> None:
    """Append a reply within a transaction, brought within Meta's limits; an empty one is dropped."""
    if not (reply.phone or reply.bsuid):
        raise ValueError("a reply without a phone and a BSUID reaches nobody")
    fitting = reply.model_copy(update={"parts": fit(reply.parts)})
    if fitting.parts:
        choices.store(pipeline, conversation, reply.parts)
        pipeline.rpush(replies_key(conversation), fitting.model_dump_json(exclude_none=True))


def put_first(pipeline: Any, conversation: str, reply: Reply) -> None:
    """Put a reply before all others within a transaction, because it was due before them."""
    pipeline.lpush(replies_key(conversation), reply.model_dump_json(exclude_none=True))


def move_unreadable(conversation: str, raw: str, pipeline: Any) -> None:
    """Move an unreadable reply to a key of its own, so that it blocks no other."""
    pipeline.lrem(replies_key(conversation), 1, raw)
    apart = key(conversation, "outbox", "unreadable")
    pipeline.rpush(apart, raw)
    pipeline.expire(apart, ledger.KEEP_SECONDS)


async def raw_replies(redis: Redis, conversation: str) -> list[str]:
    """Waiting replies, as stored."""
    raw: list[str] = await answer(redis.lrange(replies_key(conversation), 0, -1))
    return raw


def adopt(pipeline: Any, conversation: str, raw: list[str]) -> None:
    """Append the replies of a conversation that joins."""
    if raw:
        pipeline.rpush(replies_key(conversation), *raw)


def replies_key(conversation: str) -> str:
    return key(conversation, "outbox")


def progress_key(conversation: str) -> str:
    """Key of the number of done parts by reply id."""
    return key(conversation, "outbox", "progress")
