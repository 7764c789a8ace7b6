"""Memory of a conversation: its last messages within a budget, and a summary of older ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime
from redis.asyncio import Redis

from bot.ai.chat import tokens
from bot.infra.queries import Query, ask
from bot.infra.redis import answer, key
from bot.messages.record import Record
from bot.settings import MemorySettings

_DAY = 24 * 3600
# Messages beyond the budget stay readable until they are summarised, up to this many.
_UNSUMMARISED = 60
_SUMMARISE_FROM = 8


_RECALL = f"""
local fallen, recent = redis.call('LRANGE', KEYS[2], -{_UNSUMMARISED}, -1), redis.call('LRANGE', KEYS[3], 0, -1)
return {{redis.call('GET', KEYS[1]), fallen, recent}}
"""

# Stores a summary unless its messages were edited or revoked while it was made. ARGV 1 summary, 2 seconds, then the
# two forms of each message.
_SUMMARISED = """
local count = (#ARGV - 2) / 2
local oldest = redis.call('LRANGE', KEYS[2], 0, count - 1)
for index = 1, count do
  if oldest[index] ~= ARGV[1 + 2 * index] and oldest[index] ~= ARGV[2 + 2 * index] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('LTRIM', KEYS[2], count, -1)
return 1
"""


class HistoryEntry(Record):
    """Text as the model reads it, and the time of its arrival.

    `wamid` is its message, which may be edited or revoked.
    """

    role: Literal["user", "assistant"]
    text: str
    at: AwareDatetime
    wamid: str = ""

    @property
    def stored(self) -> str:
        """JSON without what goes without saying: milliseconds for the time, and a `wamid` only where one is."""
        fields: dict[str, Any] = {"role": self.role, "text": self.text, "at": int(self.at.timestamp() * 1000)}
        if self.wamid:
            fields["wamid"] = self.wamid
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @property
    def forms(self) -> tuple[str, str]:
        """The stored form, and the one of earlier versions of Recado, which stays in lists until it leaves them."""
        return self.stored, self.model_dump_json()


@dataclass(frozen=True, slots=True)
class History:
    """Memory at the start of a turn, oldest first: the summary, `unsummarised` messages, `recent` messages."""

    summary: str = ""
    unsummarised: tuple[HistoryEntry, ...] = ()
    recent: tuple[HistoryEntry, ...] = ()


class Memory:
    """Each key carries the conversation's name from the signed webhook: no turn reaches another memory."""

    def __init__(self, redis: Redis, settings: MemorySettings) -> None:
        self._redis = redis
        self._settings = settings
        self.ttl_seconds = settings.ttl_days * _DAY

    async def recall(self, conversation: str) -> History:
        return await ask(self._redis, self.query(conversation))

    def query(self, conversation: str) -> Query[History]:
        """Query of one command, so that a summary stored at the same time is seen whole or not at all."""
        keys = (_summary(conversation), _fallen(conversation), recent_key(conversation))
        command = ("EVAL", _RECALL, 3, *keys)
        return Query((command,), lambda found: History(found[0][0] or "", _items(found[0][1]), _items(found[0][2])))

    def amend(self, pipeline: Any, conversation: str, history: History, news: Mapping[str, str]) -> History:
        """Put new texts, by message id, in the place of old ones within a transaction."""
        lists = []
        for name, items in ((_fallen(conversation), history.unsummarised), (recent_key(conversation), history.recent)):
            amended = [_amended(item, news) for item in items]
            for old, new in zip(items, amended, strict=True):
                if new != old:
                    # By value, because a summary may remove the oldest at the same time, and all indexes move.
                    for form in old.forms:
                        pipeline.linsert(name, "BEFORE", form, new.stored)
                        pipeline.lrem(name, 1, form)
            lists.append(tuple(amended))
        return History(history.summary, *lists)

    def reword(self, pipeline: Any, conversation: str, history: History, text: str, instead: str) -> None:
        """Put other words in the place of the assistant's last ones within a transaction, or none: they didn't leave.

        The memory stays as it is where they are not the last.
        """
        said = [item for item in history.recent if item.role == "assistant" and not item.wamid]
        if not said or said[-1].text != text:
            return
        new = said[-1].model_copy(update={"text": instead}).stored
        for form in said[-1].forms:
            if instead:
                pipeline.linsert(recent_key(conversation), "BEFORE", form, new)
            pipeline.lrem(recent_key(conversation), -1, form)

    def replace(self, pipeline: Any, conversation: str, whole: History) -> None:
        """Replace the whole memory within a transaction."""
        names = (_summary(conversation), _fallen(conversation), recent_key(conversation))
        pipeline.delete(*names)
        if whole.summary:
            pipeline.set(_summary(conversation), whole.summary, ex=self.ttl_seconds)
        for name, items in zip(names[1:], (whole.unsummarised, whole.recent), strict=True):
            if items:
                pipeline.rpush(name, *(item.stored for item in items))
                pipeline.expire(name, self.ttl_seconds)

    async def forget(self, conversation: str) -> None:
        await self._redis.delete(_summary(conversation), _fallen(conversation), recent_key(conversation))

    def extend(self, pipeline: Any, conversation: str, history: History, new: list[HistoryEntry]) -> bool:
        """Append within a transaction; the excess becomes `unsummarised`. True when a summary is due."""
        recent = [*history.recent, *new]
        excess = self._excess(recent)
        if new:
            pipeline.rpush(recent_key(conversation), *(item.stored for item in new))
        if excess:
            pipeline.rpush(_fallen(conversation), *(item.stored for item in recent[:excess]))
            pipeline.ltrim(_fallen(conversation), -_UNSUMMARISED, -1)
            pipeline.ltrim(recent_key(conversation), excess, -1)
        for name in (recent_key(conversation), _fallen(conversation), _summary(conversation)):
            pipeline.expire(name, self.ttl_seconds)
        return len(history.unsummarised) + excess >= _SUMMARISE_FROM

    async def summarised(self, conversation: str, covered: tuple[HistoryEntry, ...], summary: str) -> bool:
        """Replace the oldest messages by their summary; False when these have changed since."""
        items = [form for item in covered for form in item.forms]
        keys = (_summary(conversation), _fallen(conversation))
        done = await answer(self._redis.eval(_SUMMARISED, 2, *keys, summary, str(self.ttl_seconds), *items))
        return bool(done)

    def _excess(self, items: list[HistoryEntry]) -> int:
        """Number of the oldest messages beyond the budget of messages and tokens; the last exchange always stays."""
        count, spent = 0, 0
        for item in reversed(items):
            spent += tokens(item.text)
            if count >= self._settings.messages or (spent > self._settings.tokens and count >= 2):  # noqa: PLR2004
                break
            count += 1
        return len(items) - count


def _amended(item: HistoryEntry, news: Mapping[str, str]) -> HistoryEntry:
    return item.model_copy(update={"text": news[item.wamid]}) if item.wamid in news else item


def _items(raw: list[str]) -> tuple[HistoryEntry, ...]:
    return tuple(HistoryEntry.model_validate_json(line) for line in raw)


def recent_key(conversation: str) -> str:
    """Key of the last messages, oldest first."""
    return key(conversation, "memory")


def _fallen(conversation: str) -> str:
    return key(conversation, "memory", "fallen")


def _summary(conversation: str) -> str:
    return key(conversation, "memory", "summary")
