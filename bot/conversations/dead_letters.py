"""Messages whose turn failed for good: set aside with the reason, until an operator retries or drops them.

What nobody looked at for as long as the ledger remembers its messages (`ledger.KEEP_SECONDS`) goes with them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from redis.asyncio import Redis

from bot.conversations import identity, ledger, waiting_list
from bot.infra.logs import without_identities
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound
from bot.messages.record import Record

# Conversations in which something was set aside, by the time (Unix seconds) of the newest.
_INDEX = "recado:aside"

# Back onto the waiting list, with their ledger entries open again, all at once. KEYS 1 aside, 2 waiting, 3 ledger.
# ARGV what was read of the list, then for each message: its id, its open entry, itself. Gives how many wait again, none
# when the list has changed. A message that is open already waits already: carrying it over died halfway.
_RETRY = """
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
local count = 0
for index = 2, #ARGV, 3 do
  local entry = redis.call('HGET', KEYS[3], ARGV[index])
  if not entry or cjson.decode(entry).state ~= 'open' then
    redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1])
    redis.call('RPUSH', KEYS[2], ARGV[index + 2])
    count = count + 1
  end
end
redis.call('DEL', KEYS[1])
return count
"""


class DeadLetter(Record):
    """A turn's messages, why it failed, and when; `acted` names tools that had acted by then: no retry repeats them."""

    reason: str
    at: datetime
    messages: tuple[Inbound, ...]
    acted: tuple[str, ...] = ()


class Acted(Exception):
    """A retry would do something twice; the message says what the operator can do."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    redis: Redis

    async def note(self, conversation: str) -> None:
        """List a conversation; before `put`, because one that is listed with nothing set aside is harmless."""
        await self.redis.zadd(_INDEX, {conversation: time.time()})

    async def all(self) -> dict[str, list[DeadLetter]]:
        """What is set aside, by conversation, the newest first."""
        found: dict[str, list[DeadLetter]] = {}
        names: list[str] = await self.redis.zrevrange(_INDEX, 0, -1)
        for name in names:
            if entries := await self.of(name):
                found[name] = entries
            else:
                await self.redis.zrem(_INDEX, name)
        return found

    async def of(self, conversation: str) -> list[DeadLetter]:
        raw: list[str] = await answer(self.redis.lrange(entries_key(conversation), 0, -1))
        return [DeadLetter.model_validate_json(one) for one in raw]

    async def retry(self, conversation: str) -> int:
        """Let a conversation's messages wait for a turn again; how many. A turn has to be asked for afterwards.

        Raises Acted where a tool had acted already: a new turn would act again.
        """
        entries = await self.of(conversation)
        if acted := sorted({name for entry in entries for name in entry.acted}):
            raise Acted(f"{conversation}: {', '.join(acted)} had acted already; write to the customer, then drop it")
        messages = [
            message.model_copy(update={"retries": message.retries + 1})
            for entry in entries
            for message in entry.messages
        ]
        told: list[str] = []
        for message in messages:
            opened = ledger.entry(message.content.kind, message.received_at)
            told += [message.id, opened, message.model_dump_json(exclude_none=True)]
        names = entries_key(conversation), waiting_list.waiting_key(conversation), ledger.keys(conversation)[0]
        if not messages:
            return 0
        return int(cast("int", await answer(self.redis.eval(_RETRY, 3, *names, str(len(entries)), *told))))

    async def carry(self, conversation: str) -> str:
        """The conversation in which messages are to be tried again: the one that theirs has become a part of."""
        home = await identity.home_of(self.redis, conversation)
        raw: list[str] = (
            await answer(self.redis.lrange(entries_key(conversation), 0, -1)) if home != conversation else []
        )
        if raw:
            await self.note(home)
            pipeline = self.redis.pipeline(transaction=True)
            adopt(pipeline, home, raw)
            await pipeline.execute()
            await self.redis.delete(entries_key(conversation))
        return home

    async def drop(self, conversation: str) -> int:
        """Forget what is set aside in a conversation; how many messages."""
        entries = await self.of(conversation)
        await self.redis.delete(entries_key(conversation))
        await self.redis.zrem(_INDEX, conversation)
        return sum(len(entry.messages) for entry in entries)


def put(pipeline: Any, conversation: str, entry: DeadLetter) -> None:
    """Set a turn's messages aside, within the transaction that ends it."""
    pipeline.rpush(entries_key(conversation), entry.model_dump_json(exclude_none=True))
    pipeline.expire(entries_key(conversation), ledger.KEEP_SECONDS)


async def raw_of(redis: Redis, conversation: str) -> list[str]:
    """Entries set aside in a conversation, as they are kept."""
    raw: list[str] = await answer(redis.lrange(entries_key(conversation), 0, -1))
    return raw


def adopt(pipeline: Any, conversation: str, raw: list[str]) -> None:
    """Take over what was set aside in a conversation that joins."""
    if raw:
        pipeline.rpush(entries_key(conversation), *raw)
        pipeline.expire(entries_key(conversation), ledger.KEEP_SECONDS)


def as_json(entry: DeadLetter) -> dict[str, Any]:
    """For an operator: no text of anybody."""
    kinds = [message.content.kind for message in entry.messages]
    return {
        "reason": without_identities(entry.reason),
        "at": entry.at.isoformat(timespec="seconds"),
        "messages": kinds,
        "acted": list(entry.acted),
    }


def entries_key(conversation: str) -> str:
    return key(conversation, "aside")
