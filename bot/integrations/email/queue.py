"""The queue `email`: its jobs checked, composed and sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis

from bot.conversations.contacts import Contact
from bot.infra import queues
from bot.infra.queues import JobRejected
from bot.integrations.email.composer import EmailComposer
from bot.integrations.email.failover import FailoverSender
from bot.integrations.email.jobs import enqueue, mail_job
from bot.integrations.email.suppression import Suppression

EmailOf = Callable[[Contact], Awaitable[str | None]]


class EmailQueue:
    """`email_of` gives the proven address of a contact; None when there is none."""

    def __init__(
        self,
        redis: Redis,
        composer: EmailComposer,
        sender: FailoverSender,
        suppression: Suppression,
        email_of: EmailOf | None = None,
    ) -> None:
        self._redis = redis
        self._composer = composer
        self._sender = sender
        self.suppression = suppression
        self.email_of = email_of or _stored_email

    async def process(self, job: queues.Job) -> None:
        """Work on a job of the queue `email`."""
        if job.name != "send":
            raise JobRejected(f"there is no job {job.name[:40]!r} here; expected send")
        await self.send(job.data, job.key)

    async def order(self, data: dict[str, Any], key: str) -> None:
        """Check a job and add it, once for this key; raises JobRejected when it could never be sent."""
        job, _ = mail_job(data)
        if await self.suppression.why(job.to) is not None:
            raise JobRejected("to: nothing is sent to this address any more, because it refused an e-mail for good")
        await enqueue(self._redis, data, key)

    async def send(self, data: Any, key: str) -> None:
        """Send an e-mail, once for this key.

        Raises JobRejected when it can't be sent, another error when a later try may succeed.
        """
        job, content = mail_job(data)
        await self._sender.send(await self._composer.compose(job, content, key), key)


async def _stored_email(contact: Contact) -> str | None:
    return contact.email
