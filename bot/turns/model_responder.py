"""Answers by the model: its prompt and tools, its limits of time and money, and the result when it gives none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from bot.agent.loop import Agent, Journal
from bot.agent.prompt import dialogue, request_with, values_for
from bot.agent.tool import ToolContext, ToolServices
from bot.agent.tools.product_search import find_products
from bot.ai.chat import BudgetSpent, FromPerson, ModelRequest, NoModelAnswered
from bot.conversations.budget import Budget
from bot.conversations.confirmations import TapResults
from bot.conversations.handoff_cause import HandOffCause
from bot.infra.logs import without_identities
from bot.messages import links
from bot.messages.language import Language
from bot.messages.outbound import LinkButton
from bot.messages.phrases import phrase
from bot.messages.prompt_text import tagged
from bot.products.capture import CardEdits
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.knowledge_lock import prompt_texts
from bot.turns.context import TurnContext, TurnResult
from bot.turns.store import TurnJournal
from bot.turns.trace import PromptRendering, Trace
from bot.whatsapp.markdown import whatsapp

_log = structlog.get_logger()

# Reserved before the deadline for sending the reply to Meta.
SENDING_SECONDS = 3.0
_PICTURES = 4


@dataclass(frozen=True, slots=True)
class ModelSurroundings:
    """The open product card, if there is one; `until_taken` ends once an operator takes the conversation."""

    card: CardEdits | None
    until_taken: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ModelResponder:
    """`zone` is the business's time zone, in which the model is told the time."""

    agent: Agent
    services: ToolServices
    budget: Budget
    zone: ZoneInfo

    async def answer(
        self, turn: TurnContext, trace: Trace, journal: TurnJournal, tapped: TapResults, around: ModelSurroundings
    ) -> TurnResult:
        """Ask the model, which may call tools. Raises Interrupted."""
        now = datetime.now(self.zone)
        prompts, name = turn.attempt.prompts, turn.messages[-1].name or turn.contact.name
        values = values_for(prompts, name=name, language=turn.language, now=now, summary=turn.history.summary)
        try:
            trace.prompt = prompts.render("assistant", values)
        except PromptsWrong as error:
            return _not_rendered(error, trace, turn.language)
        deadline = max(turn.answer_by - SENDING_SECONDS, asyncio.get_running_loop().time() + 1)
        lines = (*trace.prompt.lines, *dialogue(turn.history), _line_of_turn(turn, tapped, around.card))
        request = request_with(trace.prompt, ModelRequest(lines, deadline, spending=turn.spending))
        tool_context = ToolContext(
            services=self.services,
            business=prompts.business,
            conversation=turn.conversation,
            contact=turn.contact,
            language=turn.language,
            now=now,
            effect=trace.turn,
            product_card=around.card,
            knowledge=prompts.knowledge,
            photos=tuple(perceived.photo_text for perceived in turn.perceived if perceived.photo_text is not None),
        )
        trace.rendering = PromptRendering(values, len(trace.prompt.lines), self.agent.tool_names(tool_context))
        steps = Journal(journal.earlier, journal.write, around.until_taken)
        try:
            agent_reply = await self.agent.think(
                request, tool_context, steps, trace.record_attempt, only=trace.prompt.tools
            )
        except BudgetSpent as error:
            trace.error = str(error)
            return _result_of_tools(trace, turn.language) or await self._budget_spent(turn, error)
        except NoModelAnswered as error:
            trace.error = without_identities(f"{error}: {error.__cause__}" if error.__cause__ else str(error))
            _log.error("no_model_answered", why=trace.error, fix="see `recado doctor` and OpenRouter's status")
            return _result_of_tools(trace, turn.language) or TurnResult(
                apology(trace, turn.language), "failed: no model answered"
            )
        return TurnResult(
            _without_strange_links(whatsapp(agent_reply.text), turn, trace), "answered", agent_reply.offered
        )

    async def _budget_spent(self, turn: TurnContext, error: BudgetSpent) -> TurnResult:
        """Hand the conversation to a person, or tell the customer, because today's budget is spent."""
        if self.budget.settings.when_spent == "person":
            await self.services.handoff.call_a_person(turn.conversation, HandOffCause("budget", {"whose": error.whose}))
            return TurnResult(phrase("handed_off", turn.language), "handed_off")
        return TurnResult(phrase("budget_spent", turn.language), f"refused: {error}")


def _result_of_tools(trace: Trace, language: Language) -> TurnResult | None:
    """The answer that the turn's tools already give; then a model without an answer is no failure."""
    if parts := tuple(part for done in trace.tools for part in done.parts):
        return TurnResult("", "answered", parts)
    if any(done.name == "talk_to_a_person" and done.outcome == "ok" for done in trace.tools):
        return TurnResult(phrase("handed_off", language), "answered")
    return None


def apology(trace: Trace, language: Language) -> str:
    """An apology for the missing answer. If a tool may have acted, it doesn't ask to repeat the request."""
    return phrase("acted" if any(done.acted for done in trace.tools) else "no_answer", language)


def _without_strange_links(text: str, turn: TurnContext, trace: Trace) -> str:
    """The text without links to pages that the company doesn't vouch for.

    Known pages are those in the operators' files, in found passages of released documents, of found products, of the
    turn's buttons and of earlier answers.
    Pages in messages are unknown, such as those of a QR code, a forwarded or a typed text. So are pages in another
    tool's result, which may hold a file's name or the model's own words. The check reads the text as WhatsApp shows
    it, because an escaped full stop makes a link only there.
    """
    files = prompt_texts(turn.attempt.prompts.texts).values()
    passages = (source.text for done in trace.tools for source in done.sources)
    earlier = (item.text for item in (*turn.history.unsummarised, *turn.history.recent) if item.role != "user")
    buttons = (part.url for done in trace.tools for part in done.parts if isinstance(part, LinkButton))
    known = "\n".join((*files, *passages, *buttons, *earlier, *_product_pages(trace)))
    return links.without_unverified(text, known, phrase("strange_link", turn.language))


def _product_pages(trace: Trace) -> Iterator[str]:
    """Pages of the products that were found: the company's own file names them."""
    for done in trace.tools:
        if done.name == find_products.name and done.outcome == "ok":
            yield from (product["url"] for product in json.loads(done.result)["products"] if "url" in product)


def _not_rendered(error: PromptsWrong, trace: Trace, language: Language) -> TurnResult:
    """Report a value that broke the prompt. Only places are logged, because the error's text may quote the person."""
    trace.error = f"the prompt can't be rendered: {error.places}"
    _log.error("prompt_not_rendered", why=error.places, fix="see `recado prompts check` and `recado prompts render`")
    return TurnResult(phrase("no_answer", language), "failed: the prompt can't be rendered")


def _line_of_turn(turn: TurnContext, tapped: TapResults, card: CardEdits | None) -> FromPerson:
    pictures = tuple(perceived.picture for perceived in turn.perceived if perceived.picture)
    text = "\n".join(line.text for line in turn.lines if line.role == "user")
    if tapped.text:
        text += "\n" + tagged("tap_settled", told=tapped.text)
    if card:
        text += "\n" + tagged("open_product_card", shown=card.card_text)
    return FromPerson(text, pictures[:_PICTURES])
