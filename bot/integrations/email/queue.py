"""The queue `email`: its jobs checked, written out as letters and sent."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from redis.asyncio import Redis

from bot.conversations.contacts import Contact
from bot.infra import queues
from bot.infra.queues import JobRejected
from bot.infra.validation import checked_job
from bot.integrations.email.failover import FailoverSender
from bot.integrations.email.provider import Mail, MailAttachment, address
from bot.integrations.email.rendering import EmailRenderer
from bot.integrations.email.suppression import Suppression
from bot.integrations.email.templates import LETTERS, EmailTemplate, Template
from bot.messages.language import Language, language_from
from bot.storage.storage import NotStored, Storage, WrongKey

# SendGrid takes 30 MB with everything in base64, which makes four bytes of three.
LARGEST_ATTACHMENTS = 20 * 1024 * 1024
# An outage of a provider lasts longer than a job of ours waits by itself: nine waits from 5 seconds up, 43 minutes.
_ATTEMPTS, _FIRST_WAIT_SECONDS = 10, 5.0

EmailOf = Callable[[Contact], Awaitable[str | None]]
BusinessName = Callable[[], Awaitable[str]]


class AttachmentJob(BaseModel):
    """A stored file to attach; `file` is its key in the storage."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    file: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    filename: Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]{1,150}$")]
    mime: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]{0,100}$")] = "application/octet-stream"


class MailJob(BaseModel):
    """The data of a job `send`; `data` are the template's values, `attachments` are for our own tools."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    to: Annotated[str, AfterValidator(address)]
    template: Template
    data: dict[str, Any]
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z]{2})?$")] | None = None
    attachments: Annotated[tuple[AttachmentJob, ...], Field(max_length=10)] = ()


def mail_job(data: Any) -> tuple[MailJob, EmailTemplate]:
    """Check data from outside; raises JobRejected with what is wrong, and without the values."""
    job = checked_job(MailJob, data)
    return job, checked_job(LETTERS[job.template], job.data, within="data")


async def enqueue(redis: Redis, data: dict[str, Any], key: str) -> None:
    """Add a job `send`, once for this key, that outlasts an outage. Whoever promises the mail uses `Mailroom.order`."""
    await queues.add(redis, "email", "send", data, key, attempts=_ATTEMPTS, wait_seconds=_FIRST_WAIT_SECONDS)


class EmailQueue:
    """`business` tells the name to sign with, asked for each letter: a release may have given it another.

    `email_of` tells the address that is proven to be a contact's own; None when there is none.
    """

    def __init__(  # noqa: PLR0913 - what a letter needs on its way
        self,
        redis: Redis,
        post: FailoverSender,
        suppression: Suppression,
        storage: Storage,
        *,
        business: BusinessName,
        sender_domain: str,
        default_language: Language = "es",
        email_of: EmailOf | None = None,
    ) -> None:
        self._redis = redis
        self._post = post
        self.suppression = suppression
        self._storage = storage
        self._business = business
        self._sender_domain = sender_domain
        self._default_language = default_language
        self._renderer = EmailRenderer()
        self.email_of = email_of or _kept

    async def process(self, task: queues.Job) -> None:
        """Work on a job of the queue `email`."""
        if task.name != "send":
            raise JobRejected(f"there is no job {task.name[:40]!r} here; expected send")
        await self.send(task.data, task.key)

    async def order(self, data: dict[str, Any], key: str) -> None:
        """Add a job to the queue, once for this key, after a look at it; raises Unfit when it could never leave."""
        job, _ = mail_job(data)
        if await self.suppression.why(job.to) is not None:
            raise JobRejected("to: nothing is sent to this address any more, because it refused an e-mail for good")
        await enqueue(self._redis, data, key)

    async def send(self, data: Any, key: str) -> None:
        """Send a letter, once for this key; raises Unfit when it can't leave, another error when it may later."""
        job, letter = mail_job(data)
        business = await self._business()
        written = self._renderer.write(
            job.template, letter, language_from(job.language, self._default_language), business
        )
        digest = hashlib.sha256(f"email:{key}".encode()).hexdigest()[:32]
        mail = Mail(
            to=job.to,
            sender_name=business,
            subject=written.subject,
            text=written.text,
            html=written.html,
            message_id=f"<{digest}@{self._sender_domain}>",
            sent_at=datetime.now(UTC),
            attachments=await self._attached(job.attachments),
        )
        await self._post.send(mail, key)

    async def _attached(self, jobs: tuple[AttachmentJob, ...]) -> tuple[MailAttachment, ...]:
        attached, size = [], 0
        for number, job in enumerate(jobs):
            try:
                data = await self._storage.get(job.file)
            except (NotStored, WrongKey) as error:
                raise JobRejected(f"attachments.{number}.file: there is no such file") from error
            size += len(data)
            if size > LARGEST_ATTACHMENTS:
                raise JobRejected(f"attachments: larger than {LARGEST_ATTACHMENTS // 1024**2} MB together")
            attached.append(MailAttachment(job.filename, job.mime, data))
        return tuple(attached)


async def _kept(contact: Contact) -> str | None:
    return contact.email
