"""Webhooks of WhatsApp: verification, the signature over the raw bytes, and durable storage before the 200."""

from __future__ import annotations

import asyncio
import hmac
from datetime import UTC, datetime
from functools import cache

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from bot.infra import replicas
from bot.infra.crash_points import passing
from bot.infra.metrics import STATUSES, WEBHOOK_REJECTED, WEBHOOK_UNKNOWN
from bot.infra.redis import MicroBatcher
from bot.messages.inbound import Inbound, Status
from bot.settings import WhatsAppSettings
from bot.web.request_bodies import BODIES, BodyRefused
from bot.web.whatsapp_events import EventContext, handle
from bot.whatsapp.payload import Notification, NotJSON, parse
from bot.whatsapp.signature import signed, well_formed

_log = structlog.get_logger()

SETTINGS = web.AppKey("whatsapp_settings", WhatsAppSettings)
# Both fail what takes longer than STORE_SECONDS.
INBOX = web.AppKey("inbox", MicroBatcher[Inbound, bool])
DELIVERIES = web.AppKey("deliveries", MicroBatcher[Status, bool])
REPLICAS = web.AppKey("replicas", replicas.Replicas)
EVENT_CONTEXT = web.AppKey("event_context", EventContext)

# Meta's largest body is 3 MB.
BODY_LIMIT = 4 * 1024 * 1024
_PARSED_AT_ONCE = 256 * 1024
# Meta gives up some seconds later, and delivers again. A message that was stored too late is known then.
STORE_SECONDS = 6.0
# Meta's challenge is a number of ten digits.
_LONGEST_CHALLENGE = 256
_FIX = "see that Redis answers and has memory left"
_STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})
_status_count = cache(STATUSES.labels)

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
        WEBHOOK_REJECTED.labels("verify_token").inc()
        raise web.HTTPForbidden(text="the verify token is not ours")
    challenge = request.query.get("hub.challenge", "")
    if not 0 < len(challenge) <= _LONGEST_CHALLENGE or not challenge.isprintable():
        raise web.HTTPForbidden(text="hub.challenge is missing, too long, or no plain text")
    return web.Response(text=challenge)


@routes.post("/webhooks/whatsapp")
async def receive(request: web.Request) -> web.Response:
    """Store all of a signed notification. In doubt answer 503, because Meta repeats a notification without a 200."""
    try:
        notification = await _parsed(await _signed_body(request))
    except BodyRefused as refused:
        return _rejected(refused.reason, refused.status)
    except NotJSON:
        return _rejected("not_json", 400)
    for what in notification.unknown:
        WEBHOOK_UNKNOWN.labels(what[:40]).inc()
    passing("webhook: nothing stored yet")
    try:
        if notification.changes or request.app[REPLICAS].wanted:
            async with asyncio.timeout(STORE_SECONDS):
                await _store_all(notification, request.app)
        else:
            await _store(notification, request.app[INBOX], request.app[DELIVERIES])
    except (RedisError, OSError) as error:
        fix = replicas.FIX if isinstance(error, replicas.NotReplicated) else _FIX
        _log.error("webhook_not_stored", error=type(error).__name__, fix=fix)
        return _rejected("storage", 503)
    passing("webhook: stored, not acknowledged")
    return web.Response()


async def _signed_body(request: web.Request) -> bytes:
    """Read the bytes that Meta signed. A request without a well-formed signature is refused unread."""
    # Only one header, because two readers of two headers may see two signatures.
    headers = request.headers.getall("X-Hub-Signature-256", ())
    if (request.content_length or 0) <= BODY_LIMIT and not (len(headers) == 1 and well_formed(headers[0])):
        raise BodyRefused("signature", 401)
    body = await request.app[BODIES].read(request, BODY_LIMIT)
    secrets = [secret.get_secret_value() for secret in request.app[SETTINGS].app_secret]
    if not signed(body, headers[0] if headers else None, secrets):
        raise BodyRefused("signature", 401)
    return body


async def _parsed(body: bytes) -> Notification:
    """Parse a large body in a thread, because megabytes of JSON would hold up other requests."""
    if len(body) <= _PARSED_AT_ONCE:
        return parse(body, datetime.now(UTC))
    return await asyncio.to_thread(parse, body, datetime.now(UTC))


async def _store_all(notification: Notification, app: web.Application) -> None:
    await _store(notification, app[INBOX], app[DELIVERIES])
    for change in notification.changes:
        await handle(change, app[EVENT_CONTEXT])
    await app[REPLICAS].caught_up()


async def _store(
    notification: Notification, inbox: MicroBatcher[Inbound, bool], deliveries: MicroBatcher[Status, bool]
) -> None:
    for status in notification.statuses:
        _status_count(status.status if status.status in _STATUSES else "other").inc()
    if not notification.statuses and len(notification.messages) == 1:
        # The common case: a future is awaited for a fifth of what asyncio.wait costs.
        await inbox(notification.messages[0])
        return
    # All items are under way before the first failure is raised, so that all others are stored.
    under_way = [*map(inbox, notification.messages), *map(deliveries, notification.statuses)]
    try:
        if under_way:
            await asyncio.wait(under_way)
    finally:
        # After a time-out nobody waits for them any more.
        for task in under_way:
            task.cancel()
    failures = [failure for task in under_way if (failure := task.exception()) is not None]
    if failures:
        raise failures[0]


def _rejected(reason: str, status: int) -> web.Response:
    WEBHOOK_REJECTED.labels(reason).inc()
    return web.Response(status=status, text=reason)
