"""Every message lands here once and waits for its turn; the waiting list is the truth, a job only a nudge."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from bot.conversations import contacts, identity, ledger, tombstones
from bot.conversations.lease import epoch_key
from bot.conversations.waiting_list import OPEN, waiting_key
from bot.infra.crash_points import passing
from bot.infra.logs import masked
from bot.infra.metrics import MESSAGES_ENDED, MESSAGES_RECEIVED
from bot.messages.inbound import Inbound

_log = structlog.get_logger()
# Nobody reads more than this; without it, whoever floods us would fill Redis and slow the others.
MOST_WAITING = 200
FLOOD = "refused: too many messages"

# One step, so that a message is in the ledger and on the list, or in neither. KEYS 3 waiting, 4 epoch, 5 moved,
# 6 erased. ARGV 4 the message, 5 how many may wait, 6 the entry of one that is too many: it ends here.
_ACCEPT = f"""
if redis.call('EXISTS', KEYS[6]) == 1 then return {{-2, 0, '0', 0}} end
if redis.call('EXISTS', KEYS[5]) == 1 then return {{-1, 0, '0', 0}} end
local flood = ARGV[4] ~= '' and redis.call('LLEN', KEYS[3]) >= tonumber(ARGV[5])
if flood then ARGV[2] = ARGV[6] end
{ledger.OPEN_SCRIPT}
if not known and ARGV[4] ~= '' and not flood then redis.call('RPUSH', KEYS[3], ARGV[4]) end
local new, waiting = known and 0 or 1, redis.call('LLEN', KEYS[3])
return {{new, waiting, redis.call('GET', KEYS[4]) or '0', flood and new or 0}}
"""

_ACCEPT_SHA = hashlib.sha1(_ACCEPT.encode(), usedforsecurity=False).hexdigest()

Ask = Callable[[str, str], None]

# How these end: they change what is remembered, which needs the conversation's lease but no model.
_REMEMBERED = {
    "reaction": "ignored: reaction, remembered",
    "edit": "ignored: edit, applied",
    "revoke": "ignored: revoke, applied",
    "call_permission": "ignored: call permission, kept",
}


def why_ignored(message: Inbound) -> str | None:
    """The end state of a message that ends where it comes in; None when it waits for a worker."""
    if message.group_id:
        return "ignored: group"
    return "ignored: system" if message.content.kind == "system" else None


def why_unanswered(message: Inbound) -> str | None:
    """The end state of a message that joins the memory alone; None when it starts a turn."""
    return f"ignored: {message.aside}, remembered" if message.aside else _REMEMBERED.get(message.content.kind)


class Inbox:
    """The door for webhooks; `ask(conversation, job id)` is told where a turn is due."""

    def __init__(
        self,
        redis: Redis,
        ask: Ask,
        *,
        echo_pause: timedelta = timedelta(0),
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._ask = ask
        self._echo_pause = echo_pause
        self._most_waiting = most_waiting
        self._clock = clock

    async def accept(self, messages: list[Inbound]) -> list[bool | Exception]:
        """Make messages durable: True for a new one, False for one that was known, or why it couldn't be stored."""
        gone = await tombstones.among(self._redis, [message.id for message in messages])
        taken = iter(await self._accept([one for one in messages if one.id not in gone]) if messages else [])
        return [False if message.id in gone else next(taken) for message in messages]

    async def _accept(self, messages: list[Inbound]) -> list[bool | Exception]:
        conversations = await identity.conversations_of(self._redis, messages)
        stored = await self._store(messages, conversations)
        if any(isinstance(one, NoScriptError) for one in stored):
            # A Redis that was restarted or replaced has forgotten the script; storing again stores once.
            await self._redis.script_load(_ACCEPT)
            stored = await self._store(messages, conversations)
        while any(_is(-1, one) for one in stored):
            # Meanwhile the sender turned out to be somebody known; storing again stores once.
            conversations = [await identity.home_of(self._redis, one) for one in conversations]
            stored = await self._store(messages, conversations)
        stored = [tombstones.BeingErased() if _is(-2, one) else one for one in stored]
        passing("webhook: stored, no job asked for")
        outcomes = [
            one if isinstance(one, Exception) else self._accepted(message, conversation, *one)
            for message, conversation, one in zip(messages, conversations, stored, strict=True)
        ]
        # The ids under which every later line about these messages is found, up to the reply.
        accepted = [masked(message.id) for message, new in zip(messages, outcomes, strict=True) if new is True]
        if accepted:
            _log.info("messages_accepted", messages=accepted)
        return outcomes

    async def look_at(self, conversation: str) -> None:
        """Ask for a turn where something else than a message changed."""
        await self._redis.zadd(OPEN, {conversation: time.time()})
        self._ask(conversation, f"{conversation}-{time.time_ns()}")

    async def _store(self, messages: list[Inbound], conversations: list[str]) -> list[Any]:
        now = self._clock()
        pipeline = self._redis.pipeline(transaction=False)
        # The index first: a conversation that is listed with nothing waiting is harmless, the other way round is not.
        pairs = zip(messages, conversations, strict=True)
        listed = dict.fromkeys((conversation for message, conversation in pairs if not why_ignored(message)), now)
        if listed:
            pipeline.zadd(OPEN, listed)
        for message, conversation in zip(messages, conversations, strict=True):
            pipeline.execute_command(*_accept(message, conversation, now, self._most_waiting))
        for message, conversation in zip(messages, conversations, strict=True):
            if message.aside == "echo":
                # At once, and not in its turn: a model may be thinking of an answer right now.
                contacts.pause(pipeline, conversation, message.sent_at + self._echo_pause)
        results = await pipeline.execute(raise_on_error=False)
        if listed and isinstance(failure := results.pop(0), Exception):
            raise failure
        return results[: len(messages)]

    def _accepted(  # noqa: PLR0913, PLR0917 - what the script gives
        self, message: Inbound, conversation: str, new: int, waiting: int, epoch: str, flood: int
    ) -> bool:
        if waiting:
            self._ask(conversation, f"{conversation}-{epoch}")
        if new:
            MESSAGES_RECEIVED.labels(message.aside or message.content.kind).inc()
            if why_ignored(message):
                MESSAGES_ENDED.labels("ignored").inc()
            elif flood:
                MESSAGES_ENDED.labels("refused").inc()
        return bool(new)


def _is(code: int, stored: Any) -> bool:
    return not isinstance(stored, Exception) and bool(stored[0] == code)


def _accept(message: Inbound, conversation: str, now: float, most: int) -> tuple[Any, ...]:
    ignored = why_ignored(message)
    entry = ledger.entry(message.content.kind, message.received_at, ignored or "open")
    flood = ledger.entry(message.content.kind, message.received_at, FLOOD)
    waiting = "" if ignored else message.model_dump_json(exclude_none=True)
    ends = (identity.moved(conversation), tombstones.erased(conversation))
    keys = (*ledger.keys(conversation), waiting_key(conversation), epoch_key(conversation), *ends)
    return ("EVALSHA", _ACCEPT_SHA, len(keys), *keys, message.id, entry, now, waiting, most, flood)
