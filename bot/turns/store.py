"""The stored state of a turn: its messages, the journal of its work, and the one step that closes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from pydantic import ConfigDict, TypeAdapter, ValidationError
from redis.asyncio import Redis

from bot.agent.loop import JournalEntry, ToolResult
from bot.conversations import choices, dead_letters, ledger, quotable
from bot.conversations.contacts import paused
from bot.conversations.dead_letters import DeadLetters
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, lease_key
from bot.conversations.memory import History, HistoryEntry, Memory
from bot.conversations.turn_state import turn_keys
from bot.conversations.waiting_list import Waiting, waiting, waiting_key
from bot.delivery import reply_queue
from bot.history import stream
from bot.infra.queries import Query, ask, gathered
from bot.infra.redis import answer
from bot.media.cache import note_media
from bot.messages.outbound import Reply
from bot.messages.prompt_text import part_text
from bot.prompting.library import Library
from bot.turns.context import TurnAttempt, TurnContext, TurnResult, closing_entry, dead_letter_of, end_states, reply_to
from bot.turns.reply import composed
from bot.turns.revisions import MessageBatch, MessageRevisions
from bot.turns.snapshot import ConversationSnapshot
from bot.turns.trace import Trace

_log = structlog.get_logger()
T = TypeVar("T")

# A holder of the lease makes one try, however often it runs this. KEYS 1 lease, 2 turn, 3 journal, 4 waiting messages.
# ARGV 1 lease's token, 2 number of messages, 3 release of the prompts, 4 "1" if no other message may wait: then a turn
# that finds more does not begin, and the script returns -1.
_BEGIN = f"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('HSETNX', KEYS[2], 'count', ARGV[2]) == 1 then
  if ARGV[4] == '1' and redis.call('LLEN', KEYS[4]) ~= tonumber(ARGV[2]) then
    redis.call('DEL', KEYS[2])
    return -1
  end
end
redis.call('HSETNX', KEYS[2], 'release', ARGV[3])
if redis.call('HGET', KEYS[2], 'holder') ~= ARGV[1] then
  redis.call('HSET', KEYS[2], 'holder', ARGV[1])
  redis.call('HINCRBY', KEYS[2], 'tries', 1)
end
for index = 2, 3 do redis.call('EXPIRE', KEYS[index], {ledger.KEEP_SECONDS}) end
local count, tries, release = unpack(redis.call('HMGET', KEYS[2], 'count', 'tries', 'release'))
return {{count, tries, release, redis.call('LRANGE', KEYS[3], 0, -1)}}
"""
_MORE_CAME = -1

_entry: TypeAdapter[JournalEntry] = TypeAdapter(JournalEntry, config=ConfigDict(hide_input_in_errors=True))


class TurnStore:
    """Every write needs the conversation's lease, and raises LeaseLost without it."""

    def __init__(self, redis: Redis, leases: ConversationLeases, library: Library, revisions: MessageRevisions) -> None:
        self._redis = redis
        self._leases = leases
        self._library = library
        self._revisions = revisions

    @property
    def _memory(self) -> Memory:
        return self._revisions.memory

    async def begin(self, lease: Lease, snapshot: ConversationSnapshot, *, require_all: bool) -> TurnAttempt | Waiting:
        """Fix the messages and prompts of this turn. A try after a crash gets the same ones, and the journal.

        With `require_all`, a new turn needs all waiting messages: if `snapshot` lacks some, they are returned instead.
        """
        name, messages = lease.conversation, snapshot.waiting.messages
        prompts = await self._library.prompts_of(snapshot.current, name)
        keys = (lease_key(name), *turn_keys(name), waiting_key(name))
        arguments = (lease.token, len(messages), prompts.release, "1" if require_all else "")
        query = gathered(
            Query((("EVAL", _BEGIN, 4, *keys, *arguments),), list),
            self._revisions.query(name, messages, snapshot.contact.earlier),
            self._memory.query(name),
            waiting(name),
        )
        [begun], known, history, waits = await ask(self._redis, query)
        if begun == 0:
            raise LeaseLost(name)
        if begun == _MORE_CAME:
            found: Waiting = waits
            return found
        count, tries, release, entries = begun
        if release != prompts.release:
            prompts = await self._library.at(release) or prompts
        structlog.contextvars.bind_contextvars(release=prompts.release)
        journal = _read(entries)
        return TurnAttempt(
            count=int(count),
            tries=int(tries),
            journal=journal or (),
            prompts=prompts,
            current=snapshot.current,
            contact=snapshot.contact,
            known=known,
            history=history,
            listed_at=waits.listed_at,
            journal_unreadable=journal is None,
        )

    def journal(self, lease: Lease, attempt: TurnAttempt, trace: Trace) -> TurnJournal:
        return TurnJournal(self._leases, lease, attempt.journal, trace)

    async def put_reply_once(self, lease: Lease, name: str, make: Callable[[], Reply]) -> bool:
        """Put a reply into the outbox, once a turn for this name; False if that was done before."""
        kept, _ = turn_keys(lease.conversation)
        if await answer(self._redis.hget(kept, name)):
            return False
        reply = make()

        def write(pipeline: Any) -> None:
            pipeline.hset(kept, name, "1")
            reply_queue.put(pipeline, lease.conversation, reply)

        await self._leases.commit(lease, write)
        return True

    async def close_unanswered(self, lease: Lease, batch: MessageBatch, history: History) -> bool:
        """Close a turn whose messages ask for no answer. True when a summary is due."""
        return await self._revisions.end_unanswered(lease, batch, history, done_with=turn_keys(lease.conversation))

    async def close(
        self, lease: Lease, turn: TurnContext, result: TurnResult, trace: Trace, query: Query[T]
    ) -> tuple[bool, T]:
        """Put the reply into the outbox, extend the memory and end every message, in one step.

        Returns whether a summary is due, and the answer of the query after the step.
        """
        parts = composed(result.text, result.offered)
        trace.reply = [part_text(part) for part in parts]
        trace.outcome, _, trace.why = result.state.partition(": ")
        if_taken = None if result.by_code else composed(*result.settled)
        reply = reply_to(turn.messages[-1], turn.contact, trace.turn, parts, if_taken) if parts else None
        new = [*turn.lines]
        if reply:
            new.append(HistoryEntry(role="assistant", text="\n".join(trace.reply), at=datetime.now(UTC)))
        ends = end_states(turn.messages, result, trace.turn)
        failed = trace.outcome == "failed"
        if failed:
            await DeadLetters(self._redis).add_to_index(turn.conversation)
        summary_due = False

        def write(pipeline: Any) -> None:
            nonlocal summary_due
            if reply:
                choices.store(pipeline, turn.conversation, result.offered)
                reply_queue.put(pipeline, turn.conversation, reply)
            history = self._revisions.write(pipeline, turn.conversation, turn.batch, turn.history)
            summary_due = self._memory.extend(pipeline, turn.conversation, history, new)
            for message, perceived in zip(turn.messages, turn.perceived, strict=True):
                text = perceived.perceived.text
                quotable.store(pipeline, turn.conversation, message.id, text, self._memory.ttl_seconds)
                note_media(pipeline, turn.conversation, message)
            ledger.end(pipeline, turn.conversation, ends)
            stream.append(pipeline, closing_entry(turn, ends, trace.turn))
            if failed:
                dead_letters.put(pipeline, turn.conversation, dead_letter_of(turn, trace, result))
            turn.spending.write(pipeline)
            pipeline.delete(*turn_keys(turn.conversation))

        found = await self._leases.commit_and_ask(lease, write, query)
        ledger.ended(ends | turn.batch.ends)
        return summary_due, found


class TurnJournal:
    """The journal of a turn: `earlier` holds the entries of earlier tries, `write` adds one of this try.

    `paused`: whether a colleague had begun to answer when the newest entry was written; None before the first.
    """

    def __init__(
        self, leases: ConversationLeases, lease: Lease, earlier: tuple[JournalEntry, ...], trace: Trace
    ) -> None:
        self.earlier = earlier
        self.paused: bool | None = None
        self._leases = leases
        self._lease = lease
        self._trace = trace

    async def write(self, entry: JournalEntry) -> None:
        if isinstance(entry, ToolResult):
            self._trace.tools.append(entry)
        _, name = turn_keys(self._lease.conversation)

        def write(pipeline: Any) -> None:
            # Under the lease, because a worker that lost it would write into the journal of the next turn.
            pipeline.rpush(name, entry.model_dump_json())

        self.paused = await self._leases.commit_and_ask(self._lease, write, paused(self._lease.conversation))


def _read(entries: list[str]) -> tuple[JournalEntry, ...] | None:
    """The journal's entries; None if this version of Recado can't read one."""
    try:
        return tuple(_entry.validate_json(entry) for entry in entries)
    except ValidationError:
        # Without the journal, the turn would repeat effects that are done already, so it ends.
        _log.error("journal_unreadable", fix="was an older Recado started again on newer data?")
        return None
