"""The job `push`: an encrypted notification to each of a person's browsers, once, until it expires."""

from __future__ import annotations

import asyncio
import bisect
import importlib
import json
import random
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NoReturn

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from bot.conversations import identity
from bot.infra.alerts import Alarm, Alerts
from bot.infra.guarded_http import GuardedHttpClient, NoAnswer
from bot.infra.live_events import LiveEvents
from bot.infra.logs import masked
from bot.infra.metrics import PUSHES
from bot.infra.queues import Job, JobRejected, RetryLater
from bot.infra.redis import answer, key
from bot.infra.validation import checked_job
from bot.integrations.push.operators import is_audience
from bot.integrations.push.subscriptions import PushSubscription, PushSubscriptions, renew
from bot.integrations.push.vapid import KeysWrong, private_of
from bot.settings import PushSettings
from bot.settings.reading import web_address
from bot.whatsapp.phone_numbers import address_of, variants

_log = structlog.get_logger()

# A push service keeps it for so long for a device that is off.
TTL_SECONDS = 24 * 3600
PAUSES = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
# RFC 8291 and 8030: services take 4096 bytes. Encryption needs 86 for its header, 16 and 1 for the record.
LONGEST = 4096 - 103
# RFC 8292 allows a day at most, and some services' clocks are off.
_CLAIM_SECONDS = 12 * 3600
_LONGEST_RETRY_AFTER = 6 * 3600.0
_KEEP_SECONDS = 3 * 24 * 3600
_DAY = 24 * 3600
_SUCCESS, _GONE, _REJECTED, _TOO_LARGE = range(200, 300), (404, 410), (400, 401, 403), 413

State = Literal["sent", "gone", "refused", "missed"]


class PushJob(BaseModel):
    """Data of a job `push`; `contact` is a phone, a BSUID or an operator's audience, a tap opens `url`."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    contact: str
    title: Annotated[str, Field(min_length=1, max_length=200)]
    body: str = ""
    url: Annotated[str, Field(max_length=1000, pattern=r"^[!-~]+$"), AfterValidator(web_address)] | None = None


def push_job(data: dict[str, Any]) -> PushJob:
    """Check data from outside. Raises JobRejected with the reasons, and without the values."""
    job = checked_job(PushJob, data)
    if address_of(job.contact) == (None, None) and not is_audience(job.contact):
        raise JobRejected("contact: expected a phone with its country's digits, or a BSUID such as MX.8801234567890123")
    return job


def payload(job: PushJob) -> bytes:
    """The JSON for the service worker, `{title, body, url}`; a body that is too long is cut."""

    def size(length: int) -> int:
        return len(_json(job, job.body[:length] + "…"))

    if len(_json(job, job.body)) <= LONGEST:
        return _json(job, job.body)
    length = bisect.bisect_right(range(len(job.body)), LONGEST, key=size) - 1
    while length > 0 and _continues(job.body, length):
        length -= 1
    return _json(job, job.body[: max(length, 0)].rstrip() + "…")


def _json(job: PushJob, body: str) -> bytes:
    said = {"title": job.title, "body": body, "url": job.url}
    # JSON may bring a lone surrogate, which UTF-8 can't encode.
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _continues(text: str, index: int) -> bool:
    """Whether this code point belongs to the one before: an accent, a skin colour, a half of a joined emoji."""
    here, before = text[index], text[index - 1]
    loose = {"\u200d", "\ufe0f", "\u20e3"}
    return (
        bool(unicodedata.combining(here)) or here in loose or before == "\u200d" or "\U0001f3fb" <= here <= "\U0001f3ff"
    )


@dataclass(frozen=True, slots=True)
class PushAttempt:
    """Result of one try at one browser's push service; `retry_after` are the seconds that it asked to wait."""

    state: State
    reason: str
    retry_after: float | None = None


class PushSender:
    """`pauses` are the seconds between tries."""

    def __init__(
        self,
        redis: Redis,
        settings: PushSettings,
        events: LiveEvents,
        guarded: GuardedHttpClient,
        *,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._redis = redis
        self._settings = settings
        self._alerts = Alerts(redis, events)
        self._guarded = guarded
        self._subscriptions = PushSubscriptions(redis)
        self._pauses = pauses
        self._vapid: Any = None

    async def process(self, queued: Job) -> None:
        """Work on a job `push`. Raises RetryLater while a push service may still take it, JobRejected when none can."""
        job = push_job(queued.data)
        if not self._settings.configured:
            raise JobRejected("browser notifications are not set up; see `recado keys vapid` and VAPID_SUBJECT")
        conversation = await self._conversation(job)
        subscriptions = await self._subscriptions.of(conversation) if conversation else []
        if conversation is None or not subscriptions:
            _log.info("push_without_browser", job=masked(queued.key))
            return
        await self._renew(conversation)
        await self._load_keys()
        receipts = key(conversation, "pushed", masked(queued.key))
        stored: dict[str, str] = await answer(self._redis.hgetall(receipts))
        remaining = [subscription for subscription in subscriptions if subscription.name not in stored]
        payload_bytes = payload(job)
        sent = (
            self._send(conversation, subscription, payload_bytes, masked(queued.key), receipts)
            for subscription in remaining
        )
        ended = await asyncio.gather(*sent, return_exceptions=True)
        for result in ended:
            if isinstance(result, BaseException):
                raise result
        await self._conclude([result for result in ended if not isinstance(result, BaseException)], receipts)

    async def _conclude(self, deliveries: list[PushAttempt], receipts: str) -> None:
        missed = [delivery for delivery in deliveries if delivery.state == "missed"]
        refused = [delivery.reason for delivery in deliveries if delivery.state == "refused"]
        if missed:
            reason = "; ".join(delivery.reason for delivery in missed)
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.hincrby(receipts, "tries", 1)
            pipeline.expire(receipts, _KEEP_SECONDS)
            tries = int((await pipeline.execute())[0])
            if tries > len(self._pauses):
                await self._give_up(receipts, f"given up after {tries} tries: {reason}")
            retry_after = max(delivery.retry_after or 0.0 for delivery in missed)
            pause = self._pauses[tries - 1] * random.uniform(1, 1.5)  # noqa: S311 - protects nothing
            raise RetryLater(max(pause, min(retry_after, _LONGEST_RETRY_AFTER)), reason)
        if refused:
            why = f"{len(refused)} of {len(deliveries)} browsers not reached: {'; '.join(refused)}"
            await self._give_up(receipts, why)

    async def _give_up(self, receipts: str, why: str) -> NoReturn:
        """Reset the failed browsers and end the job: an operator's retry has all its tries, for them alone."""
        stored: dict[str, str] = await answer(self._redis.hgetall(receipts))
        if again := [name for name, state in stored.items() if state not in ("sent", "gone")]:
            await answer(self._redis.hdel(receipts, *again))
        raise JobRejected(why)

    async def _conversation(self, job: PushJob) -> str | None:
        """The conversation of the contact. Raises JobRejected for a number that was another person's."""
        if is_audience(job.contact):
            return job.contact
        phone, bsuid = address_of(job.contact)
        for spelling in variants(phone) if phone else (None,):
            if found := await identity.find(self._redis, spelling, bsuid):
                home = await identity.current_name(self._redis, found)
                if phone and await identity.phone_contested(self._redis, home):
                    raise JobRejected(
                        "contact: this number was another person's before; name the BSUID of who is meant"
                    )
                return home
        return None

    async def _renew(self, conversation: str) -> None:
        """Keep the person known, even if they get notifications and never write."""
        names = await identity.identities_of(self._redis, conversation)
        pipeline = self._redis.pipeline(transaction=False)
        if not is_audience(conversation):
            identity.renew(pipeline, conversation, names)
        renew(pipeline, conversation)
        await pipeline.execute()

    async def _load_keys(self) -> None:
        """Load the key, and in a thread the libraries for encryption, which takes a while."""
        if self._vapid is not None:
            return
        try:
            private = private_of(self._settings)
        except KeysWrong as error:
            alarm = Alarm("push_keys", "error", "the VAPID keys can't be used", str(error))
            await self._alerts.sound(alarm, "push_keys", again_after=_DAY)
            raise JobRejected(str(error)) from error
        await asyncio.to_thread(importlib.import_module, "pywebpush")
        from py_vapid import Vapid02  # noqa: PLC0415 - as above

        # The library's own check of the subject refuses valid addresses; the settings have checked it.
        self._vapid = Vapid02(private, {"no-strict": True})

    async def _send(
        self, conversation: str, subscription: PushSubscription, payload_bytes: bytes, topic: str, receipts: str
    ) -> PushAttempt:
        """Post to one browser's push service, and store the result at once."""
        try:
            response = await self._guarded.post(
                subscription.endpoint, *self._encrypted(subscription, payload_bytes, topic)
            )
        except NoAnswer as error:
            fix = "; allow it with PUSH_ALLOW_PRIVATE" if error.private else ""
            # No retry makes a private address public.
            delivery = PushAttempt("refused" if error.private else "missed", f"{subscription.origin}: {error}{fix}")
        except ValueError:
            delivery = PushAttempt("refused", f"{subscription.origin}: its keys are no point of the curve")
        else:
            delivery = PushAttempt(
                _state(response.status), f"{subscription.origin}: HTTP {response.status}", response.retry_after
            )
            await self._report_rejection(subscription, response.status)
        PUSHES.labels(delivery.state).inc()
        if delivery.state == "gone":
            await self._subscriptions.remove(conversation, subscription)
        if delivery.state != "missed":
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.hset(receipts, subscription.name, delivery.state)
            pipeline.expire(receipts, _KEEP_SECONDS)
            await pipeline.execute()
        _log.info("push_sent", state=delivery.state, why=delivery.reason)
        return delivery

    def _encrypted(
        self, subscription: PushSubscription, payload_bytes: bytes, topic: str
    ) -> tuple[bytes, dict[str, str]]:
        """The encrypted body (RFC 8291) and its headers (RFC 8030, RFC 8292). Raises ValueError for invalid keys."""
        from pywebpush import WebPusher  # noqa: PLC0415 - loaded beside the loop before

        body = bytes(WebPusher(subscription.model_dump()).encode(payload_bytes)["body"])
        claims = {
            "aud": subscription.origin,
            "exp": int(time.time()) + _CLAIM_SECONDS,
            "sub": self._settings.subject,
        }
        return body, {
            **self._vapid.sign(claims),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_SECONDS),
            "Urgency": "normal",
            # A repeated notification replaces the first one that still waits for the device.
            "Topic": topic,
        }

    async def _report_rejection(self, subscription: PushSubscription, status: int) -> None:
        """Tell an operator, once a day, about a rejection that no retry resolves."""
        if status in (401, 403):
            fix = "see that the VAPID keys are those that the browsers subscribed with, VAPID_SUBJECT, and the clock"
            alarm = Alarm(
                "push_refused", "error", f"{subscription.origin} refuses our VAPID signature (HTTP {status})", fix
            )
            await self._alerts.sound(alarm, f"push_refused:{masked(subscription.origin)}", again_after=_DAY)


def _state(status: int) -> State:
    if status in _SUCCESS:
        return "sent"
    if status in _GONE:
        return "gone"
    return "refused" if status in (*_REJECTED, _TOO_LARGE) else "missed"
