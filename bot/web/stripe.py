"""`POST /webhooks/stripe`: verifies the signature over the raw bytes and stores one job an event before the 200."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra import queues, replicas
from bot.infra.logs import masked
from bot.infra.metrics import WEBHOOK_REJECTED, WEBHOOK_UNKNOWN
from bot.integrations.stripe.event_kinds import ACTED_ON, JOB
from bot.integrations.stripe.signature import signed
from bot.settings import StripeSettings
from bot.web.request_bodies import BODIES, BodyRefused

_log = structlog.get_logger()

SETTINGS = web.AppKey("stripe_settings", StripeSettings)
REDIS = web.AppKey("stripe_redis", Redis)
REPLICAS = web.AppKey("stripe_replicas", replicas.Replicas)
BODY_LIMIT = 1024 * 1024
_ATTEMPTS = 16
_ID = re.compile(r"[A-Za-z0-9_]{1,100}")

routes = web.RouteTableDef()


@routes.post("/webhooks/stripe")
async def receive(request: web.Request) -> web.Response:
    """Store a signed event. Stripe repeats for days without a 2xx, so that a failure to store is answered by 503."""
    try:
        event = json.loads(await _body(request))
    except BodyRefused as refused:
        return _rejected(f"stripe_{refused.reason}", refused.status)
    except (ValueError, RecursionError):
        return _rejected("stripe_not_json", 400)
    job = _job(event)
    if job is None:
        WEBHOOK_UNKNOWN.labels("stripe").inc()
        return web.Response()
    try:
        await queues.add(request.app[REDIS], "notification", JOB, job, job["id"], attempts=_ATTEMPTS)
        await request.app[REPLICAS].caught_up()
    except (RedisError, OSError) as error:
        reason = "see that Redis answers and has memory left"
        fix = replicas.FIX if isinstance(error, replicas.NotReplicated) else reason
        _log.error("webhook_not_stored", error=type(error).__name__, fix=fix)
        return _rejected("stripe_storage", 503)
    _log.info("stripe_event", type=job["type"], id=masked(job["id"]))
    return web.Response()


async def _body(request: web.Request) -> bytes:
    """The bytes that Stripe has signed."""
    headers = request.headers.getall("Stripe-Signature", ())
    if (request.content_length or 0) <= BODY_LIMIT and (len(headers) != 1 or "v1=" not in headers[0]):
        # A request without a plausible signature is refused before its body is read.
        raise BodyRefused("signature", 400)
    body = await request.app[BODIES].read(request, BODY_LIMIT)
    secrets = [secret.get_secret_value() for secret in request.app[SETTINGS].webhook_secret]
    if not signed(body, headers[0] if headers else None, secrets, time.time()):
        raise BodyRefused("signature", 400)
    return body


def _job(event: Any) -> dict[str, Any] | None:
    """The used parts of an event: object, customer and time. Their state is read at Stripe."""
    if not isinstance(event, dict) or str(event.get("type")) not in ACTED_ON:
        return None
    data = event.get("data")
    stripe_object = data.get("object") if isinstance(data, dict) else None
    if not isinstance(stripe_object, dict):
        return None
    customer = stripe_object.get("customer")
    customer = customer.get("id") if isinstance(customer, dict) else customer
    ids = (event.get("id"), stripe_object.get("id"), customer)
    if not all(isinstance(id_, str) and _ID.fullmatch(id_) for id_ in ids) or not isinstance(event.get("created"), int):
        return None
    return {
        "id": event["id"],
        "type": event["type"],
        "object": stripe_object["id"],
        "customer": customer,
        "created": event["created"],
    }


def _rejected(reason: str, status: int) -> web.Response:
    WEBHOOK_REJECTED.labels(reason).inc()
    return web.Response(status=status, text=reason.removeprefix("stripe_"))
