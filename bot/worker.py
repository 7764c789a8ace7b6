"""The queue workers: everything a turn needs, made once; one processor a queue; and the sweep for lost nudges."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.agent.loop import Agent
from bot.agent.tool import Services
from bot.agent.tools.catalog import tools_for
from bot.agent.vocabulary import library_of
from bot.ai.openrouter import OpenRouter
from bot.conversations.budget import Budget
from bot.conversations.confirmations import Confirmations
from bot.conversations.contacts import Contacts
from bot.conversations.dead_letters import DeadLetters
from bot.conversations.events import EventPublisher
from bot.conversations.handoff import HandOff
from bot.conversations.lease import ConversationLeases
from bot.conversations.memory import Memory
from bot.conversations.rate_limit import MessageRateLimit
from bot.delivery.notifications import Notifications
from bot.delivery.outbox import Outbox, outbox_of
from bot.infra import queues
from bot.infra.guarded_http import GuardedHttpClient
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import MetricsShipper
from bot.infra.queues import JobScheduler
from bot.infra.redis import connect, ended, refuse_cluster
from bot.integrations.email.composer import BusinessName
from bot.integrations.email.factory import email_queue
from bot.integrations.email.verification import Verification
from bot.integrations.event_webhooks import EventDeliveries
from bot.integrations.push.invitations import invitation_of
from bot.integrations.push.sender import PushSender
from bot.integrations.stripe import events as stripe_events
from bot.integrations.stripe import plan_changes
from bot.integrations.stripe.billing import billing_of, event_handler_of
from bot.media.archive import Archive
from bot.media.readers import MediaReaders
from bot.media.readings import ReadingCache
from bot.media.understanding import MediaPerception
from bot.products import card_message
from bot.products.card_reader import CardReader
from bot.products.factory import captures_of
from bot.prompting.library import Library
from bot.prompting.watcher import watch
from bot.settings import Settings
from bot.storage.factory import storage_of
from bot.storage.files import expire, files_of, quota_of
from bot.storage.storage import Storage, StorageFailed
from bot.turns.canary import CanaryRecorder
from bot.turns.merge import ConversationMerger
from bot.turns.responder import Responder
from bot.turns.revisions import MessageRevisions
from bot.turns.rules import MessageRules
from bot.turns.runner import ConversationRunner
from bot.turns.summarizer import Summarizer
from bot.turns.turn import Stations, TurnProcessor
from bot.whatsapp.client import Graph
from bot.whatsapp.templates.files import definitions
from bot.whatsapp.templates.registry import Templates

_log = structlog.get_logger()

_LEASE_SECONDS = 6.0
_SWEEP_SECONDS = 3.0
# A message that has waited this long beyond its burst lost its nudge: its job died twice, or was never added.
_OVERDUE_SECONDS = 10.0
_RESEND_SECONDS = 1.0
_DUE_AGAIN_SECONDS = 3.0
_WITHOUT_KEY_SECONDS = 60.0
_EXPIRE_SECONDS = 3600.0
CONCURRENCY = 100


def _named_by(library: Library) -> BusinessName:
    """The business's name in the release that is current when it is asked for."""

    async def name() -> str:
        return (await library.now()).business.name

    return name


@asynccontextmanager
async def running(
    settings: Settings, names: tuple[queues.Name, ...], concurrency: int, *, lease_seconds: float = _LEASE_SECONDS
) -> AsyncIterator[None]:
    """Work on the queues until the context ends; ending it waits for the jobs in hand.

    A conversation whose worker dies or stands still is another's after `lease_seconds`.
    """
    async with AsyncExitStack() as stack:
        redis = await _redis(stack, settings)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        library = library_of(redis, settings)
        prompts = await library.open()
        leases = ConversationLeases(redis, lease_seconds=lease_seconds)
        graph = Graph(http, settings.whatsapp)
        memory = Memory(redis, settings.memory)
        contacts, events = Contacts(redis, settings.channel.staff_contacts), LiveEvents(redis)
        subscribers = EventPublisher(redis, settings.subscribers)
        handoff = HandOff(contacts, events, subscribers)
        senses = MediaReaders(settings.whisper, settings.vision)
        stack.push_async_callback(senses.close)
        model = OpenRouter(settings.llm)
        stack.push_async_callback(model.close)
        scheduler = await stack.enter_async_context(JobScheduler(redis).running())
        templates = Templates(
            redis,
            graph,
            definitions(settings.service.templates_dir),
            default_language=settings.service.default_language,
        )
        storage, business = storage_of(settings.storage), prompts.business
        archive, language = Archive(redis, storage, quota_of(settings.storage)), settings.service.default_language
        outbox = outbox_of(redis, graph, leases, contacts, templates, settings)
        notices = Notifications(redis, leases, contacts, memory, outbox, templates)
        billing = billing_of(redis, http, contacts, storage, graph, settings)
        email_of = billing.customers.email_of if billing else None
        mail = await stack.enter_async_context(
            email_queue(
                redis, settings.mail, storage, business=_named_by(library), language=language, email_of=email_of
            )
        )
        budget = Budget(redis, settings.budget, settings.service.zone)
        captures, confirming = captures_of(
            redis,
            storage,
            subscribers.tell,
            CardReader(
                eyes=lambda conversation: senses.eyes(budget.account(conversation), ReadingCache(redis, conversation)),
                model=model,
                budget=budget,
                shop_currency=settings.service.shop_currency,
            ),
        )
        responder = Responder(
            contacts=contacts,
            message_rules=MessageRules(contacts, handoff, settings.channel),
            confirmations=Confirmations(
                redis,
                {card_message.KIND: confirming.confirm}
                | ({plan_changes.KIND: billing.changes.perform} if billing else {}),
                left={card_message.KIND: confirming.leave},
            ),
            captures=captures,
            agent=Agent(model, tools_for),
            services=Services(
                business=business,
                handoff=handoff,
                notices=notices,
                files=files_of(redis, settings),
                mail=mail,
                push=invitation_of(redis, settings),
                billing=billing,
                verification=Verification(redis) if billing and mail else None,
                products=confirming.catalogue,
            ),
            events=events,
            budget=budget,
            zone=settings.service.zone,
        )
        stations = Stations(
            redis=redis,
            leases=leases,
            contacts=contacts,
            memory=memory,
            library=library,
            rate=MessageRateLimit(redis, settings.channel.rate_limit_contact),
            perception=MediaPerception(redis, graph, senses, archive, budget),
            responder=responder,
            outbox=outbox,
            records=MessageRevisions(redis, leases, memory, archive),
            events=events,
            graph=graph,
            scheduler=scheduler,
            dead_letters=DeadLetters(redis),
            subscribers=subscribers,
            canary_recorder=CanaryRecorder(redis, library),
        )
        turns = TurnProcessor(stations, settings.turn, settings.service)
        shift = ConversationRunner(leases, outbox, ConversationMerger(redis, leases, memory), turns.take)
        summaries = Summarizer(model, memory, library, budget)
        ship = MetricsShipper(redis)
        stack.push_async_callback(ship.flush)
        await _alongside(stack, ship.run(), _warm_up())
        to_subscribers = _guarded(stack, allow_private=settings.subscribers.allow_private)
        pushes = PushSender(redis, settings.push, events, _guarded(stack, allow_private=settings.push.allow_private))
        processors: dict[queues.Name, queues.Processor] = {
            "llm": _llm(shift, summaries),
            "notification": queues.by_name(
                {
                    "template": notices.process,
                    "push": pushes.process,
                    stripe_events.JOB: event_handler_of(billing, redis, notices, settings, subscribers.tell).process
                    if billing
                    else _without_key,
                }
            ),
            "webhook": EventDeliveries(redis, settings.subscribers, events, to_subscribers).process,
        }
        if mail is not None:
            # Without a provider jobs wait until there is one.
            processors["email"] = mail.process
        ours = {name: processors[name] for name in names if name in processors}
        await stack.enter_async_context(queues.working(ours, settings.redis, concurrency=concurrency))
        await _alongside(stack, _sweep(leases, scheduler))
        if settings.service.prompts_release == "watch":
            await _alongside(stack, watch(library))
        expiring = _expire(redis, storage, settings.storage.keep_days)
        await _alongside(stack, _resend(outbox, leases, graph, scheduler), expiring)
        _log.info(
            "worker_ready",
            queues=list(ours),
            waiting=sorted({*names} - {*ours}),
            concurrency=concurrency,
            release=prompts.release,
        )
        yield


async def _redis(stack: AsyncExitStack, settings: Settings) -> Redis:
    redis = connect(settings.redis)
    stack.push_async_callback(redis.aclose)
    await refuse_cluster(redis)
    return redis


def _guarded(stack: AsyncExitStack, *, allow_private: bool) -> GuardedHttpClient:
    guarded = GuardedHttpClient(allow_private=allow_private)
    stack.push_async_callback(guarded.close)
    return guarded


def _llm(shift: ConversationRunner, summaries: Summarizer) -> queues.Processor:
    async def process(task: queues.Job) -> None:
        conversation = str(task.data["conversation"])
        with structlog.contextvars.bound_contextvars(conversation=conversation):
            if task.name == "summary":
                await summaries.make(conversation)
            else:
                await shift.work(conversation)

    return process


async def _without_key(_: queues.Job) -> None:
    """Stripe got its 200 for the event and won't repeat it: it waits for a worker that can ask Stripe."""
    _log.error("stripe_event_waits", fix="set STRIPE_SECRET_KEY for every worker")
    raise queues.RetryLater(_WITHOUT_KEY_SECONDS, "STRIPE_SECRET_KEY is not set on this worker")


async def _warm_up() -> None:
    """Load what the first turn would otherwise wait for, beside the loop: the SDK takes half a second to import."""
    await asyncio.to_thread(importlib.import_module, "openai")


async def _sweep(leases: ConversationLeases, scheduler: JobScheduler) -> None:
    """Ask again for conversations whose messages have waited too long. The id is new with every round."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            for conversation in await leases.overdue(_OVERDUE_SECONDS):
                scheduler.turn(conversation, f"{conversation}-sweep-{int(time.time() / _OVERDUE_SECONDS)}")
        except (RedisError, OSError) as error:
            _log.warning("sweep_failed", error=type(error).__name__)


async def _resend(outbox: Outbox, leases: ConversationLeases, graph: Graph, scheduler: JobScheduler) -> None:
    """Ask for turns where something has to be sent by now, unless sending is paused; and find out when that ends."""
    while True:
        await asyncio.sleep(_RESEND_SECONDS)
        try:
            if await outbox.pause.over(graph):
                for conversation in await leases.free(await outbox.deliveries.due()):
                    scheduler.turn(conversation, f"{conversation}-due-{int(time.time() / _DUE_AGAIN_SECONDS)}")
        except (RedisError, OSError) as error:
            _log.warning("resending_failed", error=type(error).__name__)


async def _expire(redis: Redis, storage: Storage, days: float) -> None:
    """Delete files whose time is over; a full hundred says that there may be more."""
    while True:
        try:
            while await expire(redis, storage, days):
                pass
        except (RedisError, OSError, StorageFailed) as error:
            _log.warning("files_not_expired", error=type(error).__name__)
        await asyncio.sleep(_EXPIRE_SECONDS)


async def _alongside(stack: AsyncExitStack, *works: Awaitable[None]) -> None:
    """Run something until the stack unwinds, and wait for its end."""
    for work in works:
        stack.push_async_callback(ended, asyncio.ensure_future(work))
