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
from bot.messages.inbound import Inbound, LinkButton, Part
from bot.messages.language import Language
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
    reception: MessageRules
    confirmations: Confirmations
    captures: ProductCapture
    agent: Agent
    kit: Services
    events: LiveEvents
    budget: Budget
    zone: ZoneInfo

    async def answer(self, scene: TurnContext, trace: Trace, journal: Journal) -> TurnResult:
        """What is said and how the messages end; a flood is told once that it is one."""
        trace.tools = [entry for entry in scene.begun.journal if isinstance(entry, ToolResult)]
        outcome = self._untouched(scene, trace) or await self._reply(scene, trace, journal)
        if outcome.text and not all(sight.perceived.kept for sight in scene.sights):
            outcome = replace(outcome, text=f"{outcome.text}\n\n{phrase('file_not_kept', scene.language)}")
        if not scene.admission.notice or scene.contact.quiet or outcome.state == "handed_off":
            return outcome
        said = (outcome.text, phrase("too_many", scene.language))
        return replace(outcome, text="\n\n".join(filter(None, said)))

    def by_code(self, message: Inbound) -> bool:
        """Whether code settles this message, whoever has the conversation: it is consent, and no talk with a bot."""
        return is_tap(message) or self.reception.is_choice(message)

    def _untouched(self, scene: TurnContext, trace: Trace) -> TurnResult | None:
        if not scene.admission.admitted:
            return TurnResult("", FLOOD)
        if scene.begun.given_up:
            lost = scene.begun.lost
            trace.error = "its journal can't be read by this version" if lost else f"gave up after {TRIES} tries"
            text = phrase("acted", scene.language) if lost else _apology(trace, scene.language)
            return TurnResult(text, f"failed: {trace.error}")
        return None

    async def _reply(self, scene: TurnContext, trace: Trace, journal: Journal) -> TurnResult:
        contact = scene.contact
        received = await self.reception.receive(scene.conversation, scene.messages, contact, scene.language)
        tapped = await self.confirmations.settle(scene.conversation, scene.messages, contact, scene.language)
        # A turn that called the person itself, and then lost its worker, still owes its answer.
        if received.too_late or (contact.quiet and not scene.begun.journal):
            return await self._code_alone(scene, received, tapped)
        captured = await self._captured(scene, trace, tapped)
        handled = tapped.messages.union(captured.messages)
        text = "\n\n".join(filter(None, (tapped.text, captured.text)))
        parts = (*tapped.parts, *captured.parts)
        if received.complete or len(handled) == len(scene.messages):
            return TurnResult(received.before(text), "answered", parts)
        troubles = [one.perceived.trouble for one in scene.sights if one.perceived.message not in handled]
        if all(troubles):
            # Nothing was understood, so there is nothing to think about: no model may make something up.
            phrases = dict.fromkeys(phrase(trouble, scene.language) for trouble in troubles if trouble)
            return TurnResult(received.before("\n\n".join(filter(None, (text, *phrases)))), "answered", parts)
        await self.events.publish(trace.event())
        with trace.station("agent"):
            outcome = await self._think(scene, trace, journal, tapped)
        if not contact.quiet and await self.contacts.paused(scene.conversation):
            # A colleague answered from the app while the model thought: two answers would contradict each other.
            return await self._code_alone(scene, received, tapped)
        text = "\n\n".join(filter(None, (text, outcome.text)))
        cards = await self._cards(scene, trace, captured)
        return replace(outcome, text=received.before(text), offered=(*tapped.parts, *outcome.offered, *cards))

    async def _code_alone(self, scene: TurnContext, received: RuleResult, tapped: TapResults) -> TurnResult:
        """A person goes on with the conversation. Taps and choices are settled all the same, told to both."""
        settled = tapped.messages | received.chosen
        if not settled:
            return TurnResult("", "handed_off")
        text = "\n\n".join(filter(None, (*received.first, tapped.text)))
        told = {"type": "settled", "conversation": scene.conversation, "messages": sorted(settled), "told": text}
        await self.events.publish(told)
        state = "answered" if len(settled) == len(scene.messages) else "handed_off"
        return TurnResult(text, state, tapped.parts, settled)

    async def _captured(self, scene: TurnContext, trace: Trace, tapped: TapResults) -> CapturedTurn:
        """What the photo session makes of what staff sent."""
        incoming = _incoming(scene, tapped)
        if not incoming:
            return CapturedTurn()
        turn = PhotoTurn(trace.turn, scene.contact, scene.language, scene.due - _SENDING_SECONDS, trace.book)
        return await self.captures.take(scene.conversation, turn, incoming)

    async def _cards(self, scene: TurnContext, trace: Trace, captured: CapturedTurn) -> tuple[Part, ...]:
        """The product card, once, as it is after the model's corrections."""
        corrected = any(done.name == "correct_product" and done.outcome == "ok" for done in trace.tools)
        draft = await self.captures.open_draft(scene.conversation) if corrected else None
        if draft is None:
            return captured.parts
        return (await self.captures.card(scene.conversation, draft, scene.language),)

    async def _think(self, scene: TurnContext, trace: Trace, journal: Journal, tapped: TapResults) -> TurnResult:
        now = datetime.now(self.zone)
        prompts, name = scene.begun.prompts, scene.messages[-1].name or scene.contact.name
        values = values_for(prompts, name=name, language=scene.language, now=now, summary=scene.before.summary)
        try:
            trace.prompt = prompts.render("assistant", values)
        except PromptsWrong as error:
            return _unrendered(error, trace, scene.language)
        deadline = max(scene.due - _SENDING_SECONDS, asyncio.get_running_loop().time() + 1)
        words = " ".join(one.words for one in _incoming(scene, tapped))
        card = await self.captures.correcting(scene.conversation, scene.contact, words, scene.language)
        lines = (*trace.prompt.lines, *dialogue(scene.before), _said(scene, tapped, card))
        question = asked_with(
            trace.prompt, ModelRequest(lines, deadline, purse=self.budget.account(scene.conversation))
        )
        kit = replace(self.kit, business=prompts.business)
        context = kit.for_turn(
            conversation=scene.conversation, contact=scene.contact, now=now, effect=trace.turn, product_card=card
        )
        try:
            thought = await self.agent.think(question, context, journal, trace.book, only=trace.prompt.tools)
        except BudgetSpent as error:
            trace.error = str(error)
            return _offered(trace, scene.language) or await self._spent(scene, error)
        except NoModelAnswered as error:
            trace.error = without_identities(f"{error}: {error.__cause__}" if error.__cause__ else str(error))
            _log.error("no_model_answered", why=trace.error, fix="see `recado doctor` and OpenRouter's status")
            return _offered(trace, scene.language) or TurnResult(
                _apology(trace, scene.language), "failed: no model answered"
            )
        return TurnResult(_vouched(whatsapp(thought.text), scene, trace), "answered", thought.offered)

    async def _spent(self, scene: TurnContext, error: BudgetSpent) -> TurnResult:
        """Nothing more may be spent today: a person goes on, or the customer is told."""
        if self.budget.settings.when_spent == "person":
            await self.kit.handoff.call_a_person(scene.conversation, str(error))
            return TurnResult(phrase("handed_off", scene.language), "handed_off")
        return TurnResult(phrase("budget_spent", scene.language), f"refused: {error}")


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


def _vouched(text: str, scene: TurnContext, trace: Trace) -> str:
    """An answer that leads to no page but those of the operators' files, of the turn's buttons and of earlier answers.

    What is a stranger's is what came with the messages: a photo's QR code, a forwarded text, a page that was typed, and
    also what a tool says back, which may be the name of a file or the model's own words. The text is
    looked at as it is drawn: an escaped full stop makes a page only then.
    """
    files = scene.begun.prompts.texts.values()
    earlier = (item.text for item in (*scene.before.fallen, *scene.before.recent) if item.role != "user")
    buttons = (part.url for done in trace.tools for part in done.parts if isinstance(part, LinkButton))
    known = "\n".join((*files, *buttons, *earlier))
    return links.without_strange(text, known, phrase("strange_link", scene.language))


def _unrendered(error: PromptsWrong, trace: Trace, language: Language) -> TurnResult:
    """A value broke the prompt, which its check should have found. What the error says may quote the person."""
    trace.error = f"the prompt can't be rendered: {error.places}"
    _log.error("prompt_not_rendered", why=error.places, fix="see `recado prompts check` and `recado prompts render`")
    return TurnResult(phrase("no_answer", language), "failed: the prompt can't be rendered")


def _incoming(scene: TurnContext, tapped: TapResults) -> list[CaptureMessage]:
    """The turn's messages as the photo session takes them; what was forwarded are not the person's own words."""
    return [
        CaptureMessage(message, "" if message.forwarded else sight.perceived.words, sight.look)
        for message, sight in zip(scene.messages, scene.sights, strict=True)
        if message.id not in tapped.messages
    ]


def _said(scene: TurnContext, tapped: TapResults, card: Correcting | None) -> FromPerson:
    pictures = tuple(sight.picture for sight in scene.sights if sight.picture)
    said = "\n".join(line.text for line in scene.lines if line.role == "user")
    if tapped.text:
        said += "\n" + fenced("tap_settled", told=tapped.text)
    if card:
        said += "\n" + fenced("open_product_card", shown=card.shown)
    return FromPerson(said, pictures[:_PICTURES])
