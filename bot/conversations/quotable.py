"""Texts of messages for replies that quote them, because Meta doesn't send the quoted text along.

A conversation has a hash for each month, because a key for each text would take Redis twice the room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.conversations import tombstones
from bot.infra.queries import Query
from bot.infra.redis import key
from bot.settings import LONGEST_MEMORY_DAYS

_DIGITS = 16
_SHORTEST_MONTH = 28


def store(pipeline: Any, conversation: str, wamid: str, text: str, ttl_seconds: int) -> None:
    """Store a message's text within a transaction."""
    month = _key(conversation, next(_months(0)))
    pipeline.hset(month, _field(wamid), text)
    pipeline.expire(month, ttl_seconds)


def replace(pipeline: Any, conversation: str, wamid: str, text: str, ttl_seconds: int) -> None:
    """Store another text in the place of a message's earlier one."""
    forget(pipeline, conversation, [wamid])
    store(pipeline, conversation, wamid, text, ttl_seconds)


def forget(pipeline: Any, conversation: str, wamids: Iterable[str]) -> None:
    """Delete the texts of messages."""
    for wamid in wamids:
        for month in _months(LONGEST_MEMORY_DAYS):
            pipeline.hdel(_key(conversation, month), _field(wamid))
        pipeline.delete(_key(conversation, wamid))


def query(
    conversation: str, wamids: Sequence[str], earlier: Iterable[str] = (), *, ttl_seconds: int
) -> Query[dict[str, str]]:
    """Query for the known texts of earlier messages, also of conversations that joined this one."""
    if not wamids:
        return Query((), lambda _: {})
    fields, commands = [_field(wamid) for wamid in wamids], []
    for name in (conversation, *earlier):
        commands += [("HMGET", _key(name, month), *fields) for month in _months(ttl_seconds // 86400)]
        # Earlier versions of Recado stored each text under a key of its own.
        commands.append(("MGET", *(_key(name, wamid) for wamid in wamids)))

    def read(found: Sequence[Any]) -> dict[str, str]:
        # Newest first.
        texts = [next(filter(None, column), None) for column in zip(*found, strict=True)]
        return {wamid: text for wamid, text in zip(wamids, texts, strict=True) if text}

    return Query(tuple(commands), read)


def _months(days: int) -> Iterator[str]:
    """This month and those before it that reach back so many days, such as 2026-12."""
    now, last = datetime.now(UTC), None
    for back in range(0, days + _SHORTEST_MONTH, _SHORTEST_MONTH):
        month = f"{now - timedelta(days=min(back, days)):%Y-%m}"
        if month != last:
            yield month
        last = month


def _field(wamid: str) -> str:
    return tombstones.digest(wamid)[:_DIGITS]


def _key(conversation: str, month_or_wamid: str) -> str:
    return key(conversation, "said", month_or_wamid)
