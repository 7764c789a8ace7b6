"""Sender of single messages to Meta: keeps the rate, retries by the error table, resolves unclear outcomes first."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.conversations import ledger, quotable
from bot.conversations.assignment import ConversationTaken, permit, permit_key, put_permit
from bot.conversations.lease import Lease
from bot.delivery.policy import SendLater
from bot.delivery.rate_limiter import SendRateLimiter
from bot.delivery.statuses import delivery
from bot.delivery.uploads import Uploads
from bot.infra.crash_points import passing
from bot.infra.locks import delete_if_equal
from bot.infra.logs import masked
from bot.infra.redis import answer, shielded
from bot.infra.replicas import FIX, NotReplicated, Replicas
from bot.messages.outbound import Filed, Part, Reply, Template
from bot.storage.storage import StorageFailed
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import MEDIA_REFUSED, PAIR_RATE, PARAMETER_INVALID, RATES, GraphError, MetaUnavailable, Remedy
from bot.whatsapp.rendering import envelope, render
from bot.whatsapp.templates.registry import Prepared, Templates

_log = structlog.get_logger()

# A longer wait releases the worker and the conversation.
LONGEST_WAIT_SECONDS = 5.0
# Meta's first status has come this long after the last moment of a possible request.
_STATUS_SECONDS = 2.0
# Tries of a message where Meta is busy or away (20 minutes in all), and where it reports a fault.
_TRIES_AWAY = 8
_TRIES_FAULT = 4
_LONGEST_BACK_OFF_SECONDS = 300.0


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

    @property
    def needs_permit(self) -> bool:
        """Whether an operator who takes the conversation stops it."""
        return self.reply.if_taken is not None


@dataclass(frozen=True, slots=True)
class _Begun:
    """The earlier record of a message, the seconds until it may leave, and whether it may leave at all."""

    record: dict[str, str]
    wait: float
    permitted: bool


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

        Raises SendLater, ConversationTaken, or the error it fails with: GraphError, MetaUnavailable, NotSendable,
        TemplateNotSendable. The caller's record of a sent message also ends its permit.
        """
        try:
            return await self._send(outgoing)
        except BaseException:
            if outgoing.needs_permit:
                await shielded(self._end_permit(outgoing))
            raise

    async def _send(self, outgoing: OutgoingMessage) -> str | None:
        # A message without a number leaves by the default one, and shares its rate with messages that name it.
        number = outgoing.reply.phone_number_id or self.graph.number
        outgoing = replace(outgoing, reply=outgoing.reply.model_copy(update={"phone_number_id": number}))
        begun = await self._begin(outgoing)
        record = begun.record
        wamid: str | None = record.get("wamid")
        if wamid is None and record.get("status") == "failed":
            return None
        if wamid is None and "asked_at" in record:
            # A worker died between the request and the answer. Its request may have been under way until its lease ran
            # out, which is when this worker took over.
            since = max(float(record["asked_at"]), time.time() - self.lease_seconds)
            wamid = await self._find_wamid(outgoing, since=since)
        if wamid is not None:
            return wamid
        wait = max(begun.wait, float(record.get("not_before", "0")) - time.time())
        return await self._ask(outgoing, replace(begun, wait=wait), int(record.get("tries", "0")))

    async def _begin(self, outgoing: OutgoingMessage) -> _Begun:
        """Mark the message as asked, and get its permit."""
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.hgetall(outgoing.record)
        alone = outgoing.reply.model_copy(update={"parts": (outgoing.part,)})
        asked = {"asked_at": repr(time.time()), "reply": alone.model_dump_json(exclude_none=True)}
        pipeline.hset(outgoing.record, mapping=asked)
        pipeline.expire(outgoing.record, ledger.KEEP_SECONDS)
        self.send_rate.reserve(
            pipeline, outgoing.conversation, outgoing.reply.phone_number_id, longest_wait=LONGEST_WAIT_SECONDS
        )
        if outgoing.needs_permit:
            put_permit(pipeline, outgoing.conversation, outgoing.lease.token)
        record, _, _, *waits = await pipeline.execute()
        permitted = not outgoing.needs_permit or bool(waits.pop())
        return _Begun(record, max(waits) / 1000, permitted)

    async def _ask(self, outgoing: OutgoingMessage, begun: _Begun, tries: int) -> str:
        reupload = outgoing.reply.attempt > 0
        while True:
            try:
                await self._wait_permitted(outgoing, begun)
                passing("outbox: about to ask Meta")
                wamid = await self._once(outgoing, reupload=reupload)
                passing("outbox: Meta has it, not recorded")
                return wamid  # noqa: TRY300 - what fails above is what is handled below
            except GraphError as error:
                if isinstance(outgoing.part, Filed) and not reupload and _of_the_file(error):
                    reupload = True
                elif error.remedy is Remedy.RETRY:
                    await self._back_off(outgoing, error, tries)
                    tries += 1
                else:
                    await answer(self.redis.hdel(outgoing.record, "asked_at"))
                    raise
            except (MetaUnavailable, StorageFailed) as error:
                in_doubt = isinstance(error, MetaUnavailable) and error.in_doubt
                if in_doubt and (accepted := await self._find_wamid(outgoing, since=time.time())):
                    return accepted
                await self._back_off(outgoing, error, tries)
                tries += 1
            begun = await self._begin(outgoing)

    async def _wait_permitted(self, outgoing: OutgoingMessage, begun: _Begun) -> None:
        """Wait until the message may leave; raises ConversationTaken. Whoever takes it need not wait as long."""
        permitted = begun.permitted
        if permitted and begun.wait > 0 and outgoing.needs_permit:
            await self._end_permit(outgoing)
        if permitted:
            await self._wait(outgoing, begun.wait, "Meta's limits or an earlier refusal")
        if permitted and begun.wait > 0 and outgoing.needs_permit:
            permitted = await permit(self.redis, outgoing.conversation, outgoing.lease.token)
        if not permitted:
            await answer(self.redis.hdel(outgoing.record, "asked_at"))
            raise ConversationTaken

    async def _end_permit(self, outgoing: OutgoingMessage) -> None:
        """Let whoever takes the conversation wait no longer. Where Redis fails, the end of the lease does it."""
        with suppress(RedisError, OSError):
            await delete_if_equal(self.redis, permit_key(outgoing.conversation), outgoing.lease.token)

    async def _once(self, outgoing: OutgoingMessage, *, reupload: bool) -> str:
        part, number = outgoing.part, outgoing.reply.phone_number_id
        if isinstance(part, Template):
            return await self.templates.send(part, outgoing.language, lambda filled: self._post(outgoing, filled))
        media_id = None
        if isinstance(part, Filed):
            media_id = await self.uploads.media_id(outgoing.conversation, part, number, reupload=reupload)
        return await self._hand_over(outgoing, render(part, outgoing.reply, outgoing.callback, media_id))

    async def _post(self, outgoing: OutgoingMessage, filled: Prepared) -> str:
        """Send a template, and store its text for replies that quote it."""
        message = envelope(outgoing.reply, outgoing.callback) | filled.payload
        wamid = await self._hand_over(outgoing, message)
        pipeline = self.redis.pipeline(transaction=True)
        quotable.store(pipeline, outgoing.conversation, wamid, filled.words, self.ttl_seconds)
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
        async with outgoing.lease.time_limit():
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
            seconds = min(4.0**tries, _LONGEST_BACK_OFF_SECONDS)
        record = {"tries": str(tries + 1), "not_before": repr(time.time() + seconds)}
        await answer(self.redis.hset(outgoing.record, mapping=record))
        _log.warning("reply_retried", tries=tries + 1, seconds=seconds, error=str(error))
        if outgoing.needs_permit:
            await self._end_permit(outgoing)
        await self._wait(outgoing, seconds, str(error))

    async def _wait(self, outgoing: OutgoingMessage, seconds: float, why: str) -> None:
        if seconds > LONGEST_WAIT_SECONDS:
            await answer(self.redis.hdel(outgoing.record, "asked_at"))
            raise SendLater(seconds, why)
        await asyncio.sleep(max(seconds, 0))

    async def _find_wamid(self, outgoing: OutgoingMessage, *, since: float) -> str | None:
        """Wait for the status of a message whose answer was lost; None if Meta did not take it."""
        while True:
            wamid: str | None = await answer(self.redis.hget(outgoing.record, "wamid"))
            if wamid is not None or time.time() > since + self.lease_seconds + _STATUS_SECONDS:
                _log.info("delivery_settled", accepted=wamid is not None, message=masked(outgoing.callback))
                return wamid
            await asyncio.sleep(0.25)


def _of_the_file(error: GraphError) -> bool:
    """Whether Meta refuses or has lost the upload: another upload can help, once."""
    return error.code in (MEDIA_REFUSED, PARAMETER_INVALID)
