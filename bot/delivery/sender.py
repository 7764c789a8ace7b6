"""Sender of single messages to Meta: keeps the rate, retries by the error table, resolves unclear outcomes first."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.conversations import ledger, memory
from bot.conversations.lease import Lease
from bot.delivery.policy import SendLater
from bot.delivery.rate_limiter import SendRateLimiter
from bot.delivery.statuses import delivery
from bot.delivery.uploads import Uploads
from bot.infra.crash_points import passing
from bot.infra.logs import masked
from bot.infra.redis import answer
from bot.infra.replicas import FIX, NotReplicated, Replicas
from bot.messages.outbound import Attachment, Part, Picture, Reply, Template, VoiceNote
from bot.storage.storage import StorageFailed
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import MEDIA_REFUSED, PAIR_RATE, RATES, GraphError, MetaUnavailable, Remedy
from bot.whatsapp.rendering import envelope, render
from bot.whatsapp.templates.registry import Prepared, Templates

_log = structlog.get_logger()

# A longer wait releases the worker and the conversation.
PATIENCE_SECONDS = 5.0
# Meta's first status has come this long after the last moment of a possible request.
_STATUS_SECONDS = 2.0
# Tries of a message where Meta is busy or away (20 minutes in all), and where it reports a fault.
_TRIES_AWAY = 8
_TRIES_FAULT = 4
_LONGEST_WAIT_SECONDS = 300.0
_GENERIC_PARAMETER = 131009


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """Part of a reply, and the callback string that Meta returns in its statuses.

    It may leave only while `lease` is ours: the next holder sends the rest.
    """

    lease: Lease
    reply: Reply
    part: Part
    callback: str
    language: str | None = None

    @property
    def conversation(self) -> str:
        return self.lease.conversation

    @property
    def record(self) -> str:
        return delivery(self.conversation, self.callback)


@dataclass(frozen=True, slots=True)
class MessageSender:
    redis: Redis
    graph: Graph
    send_rate: SendRateLimiter
    uploads: Uploads
    templates: Templates
    ttl_seconds: int
    lease_seconds: float
    replicas: Replicas

    async def send(self, outgoing: OutgoingMessage) -> str | None:
        """Send a message; gives its wamid, or None for one that had failed for good already.

        Raises SendLater, or the error it fails with: GraphError, MetaUnavailable, NotSendable, TemplateNotSendable.
        """
        # A message without a number leaves by the default one, and shares its rate with messages that name it.
        number = outgoing.reply.phone_number_id or self.graph.number
        outgoing = replace(outgoing, reply=outgoing.reply.model_copy(update={"phone_number_id": number}))
        before, wait = await self._begin(outgoing)
        wamid: str | None = before.get("wamid")
        if wamid is None and before.get("status") == "failed":
            return None
        if wamid is None and "asked_at" in before:
            # A worker died between the request and the answer. Its request may have been under way until its lease ran
            # out, which is when this worker took over.
            since = max(float(before["asked_at"]), time.time() - self.lease_seconds)
            wamid = await self._find_wamid(outgoing, since=since)
        if wamid is not None:
            return wamid
        wait = max(wait, float(before.get("not_before", "0")) - time.time())
        return await self._ask(outgoing, wait, int(before.get("tries", "0")))

    async def _begin(self, outgoing: OutgoingMessage) -> tuple[dict[str, str], float]:
        """Mark the message as asked; gives its earlier record, and the seconds until it may leave."""
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.hgetall(outgoing.record)
        alone = outgoing.reply.model_copy(update={"parts": (outgoing.part,)})
        asked = {"asked_at": repr(time.time()), "reply": alone.model_dump_json(exclude_none=True)}
        pipeline.hset(outgoing.record, mapping=asked)
        pipeline.expire(outgoing.record, ledger.KEEP_SECONDS)
        self.send_rate.take(pipeline, outgoing.conversation, outgoing.reply.phone_number_id, patience=PATIENCE_SECONDS)
        before, _, _, *waits = await pipeline.execute()
        return before, max(waits) / 1000

    async def _ask(self, outgoing: OutgoingMessage, wait: float, tries: int) -> str:
        anew = outgoing.reply.attempt > 0
        while True:
            try:
                await self._wait(outgoing, wait, "Meta's limits or an earlier refusal")
                passing("outbox: about to ask Meta")
                wamid = await self._once(outgoing, anew=anew)
                passing("outbox: Meta has it, not recorded")
                return wamid  # noqa: TRY300 - what fails above is what is handled below
            except GraphError as error:
                if isinstance(outgoing.part, Picture | Attachment | VoiceNote) and not anew and _of_the_file(error):
                    anew = True
                elif error.remedy is Remedy.RETRY:
                    await self._back_off(outgoing, error, tries)
                    tries += 1
                else:
                    await answer(self.redis.hdel(outgoing.record, "asked_at"))
                    raise
            except (MetaUnavailable, StorageFailed) as error:
                in_doubt = isinstance(error, MetaUnavailable) and error.in_doubt
                if in_doubt and (settled := await self._find_wamid(outgoing, since=time.time())):
                    return settled
                await self._back_off(outgoing, error, tries)
                tries += 1
            _, wait = await self._begin(outgoing)

    async def _once(self, outgoing: OutgoingMessage, *, anew: bool) -> str:
        part, number = outgoing.part, outgoing.reply.phone_number_id
        if isinstance(part, Template):
            return await self.templates.send(part, outgoing.language, lambda filled: self._post(outgoing, filled))
        media_id = None
        if isinstance(part, Picture | Attachment | VoiceNote):
            media_id = await self.uploads.media_id(outgoing.conversation, part, number, anew=anew)
        return await self._hand_over(outgoing, render(part, outgoing.reply, outgoing.callback, media_id))

    async def _post(self, outgoing: OutgoingMessage, filled: Prepared) -> str:
        """Send a template, and store its text for replies that quote it."""
        message = envelope(outgoing.reply, outgoing.callback) | filled.payload
        wamid = await self._hand_over(outgoing, message)
        pipeline = self.redis.pipeline(transaction=True)
        memory.store_quotable(pipeline, outgoing.conversation, wamid, filled.words, self.ttl_seconds)
        await pipeline.execute()
        return wamid

    async def _hand_over(self, outgoing: OutgoingMessage, message: dict[str, Any]) -> str:
        """Ask Meta, within the time that the lease is ours: raises LeaseLost.

        A stopped worker may go on after another one has taken over and sent the message.
        """
        try:
            # Because a failover that loses this record would send the message twice, we wait for a replica.
            await self.replicas.caught_up()
        except NotReplicated as error:
            # A possible second copy is better than silence while a replica is away.
            _log.warning("sent_before_replicated", why=str(error), fix=FIX)
        async with outgoing.lease.bound():
            return await self.graph.send(message, outgoing.reply.phone_number_id)

    async def _back_off(
        self, outgoing: OutgoingMessage, error: GraphError | MetaUnavailable | StorageFailed, tries: int
    ) -> None:
        """Wait as Meta asks for (4^X seconds), or raise SendLater, or the error after the last try."""
        code = error.code if isinstance(error, GraphError) else None
        away = code is None or code in RATES or code == PAIR_RATE
        if tries + 1 >= (_TRIES_AWAY if away else _TRIES_FAULT):
            await answer(self.redis.hdel(outgoing.record, "asked_at"))
            raise error
        if code == PAIR_RATE:
            seconds = await self.send_rate.hold_person(outgoing.conversation)
        elif code in RATES:
            seconds = await self.send_rate.hold_number(outgoing.reply.phone_number_id)
        else:
            seconds = min(4.0**tries, _LONGEST_WAIT_SECONDS)
        record = {"tries": str(tries + 1), "not_before": repr(time.time() + seconds)}
        await answer(self.redis.hset(outgoing.record, mapping=record))
        _log.warning("reply_retried", tries=tries + 1, seconds=seconds, error=str(error))
        await self._wait(outgoing, seconds, str(error))

    async def _wait(self, outgoing: OutgoingMessage, seconds: float, why: str) -> None:
        if seconds > PATIENCE_SECONDS:
            await answer(self.redis.hdel(outgoing.record, "asked_at"))
            raise SendLater(seconds, why)
        await asyncio.sleep(max(seconds, 0))

    async def _find_wamid(self, outgoing: OutgoingMessage, *, since: float) -> str | None:
        """Wait for the status of a message whose answer was lost; None where Meta did not take it."""
        while True:
            wamid: str | None = await answer(self.redis.hget(outgoing.record, "wamid"))
            if wamid is not None or time.time() > since + self.lease_seconds + _STATUS_SECONDS:
                _log.info("delivery_settled", accepted=wamid is not None, message=masked(outgoing.callback))
                return wamid
            await asyncio.sleep(0.25)


def _of_the_file(error: GraphError) -> bool:
    """Whether Meta refuses or has lost the upload: another upload can help, once."""
    return error.code in (MEDIA_REFUSED, _GENERIC_PARAMETER)
