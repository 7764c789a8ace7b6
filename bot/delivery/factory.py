"""Builds the outbox from its parts."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.conversations.contacts import Contacts
from bot.conversations.events import EventPublisher
from bot.conversations.lease import ConversationLeases
from bot.conversations.memory import Memory
from bot.conversations.waiting_list import WaitingList
from bot.delivery.failures import DeliveryFailures
from bot.delivery.outbox import Outbox
from bot.delivery.pause import SendingPause
from bot.delivery.policy import SendPolicy
from bot.delivery.rate_limiter import SendRateLimiter
from bot.delivery.reporter import DeliveryReporter
from bot.delivery.sender import MessageSender
from bot.delivery.statuses import DeliveryStatuses
from bot.delivery.uploads import Uploads
from bot.infra.live_events import LiveEvents
from bot.infra.replicas import Replicas
from bot.settings import Settings
from bot.storage.factory import storage_of
from bot.whatsapp.client import Graph
from bot.whatsapp.templates.registry import Templates


def outbox_of(  # noqa: PLR0913, PLR0917 - its collaborators
    redis: Redis, graph: Graph, leases: ConversationLeases, contacts: Contacts, templates: Templates, settings: Settings
) -> Outbox:
    """Outbox for the settings. All processes share its state in Redis."""
    events, publisher = LiveEvents(redis), EventPublisher(redis, settings.subscribers)
    send_rate, pause = SendRateLimiter(redis, settings.whatsapp.messages_per_second), SendingPause(redis, events)
    statuses, memory = DeliveryStatuses(redis, events), Memory(redis, settings.memory)
    return Outbox(
        redis=redis,
        leases=leases,
        statuses=statuses,
        sender=MessageSender(
            redis=redis,
            graph=graph,
            send_rate=send_rate,
            uploads=Uploads(redis, graph, storage_of(settings.storage)),
            templates=templates,
            replicas=Replicas(redis, settings.redis.wait_replicas),
            ttl_seconds=memory.ttl_seconds,
            lease_seconds=leases.lease_seconds,
        ),
        failures=DeliveryFailures(leases, contacts, statuses, send_rate, pause, events, publisher),
        policy=SendPolicy(contacts, WaitingList(redis), templates),
        reporter=DeliveryReporter(events, publisher),
        memory=memory,
    )
