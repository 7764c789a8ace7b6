"""Who works on a conversation: one worker at a time, from its first waiting message until nothing waits any more."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, held
from bot.conversations.waiting_list import WaitingList
from bot.delivery.outbox import Outbox
from bot.infra.crash_points import passing
from bot.messages.inbound import Inbound
from bot.turns.merge import ConversationMerger

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConversationRunner:
    """`take_turn` answers what waits; it is called again for what came meanwhile."""

    leases: ConversationLeases
    waiting_list: WaitingList
    outbox: Outbox
    merger: ConversationMerger
    take_turn: Callable[[Lease, list[Inbound]], Awaitable[None]]

    async def work(self, conversation: str) -> None:
        """Work on a conversation until nothing waits in it. Whoever else has it, is waited for."""
        lease = Lease(conversation, secrets.token_hex(8))
        await self._take(lease)
        home, pending = await self.merger.state(conversation)
        if home == conversation:
            await self._hold(lease, pending)
        else:
            # What was sent from here may still fail, and is sent again from here.
            await self._hold(lease, pending)
            await self.work(home)
            await self.waiting_list.forget(conversation)

    async def _take(self, lease: Lease) -> None:
        while not await self.leases.take(lease):  # noqa: ASYNC110 - another process holds it: there is no event
            await asyncio.sleep(0.25)
        passing("turn: conversation taken")

    async def _hold(self, lease: Lease, pending: list[str]) -> bool:
        """Work with a lease that was taken; False when it went to another worker."""
        released = False
        try:
            async with held(self.leases, lease):
                await self._until_quiet(lease, pending)
                released = True
        except* LeaseLost:
            _log.warning("lease_lost", conversation=lease.conversation)
        finally:
            if not released:
                await self.leases.abandon(lease)
        return released

    async def _until_quiet(self, lease: Lease, pending: list[str]) -> None:
        await self._join(lease, pending)
        await self.outbox.flush(lease)
        waiting = await self.waiting_list.messages(lease.conversation)
        while waiting or not await self._let_go(lease):
            if waiting:
                await self.take_turn(lease, waiting)
            else:
                await self._join(lease, (await self.merger.state(lease.conversation))[1])
            waiting = [] if waiting else await self.waiting_list.messages(lease.conversation)

    async def _let_go(self, lease: Lease) -> bool:
        passing("turn: about to let go")
        return await self.leases.release(lease)

    async def _join(self, lease: Lease, pending: list[str]) -> None:
        """Take in the conversations that turned out to be of the same person, once nothing waits in them."""
        for name in pending:
            other = Lease(name, lease.token)
            await self._take(other)
            if not await self._hold(other, (await self.merger.state(name))[1]):
                raise LeaseLost(name)
            await self.merger.take_in(lease, name)
