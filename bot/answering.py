"""What a turn says: by rules where they settle it, else by the model and its tools; always something honest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import structlog

from bot.agent import Agent, Done, Journal
from bot.ai.chat import BudgetSpent, FromModel, FromPerson, Instructions, Line, NoModelAnswered, Question
from bot.budget import Budget
from bot.confirmations import Answered, Confirmations
from bot.contacts import Contacts
from bot.events import Events
from bot.inbox import FLOOD
from bot.language import Language
from bot.memory import Recollection
from bot.perception import fenced, typed
from bot.phrases import phrase
from bot.prompting.prompts import Prompts
from bot.reception import Reception
from bot.scene import TRIES, Outcome, Scene
from bot.tools.tool import Kit
from bot.trace import Trace

_log = structlog.get_logger()

# Kept of the deadline for handing the reply to Meta.
_SENDING_SECONDS = 3.0
_PICTURES = 4
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Answering:
    contacts: Contacts
    reception: Reception
    confirmations: Confirmations
    agent: Agent
    kit: Kit
    prompts: Prompts
    events: Events
    budget: Budget
    zone: ZoneInfo

    async def answer(self, scene: Scene, trace: Trace, journal: Journal) -> Outcome:
        """What is said and how the messages end; a flood is told once that it is one."""
        outcome = self._untouched(scene, trace) or await self._reply(scene, trace, journal)
        if not scene.admission.notice or scene.contact.quiet or outcome.state == "handed_off":
            return outcome
        said = (outcome.text, phrase("too_many", scene.language))
        return replace(outcome, text="\n\n".join(filter(None, said)))

    def _untouched(self, scene: Scene, trace: Trace) -> Outcome | None:
        if not scene.admission.admitted:
            return Outcome("", FLOOD)
        if scene.begun.tries > TRIES:
            trace.error = f"gave up after {TRIES} tries"
            return Outcome(phrase("no_answer", scene.language), f"failed: gave up after {TRIES} tries")
        return None

    async def _reply(self, scene: Scene, trace: Trace, journal: Journal) -> Outcome:
        contact = scene.contact
        received = await self.reception.receive(scene.conversation, scene.messages, contact, scene.language)
        # A turn that called the person itself, and then lost its worker, still owes its answer.
        if received.too_late or (contact.quiet and not scene.begun.journal):
            return Outcome("", "handed_off")
        tapped = await self.confirmations.settle(scene.conversation, scene.messages, contact, scene.language)
        if received.complete or len(tapped.messages) == len(scene.messages):
            return Outcome(received.before(tapped.text), "answered", tapped.parts)
        troubles = [sight.perceived.trouble for sight in scene.sights]
        if all(troubles):
            # Nothing was understood, so there is nothing to think about: no model may make something up.
            phrases = dict.fromkeys(phrase(trouble, scene.language) for trouble in troubles if trouble)
            return Outcome(received.before("\n\n".join(phrases)), "answered")
        await self.events.publish(trace.event())
        with trace.station("agent"):
            outcome = await self._think(scene, trace, journal, tapped)
        if not contact.quiet and await self.contacts.paused(scene.conversation):
            # A colleague answered from the app while the model thought: two answers would contradict each other.
            return Outcome("", "handed_off")
        text = "\n\n".join(filter(None, (tapped.text, outcome.text)))
        return replace(outcome, text=received.before(text), offered=(*tapped.parts, *outcome.offered))

    async def _think(self, scene: Scene, trace: Trace, journal: Journal, tapped: Answered) -> Outcome:
        now = datetime.now(self.zone)
        values = {
            "business": {"name": self.kit.business.name},
            "customer_name": _called(scene.messages[-1].name or scene.contact.name or ""),
            "language": scene.language,
            "now": now.strftime("%Y-%m-%d %H:%M (%A)"),
            "summary": typed(scene.before.summary),
        }
        trace.prompt = self.prompts.render("assistant", values)
        deadline = max(scene.due - _SENDING_SECONDS, asyncio.get_running_loop().time() + 1)
        lines = (Instructions(trace.prompt.text), *_history(scene.before), _said(scene, tapped))
        question = Question(lines, deadline, purse=self.budget.account(scene.conversation))
        context = self.kit.for_turn(conversation=scene.conversation, contact=scene.contact, now=now, effect=trace.turn)
        trace.tools = [entry for entry in scene.begun.journal if isinstance(entry, Done)]
        try:
            thought = await self.agent.think(question, context, journal, trace.book)
        except BudgetSpent as error:
            trace.error = str(error)
            return _offered(trace, scene.language) or await self._spent(scene, error)
        except NoModelAnswered as error:
            trace.error = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
            _log.error("no_model_answered", why=trace.error, fix="see `recado doctor` and OpenRouter's status")
            return _offered(trace, scene.language) or Outcome(
                phrase("no_answer", scene.language), "failed: no model answered"
            )
        return Outcome(thought.text, "answered", thought.offered)

    async def _spent(self, scene: Scene, error: BudgetSpent) -> Outcome:
        """Nothing more may be spent today: a person goes on, or the customer is told."""
        if self.budget.settings.when_spent == "person":
            await self.kit.handoff.call_a_person(scene.conversation, str(error))
            return Outcome(phrase("handed_off", scene.language), "handed_off")
        return Outcome(phrase("budget_spent", scene.language), f"refused: {error}")


def _offered(trace: Trace, language: Language) -> Outcome | None:
    """What the turn's tools have done already says enough; a model that then stays silent is no failure."""
    if parts := tuple(part for done in trace.tools for part in done.parts):
        return Outcome("", "answered", parts)
    if any(done.name == "talk_to_a_person" and done.outcome == "ok" for done in trace.tools):
        return Outcome(phrase("handed_off", language), "answered")
    return None


def _called(name: str) -> str:
    """A profile's name for the prompt: on one line, without the signs that would end the quotation it stands in."""
    kept = "".join(sign if sign.isprintable() and sign not in '«»<>{}#`"' else " " for sign in name)
    return " ".join(kept.split())[:_NAME_LENGTH]


def _history(before: Recollection) -> list[Line]:
    """What was said, as a dialogue: lines that one side said in a row are one."""
    spoken = groupby((*before.fallen, *before.recent), key=lambda item: item.role)
    texts = ((role, "\n".join(item.text for item in items)) for role, items in spoken)
    return [FromPerson(text) if role == "user" else FromModel(text) for role, text in texts]


def _said(scene: Scene, tapped: Answered) -> FromPerson:
    pictures = tuple(sight.picture for sight in scene.sights if sight.picture)
    said = "\n".join(line.text for line in scene.lines if line.role == "user")
    if tapped.text:
        said += "\n" + fenced("tap_settled", told=tapped.text)
    return FromPerson(said, pictures[:_PICTURES])
