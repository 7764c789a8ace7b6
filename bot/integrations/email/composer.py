"""Turns a job of the queue `email` into the e-mail that leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.infra.queues import JobRejected
from bot.integrations.email.jobs import AttachmentJob, MailJob
from bot.integrations.email.provider import Mail, MailAttachment
from bot.integrations.email.rendering import EmailRenderer
from bot.integrations.email.templates import EmailTemplate
from bot.messages.language import Language
from bot.storage.storage import NotStored, Storage, WrongKey

# SendGrid takes 30 MB with everything in base64, which makes four bytes of three.
LARGEST_ATTACHMENTS = 20 * 1024 * 1024

BusinessName = Callable[[], Awaitable[str]]


class EmailComposer:
    """`business` gives the name to sign with. It is asked for each e-mail, because a release may change it."""

    def __init__(
        self, storage: Storage, *, business: BusinessName, sender_domain: str, default_language: Language = "es"
    ) -> None:
        self._storage = storage
        self._business = business
        self._sender_domain = sender_domain
        self._default_language = default_language
        self._renderer = EmailRenderer()

    async def compose(self, job: MailJob, content: EmailTemplate, key: str) -> Mail:
        """The e-mail of a job, with the same Message-ID for the same key; raises JobRejected without its files."""
        business = await self._business()
        rendered = self._renderer.render(job.template, content, self._language(job.language), business)
        digest = hashlib.sha256(f"email:{key}".encode()).hexdigest()[:32]
        return Mail(
            to=job.to,
            sender_name=business,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            message_id=f"<{digest}@{self._sender_domain}>",
            sent_at=datetime.now(UTC),
            attachments=await self._attachments(job.attachments),
        )

    def _language(self, language: str | None) -> Language:
        match (language or "")[:2].lower():
            case "es":
                return "es"
            case "en":
                return "en"
        return self._default_language

    async def _attachments(self, jobs: tuple[AttachmentJob, ...]) -> tuple[MailAttachment, ...]:
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
