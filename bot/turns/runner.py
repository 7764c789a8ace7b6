"""Work on a conversation: one worker at a time, from its first waiting message to its last."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot.conversations.identity import current_name
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, kept_renewed
from bot.conversations.waiting_list import WaitingList
from bot.delivery.outbox import Outbox
from bot.infra.crash_points import passing
from bot.infra.queries import ask
from bot.turns.merge import ConversationMerger
from bot.turns.snapshot import ConversationSnapshot, SnapshotReader

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConversationRunner:
    """`process_turn` answers the waiting messages; it returns True if it released the lease."""

    redis: Redis
    leases: ConversationLeases
    snapshots: SnapshotReader
    outbox: Outbox
    merger: ConversationMerger
    process_turn: Callable[[Lease, ConversationSnapshot], Awaitable[bool]]

    async def work(self, conversation: str) -> None:
        """Work on a conversation until no message waits. If another worker holds it, wait for that one."""
        lease = Lease(conversation, secrets.token_hex(8))
        snapshot = await self._acquire(lease)
        # Before any answer, because a merge that died in its middle is completed by asking where it leads.
        home = await current_name(self.redis, conversation) if snapshot.has_merged else conversation
        # Also for a conversation that was merged, because messages sent from it may still fail, and are resent from it.
        await self._work_under(lease, snapshot)
        if snapshot.has_merged:
            await self.work(home)
            await WaitingList(self.redis).forget(conversation)

    async def _acquire(self, lease: Lease) -> ConversationSnapshot:
        query = self.snapshots.query(lease.conversation)
        while True:
            is_taken, snapshot = await self.leases.acquire_and_ask(lease, query)
            if is_taken:
                passing("turn: conversation taken")
                return snapshot
            # No event tells that another process has released the lease, so we poll.
            await asyncio.sleep(0.25)

    async def _work_under(self, lease: Lease, snapshot: ConversationSnapshot) -> bool:
        """Work with a lease that was taken; False if another worker got the lease meanwhile."""
        released = False
        try:
            async with kept_renewed(self.leases, lease):
                await self._until_empty(lease, snapshot)
                released = True
        except* LeaseLost:
            _log.warning("lease_lost", conversation=lease.conversation)
        finally:
            if not released:
                await self.leases.abandon(lease)
        return released

    async def _until_empty(self, lease: Lease, snapshot: ConversationSnapshot) -> None:
        """Process turns until no message waits, then release the lease."""
        while True:
            merged = await self._merge(lease, snapshot.to_merge)
            if not snapshot.outbox.is_empty:
                await self.outbox.send(lease, snapshot.outbox)
            if merged:
                snapshot = await self._read_snapshot(lease)
            if snapshot.waiting.messages:
                if await self.process_turn(lease, snapshot):
                    return
            elif await self._release(lease):
                return
            snapshot = await self._read_snapshot(lease)

    async def _read_snapshot(self, lease: Lease) -> ConversationSnapshot:
        return await ask(self.redis, self.snapshots.query(lease.conversation))

    async def _release(self, lease: Lease) -> bool:
        passing("turn: about to let go")
        return await self.leases.release(lease)

    async def _merge(self, lease: Lease, names: list[str]) -> bool:
        """Merge the conversations that turned out to be of the same person, after their own waiting messages."""
        for name in names:
            other = Lease(name, lease.token)
            if not await self._work_under(other, await self._acquire(other)):
                raise LeaseLost(name)
            await self.merger.absorb(lease, name)
        return bool(names)
