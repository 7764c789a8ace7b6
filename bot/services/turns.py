"""Parts of a turn, from the snapshot of a conversation to its committed reply; only a worker has them."""

from __future__ import annotations

from functools import cached_property

from bot.agent.loop import Agent
from bot.agent.tools.catalog import tools_for
from bot.conversations.confirmations import Confirmations
from bot.conversations.rate_limit import MessageRateLimit
from bot.integrations.stripe import plan_changes
from bot.products import card_message
from bot.services.services import Services
from bot.turns.canary_recorder import CanaryRecorder
from bot.turns.merge import ConversationMerger
from bot.turns.model_responder import ModelResponder
from bot.turns.preparation import TurnPreparation
from bot.turns.report import TurnReporter
from bot.turns.responder import Responder
from bot.turns.revisions import MessageRevisions
from bot.turns.rules import MessageRules
from bot.turns.runner import ConversationRunner
from bot.turns.snapshot import SnapshotReader
from bot.turns.store import TurnStore
from bot.turns.summarizer import Summarizer
from bot.turns.turn import TurnProcessor
from bot.turns.typing_indicator import TypingIndicator


class TurnParts:
    """Parts of the turns of one worker, made from its services. E-mail is among the tools after `open_email`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @cached_property
    def runner(self) -> ConversationRunner:
        services = self._services
        merger = ConversationMerger(services.redis, services.leases, services.memory)
        openings = SnapshotReader(services.contacts, services.outbox)
        return ConversationRunner(
            services.redis, services.leases, openings, services.outbox, merger, self._turns.process
        )

    @cached_property
    def summarizer(self) -> Summarizer:
        services = self._services
        return Summarizer(services.model, services.memory, services.library, services.budget)

    @cached_property
    def _turns(self) -> TurnProcessor:
        services = self._services
        language = services.settings.service.default_language
        revisions = MessageRevisions(services.redis, services.leases, services.memory, services.archive)
        store = TurnStore(services.redis, services.leases, services.library, revisions)
        typing = TypingIndicator(services.graph, store, services.outbox, language)
        services.stack.push_async_callback(typing.close)
        recorder = CanaryRecorder(services.redis, services.library)
        return TurnProcessor(
            leases=services.leases,
            store=store,
            typing=typing,
            preparation=TurnPreparation(
                redis=services.redis,
                contacts=services.contacts,
                perception=services.perception(services.graph),
                revisions=revisions,
                rate_limit=MessageRateLimit(services.redis, services.settings.channel.rate_limit_contact),
                budget=services.budget,
                default_language=language,
            ),
            responder=self._responder,
            outbox=services.outbox,
            reporter=TurnReporter(services.events, services.publisher, recorder, services.scheduler),
            settings=services.settings.turn,
        )

    @cached_property
    def _responder(self) -> Responder:
        services = self._services
        return Responder(
            contacts=services.contacts,
            message_rules=MessageRules(services.contacts, services.handoff, services.settings.channel),
            confirmations=self._confirmations,
            captures=services.product_parts[0],
            model=ModelResponder(
                Agent(services.model, tools_for),
                services.tool_services,
                services.budget,
                services.settings.service.zone,
            ),
            events=services.events,
            assignments=services.assignments,
        )

    @cached_property
    def _confirmations(self) -> Confirmations:
        services = self._services
        _, products = services.product_parts
        handlers = {card_message.KIND: products.confirm}
        if services.billing:
            handlers[plan_changes.KIND] = services.billing.changes.perform
        return Confirmations(services.redis, handlers, declined={card_message.KIND: products.leave})
