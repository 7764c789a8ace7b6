"""Replies leave here: in order for each person, each part once, retried only where Meta's error table says so."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from bot import ledger, memory
from bot.inbox import Desk, Lease
from bot.logs import masked
from bot.messages import Part, Reply, Say, Status, Template
from bot.metrics import REPLIES
from bot.redis import answer, key
from bot.templates.synced import Prepared, TemplateNotSendable, Templates
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, Remedy, Unavailable
from bot.whatsapp.rendering import envelope, render

_log = structlog.get_logger()

# How long Meta's first status is waited for when it is not known whether a message was accepted.
_SETTLE_SECONDS = 8.0
_ATTEMPTS = 4
_OURS = re.compile(r"^(c_[0-9a-f]{20})\.[\w-]+\.\d+$")

# Statuses come in any order and more than once (reference 1.5): only upwards, and `failed` only over `sent`.
_NOTE = f"""
local rank = {{sent = 1, failed = 2, delivered = 2, read = 3, played = 4}}
local now = redis.call('HGET', KEYS[1], 'status')
if now and (rank[ARGV[2]] or 0) <= (rank[now] or 0) then return 0 end
redis.call('HSET', KEYS[1], 'wamid', ARGV[1], 'status', ARGV[2], 'error', ARGV[3])
redis.call('EXPIRE', KEYS[1], {ledger.KEEP_SECONDS})
return 1
"""


class Deliveries:
    """What Meta says of our messages; told by the webhook, asked by the outbox when an outcome is in doubt."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def note(self, statuses: list[Status]) -> list[bool | Exception]:
        """Keep statuses: True for news. One without our callback is of another sender of this number: left alone."""
        pipeline = self._redis.pipeline(transaction=False)
        for status in statuses:
            ours = _OURS.match(status.callback or "")
            if ours:
                error = "" if status.error is None else str(status.error)
                name = _delivery(ours[1], ours[0])
                pipeline.eval(_NOTE, 1, name, status.wamid, status.status, error)
            else:
                pipeline.echo("")
        results = await pipeline.execute(raise_on_error=False)
        return [one if isinstance(one, Exception) else bool(one) for one in results]


def put(pipeline: Any, conversation: str, reply: Reply) -> None:
    """Append a reply within a transaction."""
    pipeline.rpush(key(conversation, "outbox"), reply.model_dump_json(exclude_none=True))


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one reply; `error` is Meta's code, or why there is none."""

    reply: Reply
    error: str | None = None


class Outbox:
    def __init__(self, redis: Redis, graph: Graph, desk: Desk, templates: Templates, *, ttl_seconds: int) -> None:
        self._redis = redis
        self._graph = graph
        self._desk = desk
        self._templates = templates
        self._ttl = ttl_seconds

    async def flush(self, lease: Lease) -> list[Sent]:
        """Send all that waits in the conversation. Needs the lease: that is what keeps the order."""
        outcomes = []
        for raw in await answer(self._redis.lrange(key(lease.conversation, "outbox"), 0, -1)):
            reply = Reply.model_validate_json(raw)
            outcome = await self._send(lease, reply)
            REPLIES.labels("failed" if outcome.error else "sent").inc()
            outcomes.append(outcome)
        return outcomes

    async def _send(self, lease: Lease, reply: Reply) -> Sent:
        for index, part in enumerate(reply.parts):
            callback = f"{lease.conversation}.{reply.id}.{index}"
            try:
                wamid = await self._send_part(lease.conversation, reply, part, callback)
            except (GraphError, Unavailable, TemplateNotSendable) as error:
                _log.error("reply_failed", reply=reply.id, part=index, error=str(error), fix=_fix(error))
                await self._desk.commit(lease, lambda pipeline: pipeline.lpop(key(lease.conversation, "outbox")))
                return Sent(reply, str(error))
            last = index == len(reply.parts) - 1
            await self._desk.commit(lease, self._record(lease.conversation, callback, wamid, part, last=last))
            _log.info("reply_sent", reply=reply.id, part=index)
        return Sent(reply)

    async def _send_part(self, conversation: str, reply: Reply, part: Part, callback: str) -> str:
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hgetall(_delivery(conversation, callback))
        pipeline.hsetnx(_delivery(conversation, callback), "asked_at", repr(time.time()))
        pipeline.expire(_delivery(conversation, callback), ledger.KEEP_SECONDS)
        before, *_ = await pipeline.execute()
        wamid: str | None = before.get("wamid")
        if wamid is None and "asked_at" in before:
            # A worker died between asking Meta and hearing the answer.
            wamid = await self._settle(conversation, callback, since=float(before["asked_at"]))
        return wamid or await self._ask_meta(conversation, reply, part, callback)

    def _record(self, conversation: str, callback: str, wamid: str, part: Part, *, last: bool) -> Callable[[Any], None]:
        def write(pipeline: Any) -> None:
            pipeline.hset(_delivery(conversation, callback), "wamid", wamid)
            if isinstance(part, Say):
                memory.quotable(pipeline, conversation, wamid, part.body, self._ttl)
            if last:
                pipeline.lpop(key(conversation, "outbox"))

        return write

    async def _ask_meta(self, conversation: str, reply: Reply, part: Part, callback: str) -> str:
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            # 4^X seconds, as Meta asks for in its pair rate limit.
            wait=wait_exponential_jitter(initial=1, exp_base=4, jitter=0.5, max=64),
            stop=stop_after_attempt(_ATTEMPTS),
            before_sleep=_log_retry,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    await answer(self._redis.hset(_delivery(conversation, callback), "asked_at", repr(time.time())))
                try:
                    return await self._post(conversation, reply, part, callback)
                except Unavailable as error:
                    settled = await self._settle(conversation, callback, since=time.time()) if error.in_doubt else None
                    if settled is None:
                        raise
                    return settled
        raise AssertionError  # pragma: no cover - tenacity returns or raises

    async def _post(self, conversation: str, reply: Reply, part: Part, callback: str) -> str:
        if isinstance(part, Template):
            return await self._template(conversation, reply, part, callback)
        if not isinstance(part, Say):
            raise NotImplementedError(part.kind)
        return await self._graph.send(render(part, reply, callback), reply.phone_number_id)

    async def _template(self, conversation: str, reply: Reply, part: Template, callback: str) -> str:
        async def post(prepared: Prepared) -> str:
            message = envelope(reply, callback) | prepared.payload
            wamid = await self._graph.send(message, reply.phone_number_id)
            pipeline = self._redis.pipeline()
            memory.quotable(pipeline, conversation, wamid, prepared.words, self._ttl)
            await pipeline.execute()
            return wamid

        return await self._templates.send(part, None, post)

    async def _settle(self, conversation: str, callback: str, *, since: float) -> str | None:
        """Whether Meta took a message whose answer we never saw: its status tells, within seconds, or it didn't."""
        while True:
            wamid: str | None = await answer(self._redis.hget(_delivery(conversation, callback), "wamid"))
            if wamid is not None or time.time() > since + _SETTLE_SECONDS:
                _log.info("delivery_settled", accepted=wamid is not None, message=masked(callback))
                return wamid
            await asyncio.sleep(0.25)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Unavailable) or (isinstance(error, GraphError) and error.remedy is Remedy.RETRY)


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _log.warning("reply_retried", attempt=state.attempt_number, error=str(error))


def _fix(error: GraphError | Unavailable | TemplateNotSendable) -> str:
    if isinstance(error, GraphError) and error.remedy is Remedy.FIX_SETTINGS:
        return "see WHATSAPP_ACCESS_TOKEN and the number's state in Meta's WhatsApp Manager; `recado doctor` tells more"
    return "none needed: this message can't be delivered"


def _delivery(conversation: str, callback: str) -> str:
    return key(conversation, "delivery", callback)
