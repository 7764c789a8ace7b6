"""Notifications without a question before them (templates of other services, texts of ours): each sent once."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from bot.conversations import ledger
from bot.conversations.contacts import Contacts
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, kept_renewed
from bot.conversations.memory import HistoryEntry, Memory
from bot.delivery import reply_queue
from bot.delivery.outbox import Outbox
from bot.delivery.outbox_state import Sent
from bot.infra import queues
from bot.infra.crash_points import passing
from bot.infra.logs import masked
from bot.infra.queues import JobRejected
from bot.infra.redis import answer, key
from bot.infra.validation import checked_job
from bot.messages.outbound import Reply, Say, Template
from bot.whatsapp.limits import fit
from bot.whatsapp.phone_numbers import address_of
from bot.whatsapp.templates.registry import TemplateNotSendable, Templates

_log = structlog.get_logger()
_TRIES = 3


class TemplateJob(BaseModel):
    """The data of a job `template`: `to` is a phone or a BSUID, `parameters` have the template's own names."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    to: str
    template: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}([_-][A-Z]{2})?$")] | None = None
    parameters: dict[str, str] = Field(default_factory=dict)

    @property
    def part(self) -> Template:
        return Template(name=self.template, language=self.language, parameters=self.parameters)


def template_job(data: dict[str, Any]) -> TemplateJob:
    """Check data from outside; raises JobRejected with what is wrong, and without the values."""
    job = checked_job(TemplateJob, data)
    if address_of(job.to) == (None, None):
        raise JobRejected("to: expected a phone with its country's digits, or a BSUID such as MX.8801234567890123")
    return job


class Notifications:
    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators
        self,
        redis: Redis,
        leases: ConversationLeases,
        contacts: Contacts,
        memory: Memory,
        outbox_: Outbox,
        templates: Templates,
    ) -> None:
        self._redis = redis
        self._leases = leases
        self._contacts = contacts
        self._memory = memory
        self._outbox = outbox_
        self._templates = templates

    async def process(self, task: queues.Job) -> None:
        """Work on a job `template` of the queue `notification`."""
        await self.send(template_job(task.data), task.key)

    async def enqueue(self, job: TemplateJob, key_: str) -> None:
        """Add the job to the queue, if its template can be sent; raises TemplateNotSendable."""
        await self._templates.prepare(job.part, None)
        await queues.add(self._redis, "notification", "template", job.model_dump(exclude_none=True), key_)

    async def send(self, job: TemplateJob, key_: str) -> None:
        """Send a template, once for this key; raises JobRejected when it can't leave or Meta refuses it."""
        phone, bsuid = address_of(job.to)
        conversation = await self._contacts.find_or_create(phone=phone, bsuid=bsuid)
        contact = await self._contacts.get(conversation)
        part = job.part
        reply = Reply(id=f"n_{masked(key_)}", parts=(part,), phone=contact.phone or phone, bsuid=contact.bsuid or bsuid)
        queued_key = key(conversation, "noticed", reply.id)
        prepared = None
        if not await answer(self._redis.exists(queued_key)):
            try:
                prepared = await self._templates.prepare(part, contact.language)
            except TemplateNotSendable as error:
                raise JobRejected(str(error)) from error
        sent = await self._delivered(conversation, reply, queued_key, prepared.words if prepared else None)
        failed = next((outcome.error for outcome in sent if outcome.reply.id == reply.id and outcome.given_up), None)
        if failed:
            raise JobRejected(f"Meta did not take it: {failed}")

    async def send_text(
        self, conversation: str, text: str, key_: str, fallback: Template | None = None, *, stops: bool = False
    ) -> None:
        """Send a text, once for this key.

        While the 24-hour window is closed the fallback leaves instead; without one the text waits for the person. One
        that `stops` does not leave once an operator has the conversation.
        """
        contact = await self._contacts.get(conversation)
        parts = fit([Say.model_construct(body=text)])
        reply = Reply(id=f"n_{masked(key_)}", parts=parts, fallback=fallback, phone=contact.phone, bsuid=contact.bsuid)
        reply = reply.model_copy(update={"if_taken": ()}) if stops else reply
        queued_key = key(conversation, "noticed", reply.id)
        new = not await answer(self._redis.exists(queued_key))
        await self._delivered(conversation, reply, queued_key, text if new else None)

    async def _delivered(self, conversation: str, reply: Reply, queued_key: str, text: str | None) -> list[Sent]:
        for _ in range(_TRIES):
            try:
                return await self._under_lease(conversation, reply, queued_key, text)
            except* LeaseLost:
                _log.warning("lease_lost", conversation=conversation)
        raise LeaseLost(conversation)

    async def _under_lease(self, conversation: str, reply: Reply, queued_key: str, text: str | None) -> list[Sent]:
        lease = Lease(conversation, secrets.token_hex(8))
        while not await self._leases.acquire(lease):  # noqa: ASYNC110 - another process holds it: there is no event
            await asyncio.sleep(0.25)
        try:
            async with kept_renewed(self._leases, lease):
                if text is not None and not await answer(self._redis.exists(queued_key)):
                    await self._put(lease, reply, queued_key, text)
                sent = await self._outbox.flush(lease)
                passing("notice: sent, job not done")
                return sent
        finally:
            # Abandoned and not released, because a message that came meanwhile has a job, which waits for the lease.
            await self._leases.abandon(lease)

    async def _put(self, lease: Lease, reply: Reply, queued_key: str, words: str) -> None:
        """Put it into the outbox and into the memory, because an answer refers to its text."""
        before = await self._memory.recall(lease.conversation)
        entry = HistoryEntry(role="assistant", text=words, at=datetime.now(UTC))

        def write(pipeline: Any) -> None:
            pipeline.set(queued_key, "1", ex=ledger.KEEP_SECONDS)
            reply_queue.put(pipeline, lease.conversation, reply, words=words)
            self._memory.extend(pipeline, lease.conversation, before, [entry])

        await self._leases.commit(lease, write)
