"""Dead letters: messages whose turn failed for good, with the reason, until an operator retries or drops them.

They expire with the ledger entries of their messages (`ledger.KEEP_SECONDS`).
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

# Conversations with dead letters, by the time (Unix seconds) of the newest one.
_INDEX = "recado:aside"

# Puts messages back onto the waiting list and reopens their ledger entries, in one step. KEYS 1 dead letters,
# 2 waiting, 3 ledger. ARGV 1 length of the list as read, then for each message: id, its digest, open entry, message.
# Gives how many wait again, none when the list has changed. An open message waits already, because an earlier retry
# died halfway.
_RETRY = f"""
{ledger.IS_OPEN_SCRIPT}
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
local count = 0
for index = 2, #ARGV, 4 do
  local entry = redis.call('HGET', KEYS[3], ARGV[index + 1]) or redis.call('HGET', KEYS[3], ARGV[index])
  if not is_open(entry) then
    redis.call('HSET', KEYS[3], ARGV[index + 1], ARGV[index + 2])
    redis.call('RPUSH', KEYS[2], ARGV[index + 3])
    count = count + 1
  end
end
redis.call('DEL', KEYS[1])
return count
"""


class DeadLetter(Record):
    """Messages of a failed turn, with reason and time. `acted` names tools that had acted: no retry repeats them."""

    reason: str
    at: datetime
    messages: tuple[Inbound, ...]
    acted: tuple[str, ...] = ()


class Acted(Exception):
    """A retry would repeat a tool's action; the text says what the operator can do."""

    def __init__(self, conversation: str, tools: str) -> None:
        super().__init__(f"{conversation}: {tools} had acted already; write to the customer, then drop it")
        self.conversation, self.tools = conversation, tools


@dataclass(frozen=True, slots=True)
class DeadLetters:
    redis: Redis

    async def add_to_index(self, conversation: str) -> None:
        """List a conversation. Call before `put`, because a listed conversation without dead letters is harmless."""
        await self.redis.zadd(_INDEX, {conversation: time.time()})

    async def all(self) -> dict[str, list[DeadLetter]]:
        """Dead letters by conversation, the newest first."""
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
        return [DeadLetter.model_validate_json(line) for line in raw]

    async def retry(self, conversation: str) -> int:
        """Put a conversation's messages back onto the waiting list; gives how many. The caller asks for a turn.

        Raises Acted if a tool has acted already: a new turn would act again.
        """
        entries = await self.of(conversation)
        if acted := sorted({name for entry in entries for name in entry.acted}):
            raise Acted(conversation, ", ".join(acted))
        messages = [
            message.model_copy(update={"retries": message.retries + 1})
            for entry in entries
            for message in entry.messages
        ]
        arguments: list[str] = []
        for message in messages:
            opened = ledger.entry(message.content.kind, message.received_at)
            arguments += [message.id, ledger.name_of(message.id), opened, message.model_dump_json(exclude_none=True)]
        names = entries_key(conversation), waiting_list.waiting_key(conversation), ledger.keys(conversation)[0]
        if not messages:
            return 0
        return int(cast("int", await answer(self.redis.eval(_RETRY, 3, *names, str(len(entries)), *arguments))))

    async def carry(self, conversation: str) -> str:
        """Move dead letters to the conversation that this one has joined; gives its name."""
        home = await identity.current_name(self.redis, conversation)
        raw: list[str] = (
            await answer(self.redis.lrange(entries_key(conversation), 0, -1)) if home != conversation else []
        )
        if raw:
            await self.add_to_index(home)
            pipeline = self.redis.pipeline(transaction=True)
            adopt(pipeline, home, raw)
            await pipeline.execute()
            await self.redis.delete(entries_key(conversation))
        return home

    async def drop(self, conversation: str) -> int:
        """Delete the dead letters of a conversation; gives how many messages."""
        entries = await self.of(conversation)
        await self.redis.delete(entries_key(conversation))
        await self.redis.zrem(_INDEX, conversation)
        return sum(len(entry.messages) for entry in entries)


def put(pipeline: Any, conversation: str, entry: DeadLetter) -> None:
    """Store a dead letter within the transaction that ends the turn."""
    pipeline.rpush(entries_key(conversation), entry.model_dump_json(exclude_none=True))
    pipeline.expire(entries_key(conversation), ledger.KEEP_SECONDS)


async def raw_entries(redis: Redis, conversation: str) -> list[str]:
    """Dead letters of a conversation, as stored."""
    raw: list[str] = await answer(redis.lrange(entries_key(conversation), 0, -1))
    return raw


def adopt(pipeline: Any, conversation: str, raw: list[str]) -> None:
    """Take over the dead letters of a conversation that joins."""
    if raw:
        pipeline.rpush(entries_key(conversation), *raw)
        pipeline.expire(entries_key(conversation), ledger.KEEP_SECONDS)


def as_json(entry: DeadLetter) -> dict[str, Any]:
    """Summary for an operator, without texts and identities."""
    kinds = [message.content.kind for message in entry.messages]
    return {
        "reason": without_identities(entry.reason),
        "at": entry.at.isoformat(timespec="seconds"),
        "messages": kinds,
        "acted": list(entry.acted),
    }


def entries_key(conversation: str) -> str:
    return key(conversation, "aside")
