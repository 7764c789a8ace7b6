"""The queue of replies of each conversation: what is to leave, in its order, and how far a reply has come."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from bot.conversations import choices, ledger
from bot.infra.redis import answer, key
from bot.messages.outbound import Reply
from bot.whatsapp.limits import fit


def put(pipeline: Any, conversation: str, reply: Reply) -> None:
    """Append a reply within a transaction, brought within Meta's limits; one that says nothing is dropped."""
    if not (reply.phone or reply.bsuid):
        raise ValueError("a reply without a phone and a BSUID reaches nobody")
    fitting = reply.model_copy(update={"parts": fit(reply.parts)})
    if fitting.parts:
        choices.keep(pipeline, conversation, reply.parts)
        pipeline.rpush(replies_key(conversation), fitting.model_dump_json(exclude_none=True))


def put_first(pipeline: Any, conversation: str, reply: Reply) -> None:
    """Put a reply before all that wait, within a transaction: it was to leave before them."""
    pipeline.lpush(replies_key(conversation), reply.model_dump_json(exclude_none=True))


def put_apart(conversation: str, raw: str, pipeline: Any) -> None:
    pipeline.lrem(replies_key(conversation), 1, raw)
    apart = key(conversation, "outbox", "unreadable")
    pipeline.rpush(apart, raw)
    pipeline.expire(apart, ledger.KEEP_SECONDS)


async def raw_of(redis: Redis, conversation: str) -> list[str]:
    """The replies that wait, as they are kept."""
    raw: list[str] = await answer(redis.lrange(replies_key(conversation), 0, -1))
    return raw


def adopt(pipeline: Any, conversation: str, raw: list[str]) -> None:
    """Take over the replies of a conversation that joins."""
    if raw:
        pipeline.rpush(replies_key(conversation), *raw)


def replies_key(conversation: str) -> str:
    return key(conversation, "outbox")


def progress_key(conversation: str) -> str:
    """The key of how many parts of which replies were done, by the replies' ids."""
    return key(conversation, "outbox", "progress")
