"""The composition root of the console: its parts in a server's process, made at the console's first request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from redis.asyncio import Redis

from bot.agent.vocabulary import library_of
from bot.ai.openrouter import OpenRouter
from bot.console.budgets import DayBudget
from bot.console.cases import CasesOfTurns
from bot.console.confirmations import WaitingConfirmations
from bot.console.contact_details import ContactDetails
from bot.console.conversation_actions import ConversationActions
from bot.console.document_review import DocumentReview, document_review
from bot.console.failed_messages import FailedMessages
from bot.console.health import ServiceHealth
from bot.console.history_recorder import HistoryRecorder
from bot.console.operator_messages import OperatorMessages
from bot.console.opted_out import OptedOutContacts
from bot.console.product_cards import WaitingProductCards
from bot.console.rating import RatingQuestions
from bot.console.replays import TurnReplays
from bot.console.reports import Reports
from bot.conversations.assignment import Assignments
from bot.conversations.budget import Budget
from bot.conversations.contacts import Contacts
from bot.conversations.dead_letters import DeadLetters
from bot.conversations.events import EventPublisher
from bot.conversations.handoff import HandOff
from bot.conversations.lease import ConversationLeases
from bot.conversations.memory import Memory
from bot.conversations.thread_control import ThreadControl
from bot.conversations.waiting_list import WaitingList
from bot.database.engine import Database
from bot.database.opening import open_current
from bot.delivery.pause import SendingPause
from bot.delivery.policy import SendPolicy
from bot.delivery.statuses import DeliveryStatuses
from bot.history.personal import PersonalHistory
from bot.history.reader import HistoryReader
from bot.history.writer import HistoryWriter
from bot.infra.live_events import LiveEvents
from bot.infra.queues import JobScheduler
from bot.integrations.email.digest import DigestWishes
from bot.integrations.push.operators import OperatorBrowsers
from bot.integrations.stripe.plans import plans_of
from bot.past_cases.case_maker import CaseMaker
from bot.people.audit import AuditLog
from bot.people.canned_replies import CannedReplies
from bot.people.company_login import CompanyLogin
from bot.people.login_limits import LoginLimits
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from bot.people.presence import OperatorPresence
from bot.people.sessions import Sessions
from bot.privacy import PersonalData
from bot.products.draft_store import Drafts
from bot.settings import PushSettings, Settings
from bot.storage.factory import storage_of
from bot.storage.files import Files, files_of
from bot.storage.storage import Storage
from bot.whatsapp.client import Graph
from bot.whatsapp.templates.files import definitions
from bot.whatsapp.templates.registry import Templates

# As the workers': an export or erasure holds a conversation as a turn does.
_LEASE_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """`redis`, `graph` and `scheduler` are the server's own."""

    redis: Redis
    graph: Graph
    scheduler: JobScheduler
    database: Database
    operators: Operators
    sessions: Sessions
    login_limits: LoginLimits
    company_login: CompanyLogin
    audit: AuditLog
    canned_replies: CannedReplies
    history: HistoryReader
    actions: ConversationActions
    messages: OperatorMessages
    ratings: RatingQuestions
    templates: Templates
    contacts: ContactDetails
    failed: FailedMessages
    confirmations: WaitingConfirmations
    health: ServiceHealth
    cases: CasesOfTurns
    browsers: OperatorBrowsers
    presence: OperatorPresence
    digests: DigestWishes
    has_mail: bool
    digest_minutes: float
    push: PushSettings
    reports: Reports
    replays: TurnReplays
    documents: DocumentReview
    budget: DayBudget
    opted_out: OptedOutContacts
    product_cards: WaitingProductCards
    storage: Storage
    files: Files
    events: LiveEvents

    async def close(self) -> None:
        await self.documents.embedder.close()
        await self.replays.model.close()
        await self.database.close()


async def open_parts(
    settings: Settings, redis: Redis, http: aiohttp.ClientSession, graph: Graph, scheduler: JobScheduler
) -> ConsoleParts:
    """Open the database and make the parts. Raises SchemaOutdated."""
    database = await open_current(settings.database.url.get_secret_value())
    events, contacts = LiveEvents(redis), Contacts(redis, settings.channel.staff_contacts)
    passwords, service, limits = Passwords(), settings.service, LoginLimits(redis)
    publisher = EventPublisher(redis, settings.subscribers)
    history, memory = HistoryReader(database), Memory(redis, settings.memory)
    storage = storage_of(settings.storage)
    files, budget = files_of(redis, settings), Budget(redis, settings.budget, service.zone)
    personal = _personal_data(redis, database, files, events)
    talking = _talking_parts(settings, graph, _Shared(redis, database, events, contacts, publisher, memory, files))
    return ConsoleParts(
        redis=redis,
        graph=graph,
        scheduler=scheduler,
        database=database,
        operators=Operators(database, passwords),
        sessions=Sessions(database, passwords, limits, timedelta(hours=service.console_session_hours)),
        login_limits=limits,
        company_login=CompanyLogin(redis, http, settings.oidc, service.public_url),
        audit=AuditLog(database, redis),
        canned_replies=CannedReplies(database),
        history=history,
        actions=talking.actions,
        messages=talking.messages,
        ratings=talking.ratings,
        templates=talking.messages.templates,
        contacts=ContactDetails(redis, contacts, history, files, personal, plans_of(redis, http, settings.stripe)),
        failed=FailedMessages(DeadLetters(redis), contacts),
        confirmations=WaitingConfirmations(redis, contacts),
        health=ServiceHealth(redis, settings, SendingPause(redis, events), database),
        cases=CasesOfTurns(CaseMaker(contacts, memory, service.prompts_dir, service.zone), history),
        browsers=OperatorBrowsers(redis),
        presence=OperatorPresence(redis),
        digests=DigestWishes(redis),
        has_mail=bool(settings.mail.configured),
        digest_minutes=service.console_digest_minutes,
        push=settings.push,
        budget=DayBudget(redis, database, budget, contacts),
        opted_out=OptedOutContacts(redis),
        product_cards=WaitingProductCards(redis, contacts, Drafts(redis)),
        reports=Reports(database, redis, service.zone),
        replays=TurnReplays(library_of(redis, settings), OpenRouter(settings.llm), budget, history, storage),
        documents=document_review(settings, redis, database, publisher),
        storage=storage,
        files=files,
        events=events,
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    redis: Redis
    database: Database
    events: LiveEvents
    contacts: Contacts
    publisher: EventPublisher
    memory: Memory
    files: Files


@dataclass(frozen=True, slots=True)
class _TalkingParts:
    actions: ConversationActions
    messages: OperatorMessages
    ratings: RatingQuestions


def _talking_parts(settings: Settings, graph: Graph, shared: _Shared) -> _TalkingParts:
    redis, contacts, memory, service = shared.redis, shared.contacts, shared.memory, settings.service
    recorder = HistoryRecorder(redis, HistoryWriter(shared.database), shared.events)
    templates = Templates(redis, graph, definitions(service.templates_dir), default_language=service.default_language)
    threads = ThreadControl(redis, graph, contacts, shared.events)
    handoff = HandOff(contacts, shared.events, shared.publisher, threads)
    policy, assignments = SendPolicy(contacts, WaitingList(redis), templates), Assignments(redis)
    language, enabled = service.default_language, service.console_ratings
    return _TalkingParts(
        ConversationActions(redis, contacts, assignments, handoff, shared.publisher, recorder, memory),
        OperatorMessages(redis, assignments, policy, templates, shared.files, memory, recorder),
        RatingQuestions(redis, policy, memory, recorder, language, enabled=enabled),
    )


def _personal_data(redis: Redis, database: Database, files: Files, events: LiveEvents) -> PersonalData:
    leases = ConversationLeases(redis, lease_seconds=_LEASE_SECONDS)
    history = PersonalHistory(redis, database)

    async def history_of_persons() -> PersonalHistory:
        return history

    return PersonalData(redis, leases, files, DeliveryStatuses(redis, events), history_of_persons)
