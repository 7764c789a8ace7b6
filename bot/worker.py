"""The queue workers: one processor for each queue, and the sweeps for lost jobs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.ai.openrouter import OpenRouter
from bot.conversations import opt_outs
from bot.conversations.lease import ConversationLeases, LeaseLost
from bot.conversations.waiting_list import WaitingList
from bot.database.lazy import LazyDatabase
from bot.delivery.outbox import Outbox
from bot.delivery.pickup import PickupWatch
from bot.history.opening import is_away, shorten
from bot.infra import queues
from bot.infra.background import Work, background
from bot.infra.metrics import MetricsShipper
from bot.infra.queues import JobScheduler
from bot.integrations.email.digest import WaitingDigest
from bot.integrations.push.operators import OperatorAlarm
from bot.integrations.stripe import event_kinds
from bot.knowledge.watcher import watch as watch_documents
from bot.prompting.release_gate import EvaluateCases, no_evaluation
from bot.prompting.watcher import watch
from bot.services import LEASE_SECONDS, Services, open_services
from bot.services.turns import TurnParts
from bot.settings import Settings
from bot.storage.file_index import expire
from bot.storage.storage import Storage, StorageFailed
from bot.turns.runner import ConversationRunner
from bot.turns.summarizer import Summarizer
from bot.whatsapp.client import Graph

_log = structlog.get_logger()

_SWEEP_SECONDS = 3.0
# After this time beyond its burst, a message has lost its job, which died twice or was never added.
_OVERDUE_SECONDS = 10.0
_RESEND_SECONDS = 1.0
_DUE_AGAIN_SECONDS = 3.0
_WITHOUT_KEY_SECONDS = 60.0
_EXPIRE_SECONDS = 3600.0
_LOOK_SECONDS = 10.0
_FORGET_SECONDS = 600.0


@asynccontextmanager
async def running(  # noqa: PLR0913 - its settings, its queues, and options
    settings: Settings,
    names: tuple[queues.Name, ...],
    concurrency: int | None = None,
    *,
    lease_seconds: float = LEASE_SECONDS,
    evaluate: EvaluateCases = no_evaluation,
    history: bool = True,
) -> AsyncIterator[None]:
    """Work on the queues until the context ends; the end waits for jobs under way.

    Without `history` the entries of the history stay in their stream.
    """
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(
            open_services(settings, lease_seconds=lease_seconds, evaluate=evaluate)
        )
        prompts = await services.library.open()
        scheduler = await stack.enter_async_context(services.scheduler.running())
        ship = MetricsShipper(services.redis)
        stack.push_async_callback(ship.flush)
        await stack.enter_async_context(background(ship.run))
        if history:
            await stack.enter_async_context(services.history_consumer.running())
            forget = partial(_forget_old, services.database, settings.database.history_days)
            await stack.enter_async_context(background(forget))
        processors = await _processors(services)
        our_processors = {name: processors[name] for name in names if name in processors}
        await stack.enter_async_context(queues.working(our_processors, settings.redis, concurrency=concurrency))
        await stack.enter_async_context(background(*_sweeps(services, scheduler)))
        _log.info(
            "worker_ready",
            queues=list(our_processors),
            waiting=sorted({*names} - {*our_processors}),
            concurrency={name: concurrency or queues.CONCURRENCY[name] for name in our_processors},
            release=prompts.release,
        )
        yield


async def _processors(services: Services) -> dict[queues.Name, queues.Processor]:
    """The processor of each queue. Without an e-mail provider, e-mail jobs wait until there is one."""
    email, stripe = await services.open_email(), services.stripe_events
    turn_parts = TurnParts(services)
    notification = queues.by_name(
        {
            "template": services.notifications.process,
            "push": services.pushes.process,
            event_kinds.JOB: stripe.process if stripe else _without_key,
        }
    )
    found: dict[queues.Name, queues.Processor] = {
        "llm": _turn_processor(turn_parts.runner, turn_parts.summarizer, services.model),
        "notification": notification,
        "webhook": services.event_deliveries.process,
    }
    return found | ({"email": email.process} if email else {})


def _turn_processor(runner: ConversationRunner, summarizer: Summarizer, model: OpenRouter) -> queues.Processor:
    async def process(job: queues.Job) -> None:
        # While the burst goes on.
        model.load()
        conversation = job.data.get("conversation")
        if not isinstance(conversation, str):
            raise queues.JobRejected("conversation: expected its key")
        with structlog.contextvars.bound_contextvars(conversation=conversation):
            if job.name == "summary":
                await summarizer.make(conversation)
            else:
                await runner.work(conversation)

    return process


async def _without_key(_: queues.Job) -> None:
    """Keep the event for a worker with a key, because Stripe got its 200 and won't repeat it."""
    _log.error("stripe_event_waits", fix="set STRIPE_SECRET_KEY for every worker")
    raise queues.RetryLater(_WITHOUT_KEY_SECONDS, "STRIPE_SECRET_KEY is not set on this worker")


def _sweeps(services: Services, scheduler: JobScheduler) -> list[Work]:
    """Everything that a worker looks at again and again, beside its jobs."""
    settings, redis = services.settings, services.redis
    works = [
        partial(_sweep, services.waiting_list, services.leases, scheduler),
        partial(_resend, services.outbox, services.leases, services.graph, scheduler),
        partial(_expire, redis, services.storage, settings.storage.keep_days),
        partial(_list_objections, redis),
        partial(services.outbox.sender.send_rate.throughput.watch, services.graph),
    ]
    if settings.service.console_token is not None:
        works.append(partial(_look_for_waiting, pickups(services), alarm_of(services), digest_of(services)))
    if settings.service.prompts_release == "watch":
        works.append(partial(watch, services.library))
        works.append(partial(watch_documents, redis, settings, services.database))
    return list(works)


async def _sweep(waiting_list: WaitingList, leases: ConversationLeases, scheduler: JobScheduler) -> None:
    """Add jobs for conversations whose messages have waited too long. The job's id changes every 10 seconds."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            for conversation in await leases.free(await waiting_list.overdue(_OVERDUE_SECONDS)):
                scheduler.turn(conversation, f"{conversation}-sweep-{int(time.time() / _OVERDUE_SECONDS)}")
        except (RedisError, OSError) as error:
            _log.warning("sweep_failed", error=type(error).__name__)


async def _resend(outbox: Outbox, leases: ConversationLeases, graph: Graph, scheduler: JobScheduler) -> None:
    """Add jobs for conversations with messages that are due, and end a pause of sending when Meta answers again."""
    while True:
        await asyncio.sleep(_RESEND_SECONDS)
        try:
            if await outbox.pause.is_over(graph):
                for conversation in await leases.free(await outbox.statuses.due()):
                    scheduler.turn(conversation, f"{conversation}-due-{int(time.time() / _DUE_AGAIN_SECONDS)}")
        except (RedisError, OSError) as error:
            _log.warning("resending_failed", error=type(error).__name__)


def pickups(services: Services) -> PickupWatch:
    """The watch over customers who asked for a person."""
    service = services.settings.service
    return PickupWatch(
        services.assignments,
        services.contacts,
        services.notifications,
        services.events,
        service.console_pickup_minutes * 60,
        service.default_language,
    )


def alarm_of(services: Services) -> OperatorAlarm | None:
    """The notifications to operators' phones; None if they are not set up."""
    settings, service = services.settings, services.settings.service
    if not settings.push.configured or service.public_url is None:
        return None
    parts = services.redis, services.assignments, services.database, service.public_url, service.default_language
    return OperatorAlarm(*parts)


def digest_of(services: Services) -> WaitingDigest | None:
    """The mails to operators while nobody is at the console; None without a provider of e-mail."""
    service = services.settings.service
    if not services.settings.mail.configured:
        return None
    return WaitingDigest(
        services.redis,
        services.assignments,
        services.contacts,
        services.database,
        service.console_digest_minutes * 60,
        service.console_digest_every_minutes * 60,
        service.public_url,
    )


async def _look_for_waiting(watch_: PickupWatch, alarm: OperatorAlarm | None, digest: WaitingDigest | None) -> None:
    """Tell customers whom nobody answers, as far as somebody could: there is a console."""
    while True:
        await asyncio.sleep(min(_LOOK_SECONDS, watch_.seconds))
        try:
            await watch_.look()
            if alarm is not None:
                await alarm.look()
            if digest is not None:
                await digest.look()
        except (RedisError, OSError) as error:
            _log.warning("pickups_not_looked_at", error=type(error).__name__)
        except LeaseLost:
            _log.warning("pickup_not_told", fix="none needed: it is tried again")
        except Exception as error:
            # Only the alarm and the digest read the database.
            if not await is_away(error):
                raise
            _log.warning("operators_not_read", error=type(error).__name__)


async def _list_objections(redis: Redis) -> None:
    """List the objections to marketing of before there was a list."""
    while True:
        try:
            await opt_outs.complete_list(redis)
        except (RedisError, OSError) as error:
            _log.warning("objections_not_listed", error=type(error).__name__)
            await asyncio.sleep(_SWEEP_SECONDS)
        else:
            return


async def _expire(redis: Redis, storage: Storage, days: float) -> None:
    """Delete expired files. `expire` deletes up to a hundred at a time, so we repeat it until none is left."""
    while True:
        try:
            while await expire(redis, storage, days):
                pass
        except (RedisError, OSError, StorageFailed) as error:
            _log.warning("files_not_expired", error=type(error).__name__)
        await asyncio.sleep(_EXPIRE_SECONDS)


async def _forget_old(database: LazyDatabase, days: int) -> None:
    """Let the history forget what is too old. A worker that writes none leaves it to the others."""
    while True:
        await asyncio.sleep(_FORGET_SECONDS)
        if not database.is_open:
            continue
        try:
            forgotten = await shorten(database, days)
        except Exception as error:
            if not await is_away(error):
                raise
            _log.warning("history_not_shortened", error=type(error).__name__)
        else:
            if forgotten:
                _log.info("history_shortened", rows=forgotten)
