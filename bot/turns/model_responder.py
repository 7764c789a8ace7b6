"""The model's part of a reply: the prompt, its tools, the limits of time and money, and an honest end without it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from bot.agent.loop import Agent, Journal
from bot.agent.prompt import asked_with, dialogue, values_for
from bot.agent.tool import ToolContext, ToolServices
from bot.ai.chat import BudgetSpent, FromPerson, ModelRequest, NoModelAnswered
from bot.conversations.budget import Budget
from bot.conversations.confirmations import TapResults
from bot.infra.logs import without_identities
from bot.messages import links
from bot.messages.language import Language
from bot.messages.outbound import LinkButton
from bot.messages.phrases import phrase
from bot.messages.prompt_text import tagged
from bot.products.capture import CardEdits
from bot.prompting.diagnostics import PromptsWrong
from bot.turns.context import TurnContext, TurnResult
from bot.turns.store import TurnJournal
from bot.turns.trace import Trace
from bot.whatsapp.markdown import whatsapp

_log = structlog.get_logger()

# Kept of the deadline for handing the reply to Meta.
SENDING_SECONDS = 3.0
_PICTURES = 4


@dataclass(frozen=True, slots=True)
class ModelResponder:
    """`zone` is the time zone of the business, by whose clock the model is told the time."""

    agent: Agent
    services: ToolServices
    budget: Budget
    zone: ZoneInfo

    async def answer(
        self, turn: TurnContext, trace: Trace, journal: TurnJournal, tapped: TapResults, card: CardEdits | None
    ) -> TurnResult:
        """Ask the model, which may call tools; `card` is the product card that is open."""
        now = datetime.now(self.zone)
        prompts, name = turn.attempt.prompts, turn.messages[-1].name or turn.contact.name
        values = values_for(prompts, name=name, language=turn.language, now=now, summary=turn.before.summary)
        try:
            trace.prompt = prompts.render("assistant", values)
        except PromptsWrong as error:
            return _not_rendered(error, trace, turn.language)
        deadline = max(turn.due - SENDING_SECONDS, asyncio.get_running_loop().time() + 1)
        lines = (*trace.prompt.lines, *dialogue(turn.before), _question(turn, tapped, card))
        question = asked_with(trace.prompt, ModelRequest(lines, deadline, spending=turn.spending))
        tool_context = ToolContext(
            services=self.services,
            business=prompts.business,
            conversation=turn.conversation,
            contact=turn.contact,
            language=turn.language,
            now=now,
            effect=trace.turn,
            product_card=card,
        )
        steps = Journal(journal.earlier, journal.write)
        try:
            thought = await self.agent.think(question, tool_context, steps, trace.book, only=trace.prompt.tools)
        except BudgetSpent as error:
            trace.error = str(error)
            return _told_by_tools(trace, turn.language) or await self._budget_spent(turn, error)
        except NoModelAnswered as error:
            trace.error = without_identities(f"{error}: {error.__cause__}" if error.__cause__ else str(error))
            _log.error("no_model_answered", why=trace.error, fix="see `recado doctor` and OpenRouter's status")
            return _told_by_tools(trace, turn.language) or TurnResult(
                apology(trace, turn.language), "failed: no model answered"
            )
        return TurnResult(_without_strange_links(whatsapp(thought.text), turn, trace), "answered", thought.offered)

    async def _budget_spent(self, turn: TurnContext, error: BudgetSpent) -> TurnResult:
        """Nothing more may be spent today: a person goes on, or the customer is told."""
        if self.budget.settings.when_spent == "person":
            await self.services.handoff.call_a_person(turn.conversation, str(error))
            return TurnResult(phrase("handed_off", turn.language), "handed_off")
        return TurnResult(phrase("budget_spent", turn.language), f"refused: {error}")


def _told_by_tools(trace: Trace, language: Language) -> TurnResult | None:
    """What the turn's tools have done already says enough; a model that then stays silent is no failure."""
    if parts := tuple(part for done in trace.tools for part in done.parts):
        return TurnResult("", "answered", parts)
    if any(done.name == "talk_to_a_person" and done.outcome == "ok" for done in trace.tools):
        return TurnResult(phrase("handed_off", language), "answered")
    return None


def apology(trace: Trace, language: Language) -> str:
    """That there is no answer. Where something may be done already, nobody is asked to ask for it again."""
    return phrase("acted" if any(done.acted for done in trace.tools) else "no_answer", language)


def _without_strange_links(text: str, turn: TurnContext, trace: Trace) -> str:
    """An answer that leads to no page but those of the operators' files, of the turn's buttons and of earlier answers.

    What is a stranger's is what came with the messages: a photo's QR code, a forwarded text, a page that was typed, and
    also what a tool says back, which may be the name of a file or the model's own words. The text is
    looked at as it is drawn: an escaped full stop makes a page only then.
    """
    files = turn.attempt.prompts.texts.values()
    earlier = (item.text for item in (*turn.before.fallen, *turn.before.recent) if item.role != "user")
    buttons = (part.url for done in trace.tools for part in done.parts if isinstance(part, LinkButton))
    known = "\n".join((*files, *buttons, *earlier))
    return links.without_unverified(text, known, phrase("strange_link", turn.language))


def _not_rendered(error: PromptsWrong, trace: Trace, language: Language) -> TurnResult:
    """A value broke the prompt, which its check should have found. What the error says may quote the person."""
    trace.error = f"the prompt can't be rendered: {error.places}"
    _log.error("prompt_not_rendered", why=error.places, fix="see `recado prompts check` and `recado prompts render`")
    return TurnResult(phrase("no_answer", language), "failed: the prompt can't be rendered")


def _question(turn: TurnContext, tapped: TapResults, card: CardEdits | None) -> FromPerson:
    pictures = tuple(sight.picture for sight in turn.perceived if sight.picture)
    said = "\n".join(line.text for line in turn.lines if line.role == "user")
    if tapped.text:
        said += "\n" + tagged("tap_settled", told=tapped.text)
    if card:
        said += "\n" + tagged("open_product_card", shown=card.card_text)
    return FromPerson(said, pictures[:_PICTURES])
