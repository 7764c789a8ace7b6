"""Delivery of notifications: each is sent once and immediately, unless a fault batches, reverses or repeats it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.meta.chats import Chats
from sandbox.meta.faults import MetaFault, MetaFaults
from sandbox.meta.parties import Business
from sandbox.meta.webhooks import NotificationSender, Value, encode, envelope


@dataclass(kw_only=True)
class NotificationDelivery:
    """The way of a notification to its sender; notifications that a fault holds back wait here."""

    business: Business
    chats: Chats
    faults: MetaFaults
    clock: Callable[[], datetime]
    duplicate: bool = False
    subscribed: bool = True
    _sender: NotificationSender | None = None
    _batch: list[Value] = field(default_factory=list)
    _reversed_first: list[Value] = field(default_factory=list)

    @property
    def sender(self) -> NotificationSender:
        if self._sender is None:
            raise RuntimeError("Meta is not started")
        return self._sender

    def open(self, courier: NotificationSender) -> None:
        self._sender = courier

    async def deliver(self, values: Sequence[Value], field_name: str = "messages") -> bool:
        """Send the values in one notification; returns whether it was taken now, False while it is held back."""
        if not self.subscribed:
            return False
        if field_name == "messages" and (batch := self.faults.active("batch")):
            self._batch.extend(values)
            batch.held = sum(len(value.get("messages", ())) for value in self._batch)
            self.faults.on_change()
            return False
        if _has_messages(values) and self.faults.take("reverse"):
            if not self._reversed_first:
                self._reversed_first = list(values)
                return False
            taken = await self._send(values, field_name)
            await self._send_reversed_first()
            return taken
        return await self._send(values, field_name)

    async def release(self) -> None:
        """Send the notifications that no fault holds back any more."""
        if not self.faults.active("reverse"):
            await self._send_reversed_first()
        if self._batch and not self.faults.active("batch"):
            values, self._batch = self._batch, []
            await self._send(values, "messages")

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Collect the notifications of this context and send them at its end as one."""
        self.faults.plan(MetaFault("batch", times=None))
        try:
            yield
        finally:
            self.faults.cancel("batch")
        await self.release()

    async def _send_reversed_first(self) -> None:
        if self._reversed_first:
            values, self._reversed_first = self._reversed_first, []
            await self._send(values, "messages")

    async def _send(self, values: Sequence[Value], field_name: str) -> bool:
        at = None if field_name == "messages" else self.clock()
        notification = envelope(self.business, values, field_name, at)
        taken = await self.sender.send(encode(notification))
        for message in (message for value in values if taken for message in value.get("messages", ())):
            self.chats.acknowledge(message["id"])
        if self.duplicate or (_has_messages(values) and self.faults.take("twice")):
            await self.sender.send(encode(notification, spaced=True))
        return taken


def _has_messages(values: Sequence[Value]) -> bool:
    return any("messages" in value for value in values)
