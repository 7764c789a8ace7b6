"""Jobs of the queue `email`: added by us and by other services, and checked."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from redis.asyncio import Redis

from bot.infra import queues
from bot.infra.queues import JobRejected
from bot.integrations.email.provider import address
from bot.integrations.email.templates import TEMPLATES, EmailTemplate, Template

# A provider's outage outlasts our usual retries: these are nine, from 5 seconds up, 43 minutes in all.
_ATTEMPTS, _FIRST_WAIT_SECONDS = 10, 5.0


class AttachmentJob(BaseModel):
    """A stored file to attach; `file` is its key in the storage."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    file: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    filename: Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]{1,150}$")]
    mime: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]{0,100}$")] = "application/octet-stream"


class MailJob(BaseModel):
    """Data of a job `send`. `data` are the values of the template; only our own tools attach files."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    to: Annotated[str, AfterValidator(address)]
    template: Template
    data: dict[str, Any]
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z]{2})?$")] | None = None
    attachments: Annotated[tuple[AttachmentJob, ...], Field(max_length=10)] = ()


def mail_job(data: Any) -> tuple[MailJob, EmailTemplate]:
    """Check data from outside. Raises JobRejected with the reasons, and without the values."""
    try:
        job = MailJob.model_validate(data)
    except ValidationError as error:
        # pydantic's error repeats the names of fields, which come from outside too. It is cut off.
        raise JobRejected(_reasons(error)) from None
    try:
        return job, TEMPLATES[job.template].model_validate(job.data)
    except ValidationError as error:
        raise JobRejected(_reasons(error, "data")) from None


def _reasons(error: ValidationError, *place: str) -> str:
    """A sentence for each field. A field's name comes from outside too, so that only a plain one is repeated."""
    sentences = []
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        where = ".".join(map(str, (*place, *problem["loc"]))) or "data"
        where = where if re.fullmatch(r"[\w.-]{1,60}", where) else "a field"
        sentences.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}")
    return "; ".join(sentences)


async def enqueue(redis: Redis, data: dict[str, Any], key: str) -> None:
    """Add a job `send`, once for this key, that outlasts an outage. It is not checked: see `EmailQueue.order`."""
    await queues.add(redis, "email", "send", data, key, attempts=_ATTEMPTS, wait_seconds=_FIRST_WAIT_SECONDS)
