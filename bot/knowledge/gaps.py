"""Questions that the documents did not answer, kept with their contact and without identities."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.conversations.contacts import Contact
from bot.conversations.events import Event, event_id, person
from bot.conversations.tombstones import erased
from bot.infra.logs import without_identities
from bot.infra.redis import answer, key
from bot.messages.language import Language

# A gap that nobody has read for a quarter of a year no longer matters.
KEEP_SECONDS = 90 * 24 * 3600
MOST_OF_A_CONTACT = 50
MOST_CONTACTS = 5000
# Conversations whose gaps are read at once.
_READ_AT_ONCE = 50
_LONGEST = 300
_SHORTEST_NAME = 3
# Conversations with gaps, by the time of the newest.
_INDEX = "recado:gaps"
_DIGITS = re.compile(r"\d(?:[ .-]?\d){5,}")

# Writes nothing for a person who is being erased. KEYS 1 tombstone, 2 gaps, 3 index. ARGV 1 gap, 2 conversation,
# 3 now, 4 longest list, 5 seconds, 6 most conversations.
_NOTE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[1])
redis.call('LTRIM', KEYS[2], 0, ARGV[4] - 1)
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[3] - ARGV[5])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -ARGV[6] - 1)
return 1
"""

Publish = Callable[[Event, dict[str, Any], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class KnowledgeGap:
    """`question` holds no phone, address or name of its contact; `id` is the same for each try of a turn."""

    id: str
    question: str
    language: str
    staff: bool
    at: str


class KnowledgeGaps:
    def __init__(self, redis: Redis, publish: Publish) -> None:
        self._redis = redis
        self._publish = publish

    async def note(self, conversation: str, contact: Contact, question: str, language: Language, effect: str) -> None:
        """Publish and keep a question that nothing answered; a second try of the turn is the same gap."""
        gap = KnowledgeGap(
            id=effect,
            question=redacted(question, contact.name),
            language=language,
            staff=contact.role == "staff",
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        data = {"conversation": conversation, "contact": person(contact), "question": gap.question, "at": gap.at}
        await self._publish("knowledge.gap", data, event_id("knowledge.gap", conversation, effect))
        if any(kept.id == gap.id for kept in await self.of(conversation)):
            return
        keys = (erased(conversation), gaps_key(conversation), _INDEX)
        arguments = (json.dumps(asdict(gap), ensure_ascii=False), conversation, str(int(time.time())))
        limits = (str(MOST_OF_A_CONTACT), str(KEEP_SECONDS), str(MOST_CONTACTS))
        await answer(self._redis.eval(_NOTE, len(keys), *keys, *arguments, *limits))

    async def of(self, conversation: str) -> list[KnowledgeGap]:
        """Gaps of a conversation, the newest first."""
        found = await answer(self._redis.lrange(gaps_key(conversation), 0, -1))
        return [_gap(row) for row in found]

    async def newest(self, most: int) -> list[tuple[str, KnowledgeGap]]:
        """The newest gaps of customers, each with its conversation; reads as few conversations as possible."""
        found: list[tuple[str, KnowledgeGap]] = []
        start, names = 0, await self._names(0)
        while names:
            pipeline = self._redis.pipeline(transaction=False)
            for name, _ in names:
                pipeline.lrange(gaps_key(name), 0, -1)
            read = zip(names, await pipeline.execute(), strict=True)
            found += [(name, gap) for (name, _), kept in read for gap in map(_gap, kept) if not gap.staff]
            found = sorted(found, key=lambda named: named[1].at, reverse=True)[:most]
            oldest = datetime.fromisoformat(found[-1][1].at).timestamp() if len(found) == most else 0.0
            # The remaining conversations' newest gaps are older than all of these.
            if names[-1][1] < oldest:
                break
            start += len(names)
            names = await self._names(start)
        return found

    async def _names(self, start: int) -> list[tuple[str, float]]:
        """Conversations from the place `start` on, with the time of their newest gap; the newest first."""
        end = start + _READ_AT_ONCE - 1
        found: list[tuple[str, float]] = await answer(self._redis.zrevrange(_INDEX, start, end, withscores=True))
        return found


def _gap(raw: str) -> KnowledgeGap:
    return KnowledgeGap(**json.loads(raw))


async def forget(redis: Redis, conversation: str) -> None:
    """Take an erased conversation out of the index; its key goes with the others of its person."""
    await answer(redis.zrem(_INDEX, conversation))


def gaps_key(conversation: str) -> str:
    """Key of a person, so that export and erasure find it."""
    return key(conversation, "gaps")


def redacted(text: str, name: str | None, longest: int = _LONGEST) -> str:
    """A text without identities, long numbers and the contact's own name."""
    text = _DIGITS.sub("…", without_identities(text))
    for piece in (name or "").split():
        if len(piece) >= _SHORTEST_NAME:
            text = re.sub(rf"\b{re.escape(piece)}\b", "…", text, flags=re.IGNORECASE)
    return " ".join(text.split())[:longest]
