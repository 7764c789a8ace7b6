"""Parts that several processes or commands share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property

import aiohttp
from redis.asyncio import Redis

from bot.agent.tool import ToolServices
from bot.agent.vocabulary import library_of
from bot.ai.openrouter import OpenRouter
from bot.catalogue.card_sync import CardSync
from bot.catalogue.finder import ProductFinder
from bot.conversations.assignment import Assignments
from bot.conversations.budget import Budget
from bot.conversations.contacts import Contacts
from bot.conversations.events import EventPublisher
from bot.conversations.handoff import HandOff
from bot.conversations.lease import ConversationLeases
from bot.conversations.memory import Memory
from bot.conversations.waiting_list import WaitingList
from bot.database.lazy import LazyDatabase
from bot.delivery.factory import outbox_of
from bot.delivery.notifications import Notifications
from bot.delivery.outbox import Outbox
from bot.delivery.statuses import DeliveryStatuses
from bot.history.consumer import HistoryConsumer
from bot.history.opening import OpenHistory, personal_history
from bot.infra import bounded_http
from bot.infra.alerts import Alerts
from bot.infra.guarded_http import GuardedHttpClient
from bot.infra.live_events import LiveEvents
from bot.infra.queues import JobScheduler
from bot.infra.redis import connect, refuse_cluster
from bot.integrations.email.composer import BusinessName
from bot.integrations.email.factory import email_queue
from bot.integrations.email.queue import EmailQueue
from bot.integrations.email.verification import Verification
from bot.integrations.event_webhooks import EventDeliveries
from bot.integrations.push.invitations import invitation_of
from bot.integrations.push.sender import PushSender
from bot.integrations.stripe.billing import Billing, billing_of, event_handler_of
from bot.integrations.stripe.events import StripeEventHandler
from bot.knowledge.gaps import KnowledgeGaps
from bot.knowledge.knowledge import Knowledge, knowledge_of
from bot.media.archive import Archive
from bot.media.cache import ReadingCache
from bot.media.readers import MediaReaders
from bot.media.understanding import MediaPerception, MediaStore
from bot.privacy import PersonalData
from bot.products.capture import ProductCapture
from bot.products.card_reader import CardReader
from bot.products.confirm import ProductConfirmer
from bot.products.factory import captures_of
from bot.prompting.library import Library
from bot.prompting.release_gate import EvaluateCases, no_evaluation
from bot.settings import Settings
from bot.storage.factory import storage_of
from bot.storage.file_index import quota_of
from bot.storage.files import Files, files_of
from bot.storage.storage import Storage
from bot.whatsapp.client import Graph
from bot.whatsapp.templates.files import definitions
from bot.whatsapp.templates.registry import Templates

# After this time, another worker takes the conversation of one that died or stopped.
LEASE_SECONDS = 6.0


class Services:
    """Parts of one process. Each part is made at its first use and then shared.

    `stack` closes what a part opens, when the process ends.
    """

    def __init__(  # noqa: PLR0913 - its resources, and two options
        self,
        settings: Settings,
        redis: Redis,
        http: aiohttp.ClientSession,
        stack: AsyncExitStack,
        *,
        lease_seconds: float = LEASE_SECONDS,
        evaluate: EvaluateCases = no_evaluation,
    ) -> None:
        self.settings = settings
        self.redis = redis
        self._http = http
        self.stack = stack
        self._lease_seconds = lease_seconds
        self._evaluate = evaluate
        self._email: EmailQueue | None = None

    # ---- conversations

    @cached_property
    def contacts(self) -> Contacts:
        return Contacts(self.redis, self.settings.channel.staff_contacts)

    @cached_property
    def events(self) -> LiveEvents:
        return LiveEvents(self.redis)

    @cached_property
    def publisher(self) -> EventPublisher:
        return EventPublisher(self.redis, self.settings.subscribers)

    @cached_property
    def assignments(self) -> Assignments:
        return Assignments(self.redis)

    @cached_property
    def handoff(self) -> HandOff:
        return HandOff(self.contacts, self.events, self.publisher)

    @cached_property
    def leases(self) -> ConversationLeases:
        return ConversationLeases(self.redis, lease_seconds=self._lease_seconds)

    @cached_property
    def waiting_list(self) -> WaitingList:
        return WaitingList(self.redis)

    @cached_property
    def memory(self) -> Memory:
        return Memory(self.redis, self.settings.memory)

    @cached_property
    def budget(self) -> Budget:
        return Budget(self.redis, self.settings.budget, self.settings.service.zone)

    @cached_property
    def scheduler(self) -> JobScheduler:
        """Adds no job until its `running` context is entered."""
        return JobScheduler(self.redis)

    # ---- WhatsApp

    @cached_property
    def graph(self) -> Graph:
        return Graph(self._http, self.settings.whatsapp)

    @cached_property
    def templates(self) -> Templates:
        service = self.settings.service
        return Templates(
            self.redis, self.graph, definitions(service.templates_dir), default_language=service.default_language
        )

    @cached_property
    def outbox(self) -> Outbox:
        return outbox_of(self.redis, self.graph, self.leases, self.contacts, self.templates, self.settings)

    @cached_property
    def notifications(self) -> Notifications:
        return Notifications(self.redis, self.leases, self.contacts, self.memory, self.outbox, self.templates)

    # ---- files, media and models

    @cached_property
    def storage(self) -> Storage:
        return storage_of(self.settings.storage)

    @cached_property
    def files(self) -> Files:
        return files_of(self.redis, self.settings)

    @cached_property
    def archive(self) -> Archive:
        return Archive(self.redis, self.storage, quota_of(self.settings.storage))

    @cached_property
    def media_readers(self) -> MediaReaders:
        readers = MediaReaders(self.settings.whisper, self.settings.vision)
        self.stack.push_async_callback(readers.close)
        return readers

    @cached_property
    def model(self) -> OpenRouter:
        model = OpenRouter(self.settings.llm)
        self.stack.push_async_callback(model.close)
        return model

    def perception(self, store: MediaStore) -> MediaPerception:
        """Perception of media from this store, such as Meta's Graph API."""
        return MediaPerception(self.redis, store, self.media_readers, self.archive, self.budget)

    @cached_property
    def library(self) -> Library:
        return library_of(self.redis, self.settings, self._evaluate)

    # ---- integrations

    @cached_property
    def billing(self) -> Billing | None:
        """None without STRIPE_SECRET_KEY."""
        return billing_of(self.redis, self._http, self.contacts, self.storage, self.graph, self.settings)

    @cached_property
    def stripe_events(self) -> StripeEventHandler | None:
        """None without STRIPE_SECRET_KEY."""
        if self.billing is None:
            return None
        return event_handler_of(self.billing, self.redis, self.notifications, self.settings, self.publisher.publish)

    async def open_email(self, business: BusinessName | None = None) -> EmailQueue | None:
        """The queue of e-mails, opened once; None if no provider is configured.

        `business` gives the name to sign with, by default that of the current release.
        """
        if self._email is None:
            opened = email_queue(
                self.redis,
                self.settings.mail,
                self.storage,
                business=business or self._business_name,
                language=self.settings.service.default_language,
                email_of=self.billing.customers.email_of if self.billing else None,
            )
            self._email = await self.stack.enter_async_context(opened)
        return self._email

    async def _business_name(self) -> str:
        return (await self.library.now()).business.name

    @cached_property
    def pushes(self) -> PushSender:
        settings = self.settings.push
        return PushSender(self.redis, settings, self.events, self._guarded_http(allow_private=settings.allow_private))

    @cached_property
    def event_deliveries(self) -> EventDeliveries:
        settings = self.settings.subscribers
        http = self._guarded_http(allow_private=settings.allow_private)
        return EventDeliveries(self.redis, settings, self.events, http)

    def _guarded_http(self, *, allow_private: bool) -> GuardedHttpClient:
        client = GuardedHttpClient(allow_private=allow_private)
        self.stack.push_async_callback(client.close)
        return client

    @cached_property
    def product_finder(self) -> ProductFinder:
        finder = ProductFinder(self.database, CardSync(self.product_parts[1].catalogue))
        self.stack.push_async_callback(finder.close)
        return finder

    @cached_property
    def knowledge(self) -> Knowledge:
        gaps = KnowledgeGaps(self.redis, self.publisher.publish)
        knowledge = knowledge_of(self.database, self.settings.embeddings, gaps)
        self.stack.push_async_callback(knowledge.close)
        return knowledge

    @cached_property
    def product_parts(self) -> tuple[ProductCapture, ProductConfirmer]:
        reader = CardReader(
            text_reader_for=lambda conversation: self.media_readers.text_reader(
                self.budget.account(conversation), ReadingCache(self.redis, conversation)
            ),
            model=self.model,
            budget=self.budget,
            shop_currency=self.settings.service.shop_currency,
        )
        return captures_of(self.redis, self.storage, self.publisher.publish, reader)

    # ---- tools, history and people

    @cached_property
    def tool_services(self) -> ToolServices:
        """Services that tools call. E-mail is among them after `open_email`."""
        return ToolServices(
            handoff=self.handoff,
            notifications=self.notifications,
            files=self.files,
            email=self._email,
            push=invitation_of(self.redis, self.settings),
            billing=self.billing,
            verification=Verification(self.redis) if self.billing and self._email else None,
            products=self.product_parts[1].catalogue,
            knowledge=self.knowledge,
            product_finder=self.product_finder,
        )

    @cached_property
    def database(self) -> LazyDatabase:
        database = LazyDatabase(self.settings.database)
        self.stack.push_async_callback(database.close)
        return database

    @cached_property
    def history_consumer(self) -> HistoryConsumer:
        return HistoryConsumer(self.redis, self.database, Alerts(self.redis, self.events), self.events)

    @cached_property
    def personal_data(self) -> PersonalData:
        deliveries = DeliveryStatuses(self.redis, self.events)
        return PersonalData(self.redis, self.leases, self.files, deliveries, self.personal_history)

    @cached_property
    def personal_history(self) -> OpenHistory:
        return personal_history(self.redis, self.database)


@asynccontextmanager
async def open_services(
    settings: Settings, *, lease_seconds: float = LEASE_SECONDS, evaluate: EvaluateCases = no_evaluation
) -> AsyncIterator[Services]:
    """Open the services; the end of the context closes them in reverse order.

    `evaluate` runs the prompts' cases if PROMPTS_GATE=offline.
    Raises RedisIsCluster. An unavailable Redis raises its error at its first use.
    """
    async with AsyncExitStack() as stack:
        redis = connect(settings.redis)
        stack.push_async_callback(redis.aclose)
        await refuse_cluster(redis)
        http = await stack.enter_async_context(bounded_http.session())
        yield Services(settings, redis, http, stack, lease_seconds=lease_seconds, evaluate=evaluate)
