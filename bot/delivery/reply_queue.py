"""Queue of replies of each conversation, in order, and the number of parts that were sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.conversations import choices, ledger
from bot.history import stream
from bot.history.entries import ReplyQueued
from bot.infra.redis import answer, key
from bot.messages.outbound import Reply
from bot.whatsapp.limits import fit


def put(pipeline: Any, conversation: str, reply: Reply, *, words: str | None = None) -> None:
    """Append a reply within a transaction, brought within Meta's limits; an empty one is dropped.

    `words` are those of a template that was filled in, for the history.
    """
    if not (reply.phone or reply.bsuid):
        raise ValueError("a reply without a phone and a BSUID reaches nobody")
    fitting = reply.model_copy(update={"parts": fit(reply.parts)})
    if fitting.parts:
        choices.store(pipeline, conversation, reply.parts)
        pipeline.rpush(replies_key(conversation), fitting.model_dump_json(exclude_none=True))
        _note(pipeline, conversation, fitting, words)


def put_first(pipeline: Any, conversation: str, reply: Reply) -> None:
    """Put a reply before all others within a transaction, because it was due before them."""
    pipeline.lpush(replies_key(conversation), reply.model_dump_json(exclude_none=True))
    _note(pipeline, conversation, reply, None)


def _note(pipeline: Any, conversation: str, reply: Reply, words: str | None) -> None:
    entry = ReplyQueued(id=reply.id, conversation=conversation, at=datetime.now(UTC), reply=reply, words=words)
    stream.append(pipeline, entry)


def move_unreadable(conversation: str, raw: str, pipeline: Any) -> None:
    """Move an unreadable reply to a key of its own, so that it blocks no other."""
    pipeline.lrem(replies_key(conversation), 1, raw)
    unreadable = key(conversation, "outbox", "unreadable")
    pipeline.rpush(unreadable, raw)
    pipeline.expire(unreadable, ledger.KEEP_SECONDS)


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
