"""The web server: makes its parts, starts them in order, stops them in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import aiohttp
import structlog
from aiohttp import web
from prometheus_client.core import GaugeMetricFamily
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.conversations import rate_limit
from bot.conversations.budget import Budget
from bot.conversations.contacts import Contacts
from bot.conversations.events import EventPublisher
from bot.conversations.handoff import HandOff
from bot.conversations.inbox import MOST_WAITING, Inbox
from bot.conversations.thread_control import ThreadControl
from bot.conversations.waiting_list import WaitingList
from bot.delivery.fees import MetaFees
from bot.delivery.pause import SendingPause
from bot.delivery.service_messages import ServiceMessages
from bot.delivery.statuses import DeliveryStatuses
from bot.history.stream import HistoryStream
from bot.infra import bounded_http, queue_admin, queues
from bot.infra.alerts import Alerts
from bot.infra.background import background
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import MetricsShipper
from bot.infra.queues import JobScheduler
from bot.infra.redis import MicroBatcher, connect, refuse_cluster
from bot.infra.replicas import Replicas
from bot.integrations.push.invitations import InvitationLinks
from bot.messages.inbound import Inbound
from bot.prompting.releases import read_current_release
from bot.settings import Settings
from bot.settings.message_prices import read_prices
from bot.storage.files import files_of
from bot.web import files, push, whatsapp
from bot.web import stripe as stripe_webhook
from bot.web.console import api, token_routes
from bot.web.console.parts import OPENING, ConsoleOpening
from bot.web.request_bodies import BODIES, RequestBodies, plain_bodies_only
from bot.web.token_guard import GUARD, TokenGuard
from bot.web.whatsapp_events import EventContext
from bot.whatsapp.client import Graph
from bot.whatsapp.templates.registry import Templates
from bot.whatsapp.templates.status_events import TemplateStatusHandler

_log = structlog.get_logger()

REDIS = web.AppKey("redis", Redis)
METRICS_SHIPPER = web.AppKey("metrics_shipper", MetricsShipper)
WAITING = web.AppKey("waiting", WaitingList)
_SETTINGS = web.AppKey("settings", Settings)
_SCHEDULER = web.AppKey("scheduler", JobScheduler)
_GRAPH = web.AppKey("graph", Graph)
_HTTP = web.AppKey("http", aiohttp.ClientSession)
_TEMPLATE_STATUSES = web.AppKey("template_statuses", TemplateStatusHandler)
# The page of metrics that is being made now, if one is.
_METRICS_PAGE = web.AppKey("metrics_page", list[asyncio.Future[bytes]])

# A load balancer that asks whether we are ready does not wait for long.
_READY_SECONDS = 2.0
# Beyond so many messages that wait for one round trip to Redis, storing goes before turns.
_FLOOD = 8
# Of every answer that names no others: what it says is for its asker alone, and no browser may run or frame it.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

routes = web.RouteTableDef()


def create_app(settings: Settings) -> web.Application:
    """The server with all its routes. Raises SettingsWrong when it could not do its work."""
    settings.require(server=True)
    app = web.Application(client_max_size=whatsapp.BODY_LIMIT, middlewares=[plain_bodies_only, _answer_failures])
    app[_SETTINGS] = settings
    app[whatsapp.SETTINGS] = settings.whatsapp
    app[BODIES] = RequestBodies()
    app[GUARD] = TokenGuard()
    app[_METRICS_PAGE] = []
    app.add_routes(whatsapp.routes)
    app.add_routes(files.routes)
    app.add_routes(push.routes)
    app.add_routes(routes)
    # Without the key nobody could work on an event: 404 lets Stripe repeat it until there is one.
    if settings.stripe.webhook_secret and settings.stripe.secret_key:
        app[stripe_webhook.SETTINGS] = settings.stripe
        app.add_routes(stripe_webhook.routes)
    if settings.service.console_token:
        app[token_routes.CONSOLE_TOKEN] = settings.service.console_token.get_secret_value()
        api.add_console(app, settings)
        app[token_routes.CLOSING] = asyncio.Event()
        app[token_routes.STREAM_SLOTS] = asyncio.Semaphore(token_routes.MOST_STREAMS)
        app.on_shutdown.append(_close_streams)
    app.on_response_prepare.append(_add_headers)
    app.cleanup_ctx.extend([_redis, _graph, _inbox, _metrics, _console])
    return app


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok")


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """200 when Redis answers and takes a write; else 503 with the reasons. Wrong settings stop the start already."""
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await request.app[REDIS].set("recado:readyz", "1", ex=60)
    except (RedisError, OSError) as error:
        reason = f"Redis does not answer or can't be written ({type(error).__name__}); see REDIS_URL and its memory"
        return web.json_response({"ready": False, "reasons": [reason]}, status=503)
    return web.json_response({"ready": True, "reasons": []})


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Prometheus text: what all processes counted, and what waits now. Behind METRICS_TOKEN, where it is set."""
    token = request.app[_SETTINGS].service.metrics_token
    if token:
        request.app[GUARD].check(request, token.get_secret_value(), realm="metrics", basic=True)
    # Requests that come while the page is being made get the same page, so that two cost as much as one.
    making = request.app[_METRICS_PAGE]
    if not making:
        making.append(asyncio.ensure_future(_page(request.app)))
        making[0].add_done_callback(lambda _: making.clear())
    body = await asyncio.shield(making[0])
    return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def _page(app: web.Application) -> bytes:
    gauges = []
    try:
        unaccounted = GaugeMetricFamily("recado_messages_unaccounted", "Messages that have no end state yet")
        unaccounted.add_metric([], await app[WAITING].count())
        jobs = GaugeMetricFamily("recado_queue_jobs", "Jobs by queue and state", labels=["queue", "state"])
        for name in queues.QUEUES:
            for state, count in (await queue_admin.counts(app[REDIS], name)).items():
                jobs.add_metric([name, state], count)
        paused = GaugeMetricFamily("recado_sending_paused", "1 while nothing is sent because Meta lets nobody send")
        paused.add_metric([], 1 if await SendingPause(app[REDIS], app[token_routes.EVENTS]).current() else 0)
        release = GaugeMetricFamily(
            "recado_prompts_release", "1 for the prompts that turns begin with", labels=["release"]
        )
        candidate = GaugeMetricFamily(
            "recado_prompts_candidate_percent", "The share of contacts that have a candidate", labels=["release"]
        )
        active = await read_current_release(app[REDIS])
        if active.current:
            release.add_metric([active.current], 1)
        if active.canary:
            candidate.add_metric([active.canary.release], active.canary.percent)
        backlog = GaugeMetricFamily("recado_history_backlog", "Entries of the history that the database lacks")
        backlog.add_metric([], await HistoryStream(app[REDIS]).length())
        service = GaugeMetricFamily(
            "recado_service_messages_month", "This month's service messages by Meta's charge", labels=["number", "type"]
        )
        for charge, count in (await ServiceMessages(app[REDIS], app[token_routes.EVENTS]).of_month()).items():
            service.add_metric(charge, count)
        gauges = [unaccounted, jobs, paused, release, candidate, service, backlog]
    except (RedisError, OSError):
        # Without Redis the page still tells what this process counted; readyz tells that Redis is away.
        gauges = []
    return await app[METRICS_SHIPPER].page(gauges)


@web.middleware
async def _answer_failures(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer 400 to unreadable bytes and 503 while Redis fails, without a traceback."""
    try:
        response = await handler(request)
    except (web.RequestPayloadError, ConnectionResetError):
        # The second is a client who went away in the middle of it.
        response = web.json_response({"error": "the body can't be read; see its encoding and length"}, status=400)
    except (RedisError, OSError) as error:
        _log.error("request_not_served", error=type(error).__name__, fix="see that Redis answers and has memory left")
        response = web.json_response({"error": "the service is not ready; try again in a moment"}, status=503)
    if request.content.exception() is not None:
        # Because the rest of the body was not read, the beginning of the next request is unknown.
        response.force_close()
    return response


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Streams, files and refusals get them too; an application below this one has its own."""
    if request.match_info.apps == (request.app,):
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)


async def _close_streams(app: web.Application) -> None:
    """Open pages would hold up the end until its time is over."""
    app[token_routes.CLOSING].set()


async def _redis(app: web.Application) -> AsyncIterator[None]:
    async with (
        connect(app[_SETTINGS].redis) as client,
        Replicas(client, app[_SETTINGS].redis.wait_replicas).running() as replicas,
    ):
        await refuse_cluster(client)
        app[whatsapp.REPLICAS] = app[stripe_webhook.REPLICAS] = replicas
        app[REDIS] = app[stripe_webhook.REDIS] = client
        app[push.SERVICES] = push.PushServices(
            client, app[_SETTINGS].push, app[_SETTINGS].service.default_language, InvitationLinks(client)
        )
        app[WAITING] = WaitingList(client)
        app[files.FILES] = files_of(client, app[_SETTINGS])
        app[token_routes.EVENTS] = LiveEvents(client)
        yield


async def _graph(app: web.Application) -> AsyncIterator[None]:
    async with bounded_http.session() as http:
        settings = app[_SETTINGS]
        app[_HTTP] = http
        app[_GRAPH] = graph = Graph(http, settings.whatsapp)
        templates = Templates(app[REDIS], graph, default_language=settings.service.default_language)
        events, contacts = app[token_routes.EVENTS], Contacts(app[REDIS])
        app[_TEMPLATE_STATUSES] = TemplateStatusHandler(templates, events)
        app[token_routes.THREADS] = ThreadControl(app[REDIS], graph, contacts, events)
        subscribers = EventPublisher(app[REDIS], settings.subscribers)
        app[token_routes.HANDOFF] = HandOff(contacts, events, subscribers, app[token_routes.THREADS])
        yield


async def _inbox(app: web.Application) -> AsyncIterator[None]:
    redis, channel, events = app[REDIS], app[_SETTINGS].channel, app[token_routes.EVENTS]
    async with JobScheduler(redis).running() as scheduler:
        app[_SCHEDULER] = scheduler
        inbox = Inbox(
            redis,
            scheduler.turn,
            echo_pause=timedelta(minutes=channel.echo_pause_minutes),
            # More than is answered, so that the turn can say that there were too many.
            most_waiting=max(MOST_WAITING, 2 * rate_limit.count(channel.rate_limit_contact)),
        )

        async def accept(messages: list[Inbound]) -> list[bool | Exception]:
            if len(messages) > _FLOOD:
                scheduler.in_flood()
            return await inbox.accept(messages)

        app[whatsapp.EVENT_CONTEXT] = EventContext(
            redis, inbox, Contacts(redis), events, Alerts(redis, events), app[_TEMPLATE_STATUSES]
        )
        async with (
            MicroBatcher(accept, seconds=whatsapp.STORE_SECONDS).running() as messages,
            MicroBatcher(
                DeliveryStatuses(redis, events, _fees(app)).record, seconds=whatsapp.STORE_SECONDS
            ).running() as deliveries,
        ):
            app[whatsapp.INBOX] = messages
            app[whatsapp.DELIVERIES] = deliveries
            yield


def _fees(app: web.Application) -> MetaFees:
    settings, redis = app[_SETTINGS], app[REDIS]
    budget = Budget(redis, settings.budget, settings.service.zone)
    return MetaFees(redis, read_prices(settings.whatsapp.prices), budget)


async def _console(app: web.Application) -> AsyncIterator[None]:
    opening = ConsoleOpening(app[_SETTINGS], app[REDIS], app[_HTTP], app[_GRAPH], app[_SCHEDULER])
    app[OPENING] = opening
    yield
    await opening.close()


async def _metrics(app: web.Application) -> AsyncIterator[None]:
    app[METRICS_SHIPPER] = MetricsShipper(app[REDIS])
    async with background(app[METRICS_SHIPPER].run):
        yield
    await app[METRICS_SHIPPER].flush()
