"""Merging two conversations of one person: the data of the younger move into the older."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from heapq import merge
from operator import attrgetter
from typing import Any

from redis.asyncio import Redis

from bot.conversations import assignment, contacts, dead_letters, identity, ledger
from bot.conversations.identity import current_name, merged_into_key, to_merge_key
from bot.conversations.lease import ConversationLeases, Lease
from bot.conversations.memory import History, HistoryEntry, Memory
from bot.delivery import reply_queue
from bot.history import stream
from bot.history.entries import ConversationMerged
from bot.infra.queries import Query, ask
from bot.integrations.push import subscriptions


class ConversationMerger:
    """The worker's half of a merge: bot.conversations.identity has decided which conversation joins which.

    Deliveries and quotable texts are addressed by the old name, so they stay under it until they expire.
    `Contact.earlier` lists the old names.
    """

    def __init__(self, redis: Redis, leases: ConversationLeases, memory: Memory) -> None:
        self._redis = redis
        self._leases = leases
        self._memory = memory

    async def state(self, conversation: str) -> tuple[str, list[str]]:
        """The conversation that this one has become, mostly itself; and those that have to join it, oldest first."""
        moved_, pending = await ask(self._redis, self.query(conversation))
        return (await current_name(self._redis, conversation) if moved_ else conversation), pending

    @staticmethod
    def query(conversation: str) -> Query[tuple[bool, list[str]]]:
        """Whether a conversation has joined another; and those that still have to join it, oldest first."""
        commands = (("GET", merged_into_key(conversation)), ("SMEMBERS", to_merge_key(conversation)))
        return Query(commands, lambda found: (bool(found[0]), sorted(found[1])))

    async def absorb(self, lease: Lease, name: str) -> None:
        """Move the data of an idle conversation here in one step, then delete them there."""
        home = lease.conversation
        both = _one_memory(await self._memory.recall(home), await self._memory.recall(name))
        mine, theirs = await contacts.record_of(self._redis, home), await contacts.record_of(self._redis, name)
        entries = await ledger.raw(self._redis, name)
        browsers = await subscriptions.stored(self._redis, name)
        failed = await dead_letters.raw_entries(self._redis, name)
        if failed:
            await dead_letters.DeadLetters(self._redis).add_to_index(home)
        unsent = await reply_queue.raw_replies(self._redis, name)
        assigned = await assignment.raw_of(self._redis, (home, name))

        def write(pipeline: Any) -> None:
            self._memory.replace(pipeline, home, both)
            contacts.adopt(pipeline, home, mine, theirs, name)
            ledger.adopt(pipeline, home, entries)
            subscriptions.adopt(pipeline, home, browsers)
            dead_letters.adopt(pipeline, home, failed)
            reply_queue.adopt(pipeline, home, unsent)
            assignment.adopt(pipeline, home, *assigned)
            pipeline.srem(to_merge_key(home), name)
            joined = ConversationMerged(id=name, conversation=home, at=datetime.now(UTC), source=name)
            stream.append(pipeline, joined)

        await self._leases.commit(lease, write)
        await self._memory.forget(name)
        leftovers = (
            *ledger.keys(name),
            *contacts.keys(name),
            *identity.keys(name),
            reply_queue.replies_key(name),
            subscriptions.browsers_key(name),
            dead_letters.entries_key(name),
            assignment.assignment_key(name),
        )
        await self._redis.delete(*leftovers)


def _one_memory(mine: History, theirs: History) -> History:
    summary = "\n".join(filter(None, (mine.summary, theirs.summary)))
    return History(summary, _in_order(mine.unsummarised, theirs.unsummarised), _in_order(mine.recent, theirs.recent))


def _in_order(*lists: Iterable[HistoryEntry]) -> tuple[HistoryEntry, ...]:
    """Merge entries by time; those of one conversation keep their order."""
    return tuple(merge(*lists, key=attrgetter("at")))
