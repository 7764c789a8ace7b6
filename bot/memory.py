"""What a conversation remembers: its last messages within a budget, a summary of older ones, and quotable texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime
from redis.asyncio import Redis

from bot.messages import Record
from bot.redis import key
from bot.settings import MemorySettings

_DAY = 24 * 3600
# Messages that fell out stay readable until they are summarised; more than this many are never carried along.
_UNSUMMARISED = 60
_SUMMARISE_FROM = 8


class Remembered(Record):
    """One thing said, as the model reads it."""

    role: Literal["user", "assistant"]
    text: str
    at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is known when a turn starts: the summary, then `fallen` (not summarised yet), then `recent`."""

    summary: str = ""
    fallen: tuple[Remembered, ...] = ()
    recent: tuple[Remembered, ...] = ()


def tokens(text: str) -> int:
    """An estimate on the safe side: models cut Spanish at about 3.5 characters a token."""
    return len(text) * 2 // 7 + 4


def quotable(pipeline: Any, conversation: str, wamid: str, text: str, ttl_seconds: int) -> None:
    """Keep what a message said, so that a reply to it is understood: Meta doesn't send the quoted text along."""
    pipeline.set(key(conversation, "said", wamid), text, ex=ttl_seconds)


class Memory:
    """Every key carries the conversation's name, which comes from the signed webhook: none reaches another's."""

    def __init__(self, redis: Redis, settings: MemorySettings) -> None:
        self._redis = redis
        self._settings = settings
        self.ttl_seconds = settings.ttl_days * _DAY

    async def recall(self, conversation: str) -> Recollection:
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.get(_summary(conversation))
        pipeline.lrange(_fallen(conversation), -_UNSUMMARISED, -1)
        pipeline.lrange(_recent(conversation), 0, -1)
        summary, fallen, recent = await pipeline.execute()
        return Recollection(summary or "", _items(fallen), _items(recent))

    async def quoted(self, conversation: str, wamids: list[str]) -> dict[str, str]:
        """What earlier messages said, for those that are known."""
        if not wamids:
            return {}
        texts = await self._redis.mget([key(conversation, "said", wamid) for wamid in wamids])
        return {wamid: text for wamid, text in zip(wamids, texts, strict=True) if text}

    def extend(self, pipeline: Any, conversation: str, before: Recollection, new: list[Remembered]) -> bool:
        """Append within a transaction; what exceeds the budget moves to `fallen`. True when a summary is due."""
        recent = [*before.recent, *new]
        excess = self._excess(recent)
        pipeline.rpush(_recent(conversation), *(item.model_dump_json() for item in new))
        if excess:
            pipeline.rpush(_fallen(conversation), *(item.model_dump_json() for item in recent[:excess]))
            pipeline.ltrim(_fallen(conversation), -_UNSUMMARISED, -1)
            pipeline.ltrim(_recent(conversation), excess, -1)
        for name in (_recent(conversation), _fallen(conversation), _summary(conversation)):
            pipeline.expire(name, self.ttl_seconds)
        return len(before.fallen) + excess >= _SUMMARISE_FROM

    async def summarised(self, conversation: str, count: int, summary: str) -> None:
        """Put the summary in the place of the `count` oldest messages that it covers."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.set(_summary(conversation), summary, ex=self.ttl_seconds)
        pipeline.ltrim(_fallen(conversation), count, -1)
        await pipeline.execute()

    def _excess(self, items: list[Remembered]) -> int:
        """How many of the oldest have to go: by number, and by tokens, but never the last exchange."""
        kept, spent = 0, 0
        for item in reversed(items):
            spent += tokens(item.text)
            if kept >= self._settings.messages or (spent > self._settings.tokens and kept >= 2):  # noqa: PLR2004
                break
            kept += 1
        return len(items) - kept


def _items(raw: list[str]) -> tuple[Remembered, ...]:
    return tuple(Remembered.model_validate_json(line) for line in raw)


def _recent(conversation: str) -> str:
    return key(conversation, "memory")


def _fallen(conversation: str) -> str:
    return key(conversation, "memory", "fallen")


def _summary(conversation: str) -> str:
    return key(conversation, "memory", "summary")
