"""The answer of a turn: by rules and code where they settle it, else by the model and its tools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot.agent.loop import Interrupted, ToolResult
from bot.conversations.assignment import Assignments
from bot.conversations.confirmations import Confirmations, TapResults, is_tap
from bot.conversations.contacts import Contacts
from bot.conversations.inbox import FLOOD
from bot.infra.live_events import LiveEvents
from bot.messages.inbound import Inbound, Photo
from bot.messages.outbound import Part
from bot.messages.phrases import phrase
from bot.products.capture import ProductCapture
from bot.products.capture_message import CaptureMessage
from bot.products.card_reader import PhotoTurn
from bot.products.draft_store import CapturedTurn
from bot.turns.context import TRIES, TurnContext, TurnResult
from bot.turns.model_responder import SENDING_SECONDS, ModelResponder, ModelSurroundings, apology
from bot.turns.rules import MessageRules, RuleResult
from bot.turns.store import TurnJournal
from bot.turns.trace import Trace

_log = structlog.get_logger()
# How often a turn looks whether an operator has taken its conversation, while the model thinks.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Responder:
    contacts: Contacts
    message_rules: MessageRules
    confirmations: Confirmations
    captures: ProductCapture
    model: ModelResponder
    events: LiveEvents
    assignments: Assignments

    async def answer(self, turn: TurnContext, trace: Trace, journal: TurnJournal) -> TurnResult:
        """The reply and the messages' end state; a flood gets one notice."""
        trace.tools = [entry for entry in turn.attempt.journal if isinstance(entry, ToolResult)]
        outcome = self._result_unread(turn, trace) or await self._reply(turn, trace, journal)
        if outcome.text and not all(message.perceived.kept for message in turn.perceived):
            outcome = replace(outcome, text=f"{outcome.text}\n\n{phrase('file_not_kept', turn.language)}")
        if not turn.admission.notice or turn.contact.handed_off or outcome.state == "handed_off":
            return outcome
        said = (outcome.text, phrase("too_many", turn.language))
        return replace(outcome, text="\n\n".join(filter(None, said)))

    def is_for_code(self, message: Inbound) -> bool:
        """Whether code settles this message even while a person has the conversation: a tap or a word of consent.

        News of ours is no message of the person, so that it counts as none.
        """
        return message.is_ours or is_tap(message) or self.message_rules.is_choice(message)

    def _result_unread(self, turn: TurnContext, trace: Trace) -> TurnResult | None:
        if not turn.admission.admitted:
            return TurnResult("", FLOOD)
        if turn.attempt.given_up:
            unreadable = turn.attempt.journal_unreadable
            trace.error = "its journal can't be read by this version" if unreadable else f"gave up after {TRIES} tries"
            text = phrase("acted", turn.language) if unreadable else apology(trace, turn.language)
            return TurnResult(text, f"failed: {trace.error}")
        return None

    async def _reply(self, turn: TurnContext, trace: Trace, journal: TurnJournal) -> TurnResult:
        contact = turn.contact
        rule_result = await self.message_rules.receive(turn.conversation, turn.messages, contact, turn.language)
        tapped = await self.confirmations.handle_taps(turn.conversation, turn.messages, contact, turn.language)
        trace.taps = tapped.details
        # A turn with a journal goes on, because it may have called the person itself before its worker died.
        if rule_result.too_late or (contact.handed_off and not turn.attempt.journal):
            return await self._result_by_code(turn, rule_result, tapped)
        captured = await self._captured(turn, trace, tapped)
        handled = tapped.messages.union(captured.messages)
        text = "\n\n".join(filter(None, (tapped.text, captured.text)))
        parts = (*tapped.parts, *captured.parts)
        if rule_result.complete or len(handled) == len(turn.messages):
            return TurnResult(rule_result.prefixed(text), "answered", parts, by_code=True)
        if all(message.perceived.trouble for message in turn.perceived if message.perceived.message not in handled):
            # No message was understood, so the model is not asked: it would make something up.
            said = rule_result.prefixed("\n\n".join(filter(None, (text, *_troubles(turn, handled)))))
            return TurnResult(said, "answered", parts, settled=(text, parts))
        await self.events.publish(trace.event())
        with trace.station("agent"):
            outcome = await self._ask_model(turn, trace, journal, tapped)
        if outcome is None:
            return await self._result_by_code(turn, rule_result, tapped)
        if not contact.handed_off and await self._is_paused(turn, journal):
            # A colleague answered from the app meanwhile: two answers would contradict each other.
            return await self._result_by_code(turn, rule_result, tapped)
        text = "\n\n".join(filter(None, (text, outcome.text)))
        cards = await self._cards(turn, trace, captured)
        offered = (*tapped.parts, *outcome.offered, *cards)
        return replace(outcome, text=rule_result.prefixed(text), offered=offered, settled=(tapped.text, tapped.parts))

    async def _is_paused(self, turn: TurnContext, journal: TurnJournal) -> bool:
        return await self.contacts.paused(turn.conversation) if journal.paused is None else journal.paused

    async def _result_by_code(self, turn: TurnContext, rule_result: RuleResult, tapped: TapResults) -> TurnResult:
        """Leave the answer to a person. Taps and choices are settled all the same, and reported to both sides."""
        answered = tapped.messages | rule_result.chosen
        if not answered:
            return TurnResult("", "handed_off")
        text = "\n\n".join(filter(None, (*rule_result.first, tapped.text)))
        event = {"type": "settled", "conversation": turn.conversation, "messages": sorted(answered), "told": text}
        await self.events.publish(event)
        state = "answered" if len(answered) == len(turn.messages) else "handed_off"
        return TurnResult(text, state, tapped.parts, answered, by_code=True)

    async def _captured(self, turn: TurnContext, trace: Trace, tapped: TapResults) -> CapturedTurn:
        """Give the messages to the photo session of staff."""
        incoming = _incoming(turn, tapped)
        if not incoming:
            return CapturedTurn()
        photo_turn = PhotoTurn(
            trace.turn, turn.contact, turn.language, turn.answer_by - SENDING_SECONDS, trace.record_attempt
        )
        return await self.captures.capture(turn.conversation, photo_turn, incoming)

    async def _cards(self, turn: TurnContext, trace: Trace, captured: CapturedTurn) -> tuple[Part, ...]:
        """The product card, once, with the model's corrections."""
        corrected = any(done.name == "correct_product" and done.outcome == "ok" for done in trace.tools)
        draft = await self.captures.open_draft(turn.conversation) if corrected else None
        if draft is None:
            return captured.parts
        return (await self.captures.card(turn.conversation, draft, turn.language),)

    async def _ask_model(
        self, turn: TurnContext, trace: Trace, journal: TurnJournal, tapped: TapResults
    ) -> TurnResult | None:
        """The model's result; None if an operator has taken the conversation meanwhile."""
        words = " ".join(message.words for message in _incoming(turn, tapped))
        card = await self.captures.corrections_for(turn.conversation, turn.contact, words, turn.language)
        taken = partial(self.assignments.until_taken, turn.conversation, _LOOK_SECONDS)
        try:
            return await self.model.answer(turn, trace, journal, tapped, ModelSurroundings(card, taken))
        except Interrupted:
            _log.info("answer_interrupted", why="an operator has taken the conversation")
            return None


def _troubles(turn: TurnContext, handled: frozenset[str]) -> list[str]:
    """Sentences about messages that can't be read; each of several photos goes by its number."""
    photos = [message.id for message in turn.messages if isinstance(message.content, Photo)]
    told = []
    for perceived in (message.perceived for message in turn.perceived):
        if not perceived.trouble or perceived.message in handled:
            continue
        said = phrase(perceived.trouble, turn.language)
        if perceived.message in photos and len(photos) > 1:
            said = phrase("numbered_photo", turn.language).format(number=photos.index(perceived.message) + 1, said=said)
        told.append(said)
    return list(dict.fromkeys(told))


def _incoming(turn: TurnContext, tapped: TapResults) -> list[CaptureMessage]:
    """Input for the photo session. Forwarded text is left out, because it isn't the person's own."""
    return [
        CaptureMessage(
            message,
            "" if message.forwarded else seen.perceived.words,
            seen.photo_text,
            seen.perceived.trouble,
        )
        for message, seen in zip(turn.messages, turn.perceived, strict=True)
        if message.id not in tapped.messages
    ]
