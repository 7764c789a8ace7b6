"""Meta's door: verification, the signature over the raw bytes, and nothing but durable storage before the 200."""

from __future__ import annotations

import asyncio
import hmac
from datetime import UTC, datetime

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from bot.inbox import Inbox
from bot.messages import Status
from bot.metrics import STATUSES, WEBHOOK_REJECTED, WEBHOOK_UNKNOWN
from bot.outbox import Deliveries
from bot.settings import WhatsAppSettings
from bot.whatsapp.payload import Notification, NotJSON, parse
from bot.whatsapp.signature import signed

_log = structlog.get_logger()

SETTINGS = web.AppKey("whatsapp_settings", WhatsAppSettings)
INBOX = web.AppKey("inbox", Inbox)
DELIVERIES = web.AppKey("deliveries", Deliveries)

# Meta's largest body is 3 MB (reference 1.3).
BODY_LIMIT = 4 * 1024 * 1024

routes = web.RouteTableDef()


@routes.get("/webhooks/whatsapp")
async def verify(request: web.Request) -> web.Response:
    """Answer Meta's challenge when the callback URL is saved ("Create a webhook endpoint")."""
    expected = request.app[SETTINGS].webhook_verify_token
    given = request.query.get("hub.verify_token", "")
    if (
        expected is None
        or request.query.get("hub.mode") != "subscribe"
        or not hmac.compare_digest(given.encode(), expected.get_secret_value().encode())
    ):
        raise web.HTTPForbidden(text="the verify token is not ours")
    return web.Response(text=request.query.get("hub.challenge", ""))


@routes.post("/webhooks/whatsapp")
async def receive(request: web.Request) -> web.Response:
    """Store all of a signed notification. Meta repeats what gets no 200, so a doubt is answered by 503."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _rejected("too_large", 413)
    secrets = [secret.get_secret_value() for secret in request.app[SETTINGS].app_secret]
    if not signed(body, request.headers.get("X-Hub-Signature-256"), secrets):
        return _rejected("signature", 401)
    try:
        notification = parse(body, datetime.now(UTC))
    except NotJSON:
        return _rejected("not_json", 400)
    for what in notification.unknown:
        WEBHOOK_UNKNOWN.labels(what[:40]).inc()
    try:
        await _store(notification, request.app[INBOX], request.app[DELIVERIES])
    except (RedisError, OSError) as error:
        _log.error("webhook_not_stored", error=type(error).__name__, fix="see that Redis answers and has memory left")
        return _rejected("storage", 503)
    return web.Response()


async def _store(notification: Notification, inbox: Inbox, deliveries: Deliveries) -> None:
    outcomes = await asyncio.gather(
        *(inbox.accept(message) for message in notification.messages),
        *(_note(status, deliveries) for status in notification.statuses),
        return_exceptions=True,
    )
    # All of the batch is tried before one failure is told: what could be stored is stored.
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _note(status: Status, deliveries: Deliveries) -> None:
    STATUSES.labels(status.status[:20]).inc()
    await deliveries.note(status)


def _rejected(reason: str, status: int) -> web.Response:
    WEBHOOK_REJECTED.labels(reason).inc()
    return web.Response(status=status, text=reason)
