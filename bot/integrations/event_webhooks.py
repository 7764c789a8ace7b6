"""The queue `webhook`: posts each event to all subscribers, signed, and retries for hours."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, NoReturn
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from redis.asyncio import Redis
from standardwebhooks import Webhook

from bot.infra.alerts import Alarm, Alerts
from bot.infra.guarded_http import GuardedHttpClient, NoAnswer
from bot.infra.live_events import LiveEvents
from bot.infra.logs import masked
from bot.infra.metrics import DELIVERED
from bot.infra.queues import Job, JobRejected, RetryLater
from bot.infra.redis import answer
from bot.infra.validation import checked_job
from bot.settings import SubscriberSettings

_log = structlog.get_logger()

# The pauses of the Standard Webhooks specification, with one more at the start: 18 hours in all.
PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18000.0, 36000.0)
_LONGEST_RETRY_AFTER = 6 * 3600.0
# Longer than any job waits. The record holds no personal data.
_KEEP_SECONDS = 7 * 24 * 3600
_SUCCESS = range(200, 300)
_GONE = 410
_AGAIN_ALERT_SECONDS = 3600

State = Literal["taken", "gone", "missed"]


class DeliverJob(BaseModel):
    """Data of a job `deliver`, ours or another service's; without an `id` the job's id serves."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    event: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
    data: JsonValue
    # The id becomes a header.
    id: Annotated[str, Field(pattern=r"^[!-~]{1,256}$")] | None = None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """Result of one try at one subscriber; `retry_after` are the seconds that it asked to wait."""

    state: State
    reason: str
    retry_after: float | None = None


class EventDeliveries:
    """`pauses` are the seconds between tries. After the last one the event is given up."""

    def __init__(
        self,
        redis: Redis,
        settings: SubscriberSettings,
        events: LiveEvents,
        guarded: GuardedHttpClient,
        *,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._redis = redis
        self._settings = settings
        self._alerts = Alerts(redis, events)
        self._guarded = guarded
        self._pauses = pauses

    async def process(self, queued: Job) -> None:
        """Work on a job of the queue `webhook`. Raises RetryLater while a subscriber has not taken the event."""
        if queued.name != "deliver":
            raise JobRejected(f"there is no job {queued.name!r} here; expected deliver")
        job = checked_job(DeliverJob, queued.data)
        if not self._settings.subscribers:
            _log.info("event_without_subscribers", kind=job.event)
            return
        if self._settings.secret is None:
            raise JobRejected("WEBHOOK_SECRET is not set: no subscriber could tell that the event is ours")
        await self._deliver(job, job.id or queued.key, queued.added or time.time())

    async def _deliver(self, job: DeliverJob, id_: str, at: float) -> None:
        progress = f"recado:delivered:{masked(id_)}"
        stored: dict[str, str] = await answer(self._redis.hgetall(progress))
        remaining = [url for url in self._settings.subscribers if stored.get(_name(url)) not in ("taken", "gone")]
        if not remaining:
            return
        body = _body(job, at)
        posts = (self._post(url, id_, body, progress) for url in remaining)
        ended = await asyncio.gather(*posts, return_exceptions=True)
        deliveries = [result if isinstance(result, DeliveryAttempt) else _raise(result) for result in ended]
        missed = [delivery for delivery in deliveries if delivery.state == "missed"]
        if not missed:
            return
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hincrby(progress, "tries", 1)
        pipeline.expire(progress, _KEEP_SECONDS)
        tries = int((await pipeline.execute())[0])
        reason = "; ".join(delivery.reason for delivery in missed)
        if tries > len(self._pauses):
            for url, delivery in zip(remaining, deliveries, strict=True):
                if delivery.state == "missed":
                    await self._alert(
                        url, "subscriber_missed", f"{_host(url)} did not take an event: {delivery.reason}"
                    )
            # An operator's retry gets all its tries, and goes only to the subscribers that missed the event.
            await answer(self._redis.hdel(progress, "tries"))
            raise JobRejected(f"given up after {tries} tries: {reason}")
        retry_after = max(delivery.retry_after or 0.0 for delivery in missed)
        # A random factor spreads the retries of deliveries that failed together.
        pause = self._pauses[tries - 1] * random.uniform(1, 1.5)  # noqa: S311 - protects nothing
        raise RetryLater(max(pause, min(retry_after, _LONGEST_RETRY_AFTER)), reason)

    async def _post(self, url: str, id_: str, body: str, progress: str) -> DeliveryAttempt:
        """Post to one subscriber, and store the result at once."""
        try:
            response = await self._guarded.post(url, body.encode(), self._headers(id_, body))
        except NoAnswer as error:
            fix = "; allow it with WEBHOOK_ALLOW_PRIVATE" if error.private else ""
            delivery = DeliveryAttempt("missed", f"{_host(url)}: {error}{fix}")
        else:
            delivery = DeliveryAttempt(
                _state(response.status), f"{_host(url)}: HTTP {response.status}", response.retry_after
            )
        DELIVERED.labels(delivery.state).inc()
        if delivery.state == "missed":
            _log.warning("event_missed", event_id=masked(id_), why=delivery.reason)
            return delivery
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(progress, _name(url), delivery.state)
        pipeline.expire(progress, _KEEP_SECONDS)
        await pipeline.execute()
        if delivery.state == "gone":
            await self._alert(url, "subscriber_gone", f"{_host(url)} answers 410: it wants no more of this event")
        return delivery

    def _headers(self, id_: str, body: str) -> dict[str, str]:
        """Headers of Standard Webhooks. Each try is signed anew, because receivers refuse old signatures."""
        now = datetime.now(UTC)
        secret = self._settings.secret
        if secret is None:  # pragma: no cover - told before
            raise JobRejected("WEBHOOK_SECRET is not set")
        return {
            "content-type": "application/json",
            "user-agent": "Recado",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret.get_secret_value()).sign(id_, now, body),
        }

    async def _alert(self, url: str, kind: str, words: str) -> None:
        alarm = Alarm(kind, "warning", words, "see that system, or take its address out of WEBHOOK_SUBSCRIBERS")
        await self._alerts.sound(alarm, f"{kind}:{_name(url)}", again_after=_AGAIN_ALERT_SECONDS)


def _state(status: int) -> State:
    return "taken" if status in _SUCCESS else "gone" if status == _GONE else "missed"


def _raise(error: BaseException) -> NoReturn:
    raise error


def _body(job: DeliverJob, at: float) -> str:
    """The same bytes for every try."""
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"type": job.event, "timestamp": when, "data": job.data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _host(url: str) -> str:
    """The part of the address that logs may show: paths and queries hold secrets."""
    return urlsplit(url).hostname or "?"
