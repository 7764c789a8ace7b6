"""One message to Meta: at our pace, tried again where the error table says so, an unclear outcome settled first."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot import ledger
from bot.deliveries import delivery
from bot.logs import masked
from bot.messages import Attachment, Part, Picture, Reply, VoiceNote
from bot.pace import Pace
from bot.redis import answer
from bot.storage.door import StorageFailed
from bot.uploads import Uploads
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import MEDIA_REFUSED, PAIR_RATE, RATES, GraphError, Remedy, Unavailable
from bot.whatsapp.rendering import render

_log = structlog.get_logger()

# A wait beyond this gives worker and conversation back, and is waited for without them.
PATIENCE_SECONDS = 5.0
# How long Meta's first status is waited for when it is not known whether a message was accepted.
_SETTLE_SECONDS = 8.0
# How often a message is tried: where Meta was too busy or away (20 minutes in all), and where it found a fault.
_TRIES_AWAY = 8
_TRIES_FAULT = 4
_LONGEST_WAIT_SECONDS = 300.0
_GENERIC_PARAMETER = 131009


class Later(Exception):
    """The message can't leave now; in so many seconds it may."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Errand:
    """One message: a part of a reply, and the string that Meta gives back in its statuses."""

    conversation: str
    reply: Reply
    part: Part
    callback: str

    @property
    def record(self) -> str:
        return delivery(self.conversation, self.callback)


@dataclass(frozen=True, slots=True)
class Sending:
    redis: Redis
    graph: Graph
    pace: Pace
    uploads: Uploads

    async def send(self, errand: Errand) -> str | None:
        """Hand a message over and get its wamid; None for one that was given up already.

        Raises Later, and what it was given up for: GraphError, Unavailable, NotSendable.
        """
        before = await answer(self.redis.hgetall(errand.record))
        wamid: str | None = before.get("wamid")
        if wamid is None and before.get("status") == "failed":
            return None
        if wamid is None and "asked_at" in before:
            # A worker died between asking Meta and hearing the answer.
            wamid = await self._settle(errand, since=float(before["asked_at"]))
        if wamid is not None:
            return wamid
        await _wait(float(before.get("not_before", "0")) - time.time(), "Meta was busy or away")
        return await self._ask(errand, int(before.get("tries", "0")))

    async def _ask(self, errand: Errand, tries: int) -> str:
        anew = errand.reply.attempt > 0
        while True:
            try:
                return await self._once(errand, anew=anew)
            except GraphError as error:
                await answer(self.redis.hdel(errand.record, "asked_at"))
                if isinstance(errand.part, Picture | Attachment | VoiceNote) and not anew and _of_the_file(error):
                    anew = True
                    continue
                if error.remedy is not Remedy.RETRY:
                    raise
                await self._back_off(errand, error, tries)
            except Unavailable as error:
                if error.in_doubt and (settled := await self._settle(errand, since=time.time())):
                    return settled
                await answer(self.redis.hdel(errand.record, "asked_at"))
                await self._back_off(errand, error, tries)
            except StorageFailed as error:
                await self._back_off(errand, error, tries)
            tries += 1

    async def _once(self, errand: Errand, *, anew: bool) -> str:
        part, number = errand.part, errand.reply.phone_number_id
        media_id = None
        if isinstance(part, Picture | Attachment | VoiceNote):
            media_id = await self.uploads.media_id(errand.conversation, part, number, anew=anew)
        await _wait(await self.pace.take(errand.conversation, number, patience=PATIENCE_SECONDS), "our pace")
        alone = errand.reply.model_copy(update={"parts": (part,)})
        pipeline = self.redis.pipeline(transaction=True)
        asked = {"asked_at": repr(time.time()), "reply": alone.model_dump_json(exclude_none=True)}
        pipeline.hset(errand.record, mapping=asked)
        pipeline.expire(errand.record, ledger.KEEP_SECONDS)
        await pipeline.execute()
        return await self.graph.send(render(part, errand.reply, errand.callback, media_id), number)

    async def _back_off(self, errand: Errand, error: GraphError | Unavailable | StorageFailed, tries: int) -> None:
        """Wait as Meta asks for (4^X seconds), or raise Later, or raise the error when it was tried often enough."""
        code = error.code if isinstance(error, GraphError) else None
        away = code is None or code in RATES or code == PAIR_RATE
        if tries + 1 >= (_TRIES_AWAY if away else _TRIES_FAULT):
            raise error
        if code == PAIR_RATE:
            seconds = await self.pace.hold_person(errand.conversation)
        elif code in RATES:
            seconds = await self.pace.hold_number(errand.reply.phone_number_id)
        else:
            seconds = min(4.0**tries, _LONGEST_WAIT_SECONDS)
        noted = {"tries": str(tries + 1), "not_before": repr(time.time() + seconds)}
        await answer(self.redis.hset(errand.record, mapping=noted))
        _log.warning("reply_retried", tries=tries + 1, seconds=seconds, error=str(error))
        await _wait(seconds, str(error))

    async def _settle(self, errand: Errand, *, since: float) -> str | None:
        """Whether Meta took a message whose answer we never saw: its status tells, within seconds, or it didn't."""
        while True:
            wamid: str | None = await answer(self.redis.hget(errand.record, "wamid"))
            if wamid is not None or time.time() > since + _SETTLE_SECONDS:
                _log.info("delivery_settled", accepted=wamid is not None, message=masked(errand.callback))
                return wamid
            await asyncio.sleep(0.25)


async def _wait(seconds: float, why: str) -> None:
    if seconds > PATIENCE_SECONDS:
        raise Later(seconds, why)
    await asyncio.sleep(max(seconds, 0))


def _of_the_file(error: GraphError) -> bool:
    """Meta refuses the upload, or has lost it: another upload can help, once."""
    return error.code in (MEDIA_REFUSED, _GENERIC_PARAMETER)
