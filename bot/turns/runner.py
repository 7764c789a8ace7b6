"""Work on a conversation: one worker at a time, from its first waiting message to its last."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot.conversations.identity import home_of
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, held
from bot.conversations.waiting_list import WaitingList
from bot.delivery.outbox import Outbox
from bot.infra.crash_points import passing
from bot.infra.queries import ask
from bot.turns.merge import ConversationMerger
from bot.turns.opening import Opening, Openings

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConversationRunner:
    """`take_turn` answers the waiting messages; it returns True if its last write released the lease."""

    redis: Redis
    leases: ConversationLeases
    openings: Openings
    outbox: Outbox
    merger: ConversationMerger
    take_turn: Callable[[Lease, Opening], Awaitable[bool]]

    async def work(self, conversation: str) -> None:
        """Work on a conversation until no message waits. If another worker holds it, wait for that one."""
        lease = Lease(conversation, secrets.token_hex(8))
        opening = await self._take(lease)
        # Also for a conversation that moved, because messages sent from it may still fail, and are resent from it.
        await self._hold(lease, opening)
        if opening.has_moved:
            await self.work(await home_of(self.redis, conversation))
            await WaitingList(self.redis).forget(conversation)

    async def _take(self, lease: Lease) -> Opening:
        query = self.openings.query(lease.conversation)
        while True:
            is_taken, opening = await self.leases.take_and_ask(lease, query)
            if is_taken:
                passing("turn: conversation taken")
                return opening
            # No event tells that another process has released the lease, so we poll.
            await asyncio.sleep(0.25)

    async def _hold(self, lease: Lease, opening: Opening) -> bool:
        """Work with a lease that was taken; False if another worker got the lease meanwhile."""
        released = False
        try:
            async with held(self.leases, lease):
                await self._until_quiet(lease, opening)
                released = True
        except* LeaseLost:
            _log.warning("lease_lost", conversation=lease.conversation)
        finally:
            if not released:
                await self.leases.abandon(lease)
        return released

    async def _until_quiet(self, lease: Lease, opening: Opening) -> None:
        """Take turns until no message waits, then release the lease."""
        while True:
            joined = await self._join(lease, opening.to_join)
            if not opening.outbox.is_empty:
                await self.outbox.send(lease, opening.outbox)
            if joined:
                opening = await self._read_opening(lease)
            if opening.waiting.messages:
                if await self.take_turn(lease, opening):
                    return
            elif await self._let_go(lease):
                return
            opening = await self._read_opening(lease)

    async def _read_opening(self, lease: Lease) -> Opening:
        return await ask(self.redis, self.openings.query(lease.conversation))

    async def _let_go(self, lease: Lease) -> bool:
        passing("turn: about to let go")
        return await self.leases.release(lease)

    async def _join(self, lease: Lease, names: list[str]) -> bool:
        """Merge the conversations that turned out to be of the same person, after their own waiting messages."""
        for name in names:
            other = Lease(name, lease.token)
            if not await self._hold(other, await self._take(other)):
                raise LeaseLost(name)
            await self.merger.take_in(lease, name)
        return bool(names)
