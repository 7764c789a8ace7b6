"""Keeping a conversation while a piece of work lasts: its lease is renewed beside the work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from redis.exceptions import RedisError

from bot.inbox import Desk, Lease, LeaseLost

_log = structlog.get_logger()


@asynccontextmanager
async def held(desk: Desk, lease: Lease) -> AsyncIterator[None]:
    """Renew a lease that was taken while the block lasts; letting go of it is the block's own business.

    Where it goes to another, or can't be renewed before it runs out, the block is cancelled; raises a group of
    LeaseLost then, and a group of whatever the block raises.
    """
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold(desk, lease, over))
        try:
            yield
        finally:
            # Told, and not cancelled: redis-py loses cancellations (see bot.redis.ended), and then the lease would
            # be renewed for ever, and the conversation never be anybody's again.
            over.set()


async def hold(desk: Desk, lease: Lease, over: asyncio.Event) -> None:
    """Renew a lease until `over`; raises LeaseLost when it went to another, or can't be renewed before it runs out."""
    deadline = time.monotonic() + desk.lease_seconds
    while not over.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(desk.lease_seconds / 3):
                await over.wait()
                return
        try:
            await desk.renew(lease)
        except LeaseLost:
            # The block itself may have let go in the meantime.
            if not over.is_set():
                raise
        except (RedisError, OSError) as error:
            _log.warning("lease_not_renewed", error=type(error).__name__)
            if time.monotonic() > deadline:
                raise LeaseLost(lease.conversation) from error
        else:
            deadline = time.monotonic() + desk.lease_seconds
