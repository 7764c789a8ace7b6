"""Every message lands here once and waits for its turn; the waiting list is the truth, a job only a nudge."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from bot import contacts, erased, identity, ledger
from bot.logs import masked
from bot.messages import Inbound
from bot.metrics import MESSAGES_ENDED, MESSAGES_RECEIVED
from bot.points import passing
from bot.redis import answer, key
from bot.waiting import written

_log = structlog.get_logger()
_OPEN = "recado:open"
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

# Lets go of a conversation only while nothing waits in it; a message that comes later finds a new epoch, so that
# its job has a new id and can't be taken for the job that is ending now. KEYS 1 lease, 2 waiting, 3 epoch, 4 joining.
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('LLEN', KEYS[2]) > 0 or redis.call('SCARD', KEYS[4]) > 0 then return 1 end
redis.call('INCR', KEYS[3])
redis.call('EXPIRE', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[1])
return 0
"""

_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"

# A transaction that only the holder can make: MULTI can't ask first, a script can. KEYS 1 lease, 2 erased.
_COMMIT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
for index = 2, #ARGV do redis.call(unpack(cjson.decode(ARGV[index]))) end
return 1
"""

_ABANDON = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"

# Closes the books on a conversation unless somebody wrote in the meantime.
_FORGET = """
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""

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


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a conversation, for as long as it is renewed."""

    conversation: str
    token: str


class LeaseLost(Exception):
    """Another worker has the conversation: this one may write nothing more."""


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
        gone = await erased.among(self._redis, [message.id for message in messages])
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
        stored = [erased.BeingErased() if _is(-2, one) else one for one in stored]
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
        await self._redis.zadd(_OPEN, {conversation: time.time()})
        self._ask(conversation, f"{conversation}-{time.time_ns()}")

    async def _store(self, messages: list[Inbound], conversations: list[str]) -> list[Any]:
        now = self._clock()
        pipeline = self._redis.pipeline(transaction=False)
        # The index first: a conversation that is listed with nothing waiting is harmless, the other way round is not.
        pairs = zip(messages, conversations, strict=True)
        listed = dict.fromkeys((conversation for message, conversation in pairs if not why_ignored(message)), now)
        if listed:
            pipeline.zadd(_OPEN, listed)
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
    ends = (identity.moved(conversation), erased.erased(conversation))
    keys = (*ledger.keys(conversation), waiting_key(conversation), _epoch(conversation), *ends)
    return ("EVALSHA", _ACCEPT_SHA, len(keys), *keys, message.id, entry, now, waiting, most, flood)


class Desk:
    """What a turn sees of the inbox: taking a conversation, its waiting messages, and letting go."""

    def __init__(self, redis: Redis, *, lease_seconds: float) -> None:
        self._redis = redis
        self.lease_seconds = lease_seconds

    async def take(self, lease: Lease) -> bool:
        """Take the conversation; False while another worker has it."""
        return bool(
            await self._redis.set(
                lease_key(lease.conversation), lease.token, nx=True, px=int(self.lease_seconds * 1000)
            )
        )

    async def renew(self, lease: Lease) -> None:
        """Hold on to it; LeaseLost when it ran out and went to somebody else."""
        milliseconds = int(self.lease_seconds * 1000)
        name = lease_key(lease.conversation)
        if not await answer(self._redis.eval(_RENEW, 1, name, lease.token, str(milliseconds))):
            raise LeaseLost(lease.conversation)

    async def waiting(self, conversation: str) -> list[Inbound]:
        """The waiting messages, as they came."""
        return [written(raw) for raw in await answer(self._redis.lrange(waiting_key(conversation), 0, -1))]

    async def commit(self, lease: Lease, write: Callable[[Any], None]) -> None:
        """Do all that `write` puts into a pipeline, or nothing, and only while the lease is held."""
        recorded = self._redis.pipeline()
        write(recorded)
        commands = [[str(part) for part in command] for command, _ in recorded.command_stack]
        ours = key(lease.conversation)
        # Every key is declared, as clusters and some managed servers demand of a script.
        touched = {part for command in commands for part in command[1:] if part.startswith(ours)}
        keys = [lease_key(lease.conversation), erased.erased(lease.conversation), *sorted(touched)]
        lines = [json.dumps(command) for command in commands]
        done = await answer(self._redis.eval(_COMMIT, len(keys), *keys, lease.token, *lines))
        if not done:
            raise LeaseLost(lease.conversation)

    async def release(self, lease: Lease) -> bool:
        """Let go; False, and still held, when messages wait. LeaseLost when it was another's already."""
        name = lease.conversation
        keys = (lease_key(name), waiting_key(name), _epoch(name), identity.joining(name))
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zscore(_OPEN, name)
        pipeline.eval(_RELEASE, len(keys), *keys, lease.token, str(ledger.KEEP_SECONDS))
        score, left = await pipeline.execute()
        if left == -1:
            raise LeaseLost(name)
        if left == 0 and score is not None:
            await answer(self._redis.eval(_FORGET, 1, _OPEN, name, repr(score)))
        return bool(left == 0)

    async def strike(self, conversation: str) -> None:
        """Take a conversation off the index for good: it has become a part of another, or is erased."""
        await self._redis.zrem(_OPEN, conversation)

    async def abandon(self, lease: Lease) -> None:
        """Let go at once after a failure, so that the next try needn't wait for the lease to run out."""
        await answer(self._redis.eval(_ABANDON, 1, lease_key(lease.conversation), lease.token))

    async def unfinished(self) -> list[str]:
        """Conversations with messages that have no end yet."""
        names: list[str] = await self._redis.zrange(_OPEN, 0, -1)
        return names

    async def overdue(self, seconds: float) -> list[str]:
        """Conversations whose last message came longer ago than this and which nobody holds."""
        names: list[str] = await self._redis.zrangebyscore(_OPEN, "-inf", time.time() - seconds, start=0, num=500)
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.exists(lease_key(name))
        held = await pipeline.execute() if names else []
        return [name for name, taken in zip(names, held, strict=True) if not taken]

    async def unaccounted(self) -> int:
        """How many messages have no end yet, over all conversations."""
        pipeline = self._redis.pipeline(transaction=False)
        for name in await self._redis.zrange(_OPEN, 0, -1):
            pipeline.llen(waiting_key(name))
        return sum(await pipeline.execute()) if pipeline.command_stack else 0


def drop(pipeline: Any, conversation: str, count: int) -> None:
    """Take the first `count` messages off the waiting list, within a transaction."""
    pipeline.ltrim(waiting_key(conversation), count, -1)


async def hold(desk: Desk, lease: Lease) -> None:
    """Renew the lease for ever; raises LeaseLost when it went to another, or can't be renewed before it runs out."""
    deadline = time.monotonic() + desk.lease_seconds
    while True:
        await asyncio.sleep(desk.lease_seconds / 3)
        try:
            await desk.renew(lease)
        except RedisError as error:
            _log.warning("lease_not_renewed", error=type(error).__name__)
            if time.monotonic() > deadline:
                raise LeaseLost(lease.conversation) from error
        else:
            deadline = time.monotonic() + desk.lease_seconds


def waiting_key(conversation: str) -> str:
    """Where a conversation's messages wait."""
    return key(conversation, "waiting")


def lease_key(conversation: str) -> str:
    return key(conversation, "lease")


def _epoch(conversation: str) -> str:
    return key(conversation, "epoch")
