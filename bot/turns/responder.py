"""What a turn says: by rules where they settle it, else by the model and its tools; always something honest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from bot.agent.loop import Agent, Journal, ToolResult
from bot.agent.prompt import asked_with, dialogue, values_for
from bot.agent.tool import Services
from bot.ai.chat import BudgetSpent, FromPerson, ModelRequest, NoModelAnswered
from bot.conversations.budget import Budget
from bot.conversations.confirmations import Confirmations, TapResults, is_tap
from bot.conversations.contacts import Contacts
from bot.conversations.inbox import FLOOD
from bot.infra.live_events import LiveEvents
from bot.infra.logs import without_identities
from bot.messages import links
from bot.messages.inbound import Inbound
from bot.messages.language import Language
from bot.messages.outbound import LinkButton, Part
from bot.messages.phrases import phrase
from bot.messages.prompt_text import fenced
from bot.products.capture import Correcting, ProductCapture
from bot.products.capture_turn import CaptureMessage
from bot.products.card_reader import PhotoTurn
from bot.products.draft_store import CapturedTurn
from bot.prompting.diagnostics import PromptsWrong
from bot.turns.context import TRIES, TurnContext, TurnResult
from bot.turns.rules import MessageRules, RuleResult
from bot.turns.trace import Trace
from bot.whatsapp.markdown import whatsapp

_log = structlog.get_logger()

# Kept of the deadline for handing the reply to Meta.
_SENDING_SECONDS = 3.0
_PICTURES = 4


@dataclass(frozen=True, slots=True)
class Responder:
    contacts: Contacts
    message_rules: MessageRules
    confirmations: Confirmations
    captures: ProductCapture
    agent: Agent
    services: Services
    events: LiveEvents
    budget: Budget
    zone: ZoneInfo

    async def answer(self, turn_context: TurnContext, trace: Trace, journal: Journal) -> TurnResult:
        """What is said and how the messages end; a flood is told once that it is one."""
        trace.tools = [entry for entry in turn_context.attempt.journal if isinstance(entry, ToolResult)]
        outcome = self._untouched(turn_context, trace) or await self._reply(turn_context, trace, journal)
        if outcome.text and not all(sight.perceived.kept for sight in turn_context.sights):
            outcome = replace(outcome, text=f"{outcome.text}\n\n{phrase('file_not_kept', turn_context.language)}")
        if not turn_context.admission.notice or turn_context.contact.quiet or outcome.state == "handed_off":
            return outcome
        said = (outcome.text, phrase("too_many", turn_context.language))
        return replace(outcome, text="\n\n".join(filter(None, said)))

    def by_code(self, message: Inbound) -> bool:
        """Whether code settles this message, whoever has the conversation: it is consent, and no talk with a bot."""
        return is_tap(message) or self.message_rules.is_choice(message)

    def _untouched(self, turn_context: TurnContext, trace: Trace) -> TurnResult | None:
        if not turn_context.admission.admitted:
            return TurnResult("", FLOOD)
        if turn_context.attempt.given_up:
            lost = turn_context.attempt.lost
            trace.error = "its journal can't be read by this version" if lost else f"gave up after {TRIES} tries"
            text = phrase("acted", turn_context.language) if lost else _apology(trace, turn_context.language)
            return TurnResult(text, f"failed: {trace.error}")
        return None

    async def _reply(self, turn_context: TurnContext, trace: Trace, journal: Journal) -> TurnResult:
        contact = turn_context.contact
        received = await self.message_rules.receive(
            turn_context.conversation, turn_context.messages, contact, turn_context.language
        )
        tapped = await self.confirmations.settle(
            turn_context.conversation, turn_context.messages, contact, turn_context.language
        )
        # A turn that called the person itself, and then lost its worker, still owes its answer.
        if received.too_late or (contact.quiet and not turn_context.attempt.journal):
            return await self._code_alone(turn_context, received, tapped)
        captured = await self._captured(turn_context, trace, tapped)
        handled = tapped.messages.union(captured.messages)
        text = "\n\n".join(filter(None, (tapped.text, captured.text)))
        parts = (*tapped.parts, *captured.parts)
        if received.complete or len(handled) == len(turn_context.messages):
            return TurnResult(received.before(text), "answered", parts)
        troubles = [one.perceived.trouble for one in turn_context.sights if one.perceived.message not in handled]
        if all(troubles):
            # Nothing was understood, so there is nothing to think about: no model may make something up.
            phrases = dict.fromkeys(phrase(trouble, turn_context.language) for trouble in troubles if trouble)
            return TurnResult(received.before("\n\n".join(filter(None, (text, *phrases)))), "answered", parts)
        await self.events.publish(trace.event())
        with trace.station("agent"):
            outcome = await self._think(turn_context, trace, journal, tapped)
        if not contact.quiet and await self.contacts.paused(turn_context.conversation):
            # A colleague answered from the app while the model thought: two answers would contradict each other.
            return await self._code_alone(turn_context, received, tapped)
        text = "\n\n".join(filter(None, (text, outcome.text)))
        cards = await self._cards(turn_context, trace, captured)
        return replace(outcome, text=received.before(text), offered=(*tapped.parts, *outcome.offered, *cards))

    async def _code_alone(self, turn_context: TurnContext, received: RuleResult, tapped: TapResults) -> TurnResult:
        """A person goes on with the conversation. Taps and choices are settled all the same, told to both."""
        settled = tapped.messages | received.chosen
        if not settled:
            return TurnResult("", "handed_off")
        text = "\n\n".join(filter(None, (*received.first, tapped.text)))
        told = {"type": "settled", "conversation": turn_context.conversation, "messages": sorted(settled), "told": text}
        await self.events.publish(told)
        state = "answered" if len(settled) == len(turn_context.messages) else "handed_off"
        return TurnResult(text, state, tapped.parts, settled)

    async def _captured(self, turn_context: TurnContext, trace: Trace, tapped: TapResults) -> CapturedTurn:
        """What the photo session makes of what staff sent."""
        incoming = _incoming(turn_context, tapped)
        if not incoming:
            return CapturedTurn()
        turn = PhotoTurn(
            trace.turn, turn_context.contact, turn_context.language, turn_context.due - _SENDING_SECONDS, trace.book
        )
        return await self.captures.take(turn_context.conversation, turn, incoming)

    async def _cards(self, turn_context: TurnContext, trace: Trace, captured: CapturedTurn) -> tuple[Part, ...]:
        """The product card, once, as it is after the model's corrections."""
        corrected = any(done.name == "correct_product" and done.outcome == "ok" for done in trace.tools)
        draft = await self.captures.open_draft(turn_context.conversation) if corrected else None
        if draft is None:
            return captured.parts
        return (await self.captures.card(turn_context.conversation, draft, turn_context.language),)

    async def _think(self, turn_context: TurnContext, trace: Trace, journal: Journal, tapped: TapResults) -> TurnResult:
        now = datetime.now(self.zone)
        prompts, name = turn_context.attempt.prompts, turn_context.messages[-1].name or turn_context.contact.name
        values = values_for(
            prompts, name=name, language=turn_context.language, now=now, summary=turn_context.before.summary
        )
        try:
            trace.prompt = prompts.render("assistant", values)
        except PromptsWrong as error:
            return _unrendered(error, trace, turn_context.language)
        deadline = max(turn_context.due - _SENDING_SECONDS, asyncio.get_running_loop().time() + 1)
        words = " ".join(one.words for one in _incoming(turn_context, tapped))
        card = await self.captures.correcting(
            turn_context.conversation, turn_context.contact, words, turn_context.language
        )
        lines = (*trace.prompt.lines, *dialogue(turn_context.before), _said(turn_context, tapped, card))
        question = asked_with(
            trace.prompt, ModelRequest(lines, deadline, spending=self.budget.account(turn_context.conversation))
        )
        services = replace(self.services, business=prompts.business)
        context = services.for_turn(
            conversation=turn_context.conversation,
            contact=turn_context.contact,
            now=now,
            effect=trace.turn,
            product_card=card,
        )
        try:
            thought = await self.agent.think(question, context, journal, trace.book, only=trace.prompt.tools)
        except BudgetSpent as error:
            trace.error = str(error)
            return _offered(trace, turn_context.language) or await self._spent(turn_context, error)
        except NoModelAnswered as error:
            trace.error = without_identities(f"{error}: {error.__cause__}" if error.__cause__ else str(error))
            _log.error("no_model_answered", why=trace.error, fix="see `recado doctor` and OpenRouter's status")
            return _offered(trace, turn_context.language) or TurnResult(
                _apology(trace, turn_context.language), "failed: no model answered"
            )
        return TurnResult(_vouched(whatsapp(thought.text), turn_context, trace), "answered", thought.offered)

    async def _spent(self, turn_context: TurnContext, error: BudgetSpent) -> TurnResult:
        """Nothing more may be spent today: a person goes on, or the customer is told."""
        if self.budget.settings.when_spent == "person":
            await self.services.handoff.call_a_person(turn_context.conversation, str(error))
            return TurnResult(phrase("handed_off", turn_context.language), "handed_off")
        return TurnResult(phrase("budget_spent", turn_context.language), f"refused: {error}")


def _offered(trace: Trace, language: Language) -> TurnResult | None:
    """What the turn's tools have done already says enough; a model that then stays silent is no failure."""
    if parts := tuple(part for done in trace.tools for part in done.parts):
        return TurnResult("", "answered", parts)
    if any(done.name == "talk_to_a_person" and done.outcome == "ok" for done in trace.tools):
        return TurnResult(phrase("handed_off", language), "answered")
    return None


def _apology(trace: Trace, language: Language) -> str:
    """That there is no answer. Where something may be done already, nobody is asked to ask for it again."""
    return phrase("acted" if any(done.acted for done in trace.tools) else "no_answer", language)


def _vouched(text: str, turn_context: TurnContext, trace: Trace) -> str:
    """An answer that leads to no page but those of the operators' files, of the turn's buttons and of earlier answers.

    What is a stranger's is what came with the messages: a photo's QR code, a forwarded text, a page that was typed, and
    also what a tool says back, which may be the name of a file or the model's own words. The text is
    looked at as it is drawn: an escaped full stop makes a page only then.
    """
    files = turn_context.attempt.prompts.texts.values()
    earlier = (item.text for item in (*turn_context.before.fallen, *turn_context.before.recent) if item.role != "user")
    buttons = (part.url for done in trace.tools for part in done.parts if isinstance(part, LinkButton))
    known = "\n".join((*files, *buttons, *earlier))
    return links.without_strange(text, known, phrase("strange_link", turn_context.language))


def _unrendered(error: PromptsWrong, trace: Trace, language: Language) -> TurnResult:
    """A value broke the prompt, which its check should have found. What the error says may quote the person."""
    trace.error = f"the prompt can't be rendered: {error.places}"
    _log.error("prompt_not_rendered", why=error.places, fix="see `recado prompts check` and `recado prompts render`")
    return TurnResult(phrase("no_answer", language), "failed: the prompt can't be rendered")


def _incoming(turn_context: TurnContext, tapped: TapResults) -> list[CaptureMessage]:
    """The turn's messages as the photo session takes them; what was forwarded are not the person's own words."""
    return [
        CaptureMessage(message, "" if message.forwarded else sight.perceived.words, sight.look)
        for message, sight in zip(turn_context.messages, turn_context.sights, strict=True)
        if message.id not in tapped.messages
    ]


def _said(turn_context: TurnContext, tapped: TapResults, card: Correcting | None) -> FromPerson:
    pictures = tuple(sight.picture for sight in turn_context.sights if sight.picture)
    said = "\n".join(line.text for line in turn_context.lines if line.role == "user")
    if tapped.text:
        said += "\n" + fenced("tap_settled", told=tapped.text)
    if card:
        said += "\n" + fenced("open_product_card", shown=card.shown)
    return FromPerson(said, pictures[:_PICTURES])
