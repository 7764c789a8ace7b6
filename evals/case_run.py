"""A case performed: each turn through perception, the prompt, the agent with its real tools, and the reply's form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from bot.agent.loop import Agent, Journal, ModelStep, ToolResult
from bot.agent.prompt import asked_with, dialogue, values_for
from bot.agent.tool import ToolContext
from bot.agent.tools.catalog import TABLE, tools_for
from bot.ai.chat import Attempt, ChatModel, FromPerson, ModelRequest, NoModelAnswered
from bot.conversations.contacts import Contact
from bot.conversations.memory import History, HistoryEntry
from bot.media.understanding import Perceived, PerceivedMessage
from bot.messages.inbound import Content, Document, Inbound, Location, Photo, Tap, Text, Video, Voice
from bot.messages.language import Language, language_of
from bot.messages.phrases import phrase
from bot.messages.prompt_text import fenced, glance, words
from bot.prompting.prompts import Prompts
from bot.turns.reply import composed
from bot.whatsapp.markdown import whatsapp
from evals.cases import Case, CaseTurn
from evals.environment import CaseEnvironment
from evals.expectations import TurnOutcome
from evals.recordings import RecordedTurn, fingerprint

_SECONDS = 60.0
_ACTING = frozenset(row.tool.name for row in TABLE if row.tool.acts)
# The model of a turn, by the turn's place: a recording's, a real one, or one by hand.
ModelOf = Callable[[int, CaseTurn], ChatModel]


@dataclass(frozen=True, slots=True)
class PerformedTurn:
    """A turn that was performed; `asked` is the fingerprint of its question. `failed`: no model answered."""

    out: TurnOutcome
    asked: str
    perceived: Perceived | None
    failed: str = ""


@dataclass(slots=True)
class CaseRun:
    """One run of one case on a stage, with the prompts of a release."""

    case: Case
    stage: CaseEnvironment
    prompts: Prompts
    run: str = "1"

    async def perform(self, model_of: ModelOf, recorded: Sequence[RecordedTurn] = ()) -> list[PerformedTurn]:
        """All turns in their order. What a recording has perceived is not looked at again."""
        conversation, contact = self.stage.person(self.case, self.run)
        await self._remember(conversation, _before(self.case))
        done = []
        for number, turn in enumerate(self.case.turns):
            known = recorded[number].perceived if number < len(recorded) else None
            sight = await self._look(conversation, number, turn, contact, known)
            performed, contact = await self._turn(conversation, contact, number, sight, model_of(number, turn))
            done.append(performed if turn.kind in _FILES else replace(performed, perceived=None))
        return done

    async def _turn(
        self, conversation: str, contact: Contact, number: int, sight: PerceivedMessage, model: ChatModel
    ) -> tuple[PerformedTurn, Contact]:
        before = await self.stage.services.memory.recall(conversation)
        default = self.stage.services.settings.service.default_language
        known = cast("Language", contact.language) if contact.language in ("es", "en") else default
        language = language_of(sight.perceived.words) or known
        contact = replace(contact, language=language)
        now = self.case.now.replace(tzinfo=self.stage.services.settings.service.zone)
        context = ToolContext(
            services=self.stage.tool_services,
            business=self.prompts.business,
            conversation=conversation,
            contact=contact,
            now=now,
            effect=f"t_{conversation[2:14]}_{number}",
        )
        thinking = _Thinking(self.prompts, context, now, model, later=number > 0)
        if sight.perceived.trouble:
            out, failed = TurnOutcome((phrase(sight.perceived.trouble, language),)), ""
        else:
            out, failed = await thinking.think(sight, language, before)
        out = replace(out, handed_over=(await self.stage.services.contacts.get(conversation)).quiet)
        said = HistoryEntry(role="user", text=sight.perceived.text, at=now)
        await self._remember(conversation, [said, HistoryEntry(role="assistant", text=out.text, at=now)])
        return PerformedTurn(out, thinking.asked, sight.perceived, failed), contact

    async def _look(
        self, conversation: str, number: int, turn: CaseTurn, contact: Contact, known: Perceived | None
    ) -> PerceivedMessage:
        if known is not None:
            return PerceivedMessage(known)
        moment = self.case.now.replace(tzinfo=self.stage.services.settings.service.zone)
        identity = {"phone": contact.phone, "bsuid": contact.bsuid, "name": contact.name}
        content = _content(turn)
        message = Inbound(id=f"wamid.{number}", sent_at=moment, received_at=moment, content=content, **identity)
        if turn.kind in _FILES and isinstance(turn.sent, dict):
            facts = {"caption": turn.caption, **turn.sent}
            heard = " ".join(filter(None, (turn.caption, turn.sent.get("transcript"))))
            return PerceivedMessage(
                Perceived(message=message.id, kind=turn.kind, text=fenced(turn.kind, **facts), words=heard)
            )
        if turn.kind in _FILES:
            sight = await self.stage.perceive(self.case, conversation, message)
            return replace(sight, perceived=sight.perceived.model_copy(update={"milliseconds": 0.0}))
        heard = content.body if isinstance(content, Text) else ""
        return PerceivedMessage(Perceived(message=message.id, kind=content.kind, text=glance(content), words=heard))

    async def _remember(self, conversation: str, said: Sequence[HistoryEntry] | History) -> None:
        pipeline = self.stage.services.redis.pipeline(transaction=True)
        if isinstance(said, History):
            self.stage.services.memory.replace(pipeline, conversation, said)
        else:
            before = await self.stage.services.memory.recall(conversation)
            self.stage.services.memory.extend(pipeline, conversation, before, [one for one in said if one.text])
        await pipeline.execute()


@dataclass(slots=True)
class _Thinking:
    prompts: Prompts
    context: ToolContext
    now: datetime
    model: ChatModel
    later: bool
    asked: str = ""

    async def think(self, sight: PerceivedMessage, language: Language, before: History) -> tuple[TurnOutcome, str]:
        """What the turn came to, and why no model answered."""
        contact = self.context.contact
        values = values_for(self.prompts, name=contact.name, language=language, now=self.now, summary=before.summary)
        prompt = self.prompts.render("assistant", values)
        pictures = (sight.picture,) if sight.picture else ()
        lines = (*prompt.lines, *dialogue(before), FromPerson(sight.perceived.text, pictures))
        question = asked_with(prompt, ModelRequest(lines, asyncio.get_running_loop().time() + _SECONDS))
        offered = [one for one in tools_for(self.context) if prompt.tools is None or one.name in prompt.tools]
        # What was answered since depends on the day and on chance: only what the case itself says counts.
        said = (*prompt.lines, *([] if self.later else dialogue(before)), lines[-1])
        self.asked = fingerprint(replace(question, lines=said), offered)
        spent: list[Attempt] = []
        tools: list[ToolResult] = []

        async def book(attempt: Attempt) -> None:
            spent.append(attempt)

        async def write(entry: ModelStep | ToolResult) -> None:
            if isinstance(entry, ToolResult):
                tools.append(entry)

        agent = Agent(self.model, tools_for)
        reply: tuple[str, ...] = ()
        failed = ""
        try:
            thought = await agent.think(question, self.context, Journal((), write), book, only=prompt.tools)
        except NoModelAnswered as error:
            failed = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
        else:
            reply = tuple(words(part) for part in composed(whatsapp(thought.text), thought.offered))
        cost = sum((one.cost_usd for one in spent), Decimal(0)) + sight.perceived.cost_usd
        seconds = sum(one.seconds for one in spent)
        out = TurnOutcome(reply, tuple(tools), _ACTING, cost_usd=cost, milliseconds=seconds * 1000)
        return out, failed


_FILES = ("voice", "photo", "video", "document")
_KINDS: dict[str, Any] = {"voice": Voice, "photo": Photo, "video": Video, "document": Document}


def _content(turn: CaseTurn) -> Content:
    match turn.kind:
        case "text":
            return Text(body=turn.sent)
        case "tap":
            return Tap(id="evaluation", title=turn.sent)
        case "location":
            return Location.model_validate(turn.sent)
    name = turn.sent if isinstance(turn.sent, str) else ""
    # Only documents come with a name.
    shown = name.rpartition("/")[2] if turn.kind == "document" else None
    return cast("Content", _KINDS[turn.kind](media_id=name, filename=shown, caption=turn.caption))


def _before(case: Case) -> History:
    said = [
        HistoryEntry(role=role, text=text, at=case.now.astimezone())
        for one in case.memory
        for role, text in (("user", one.user), ("assistant", one.assistant))
        if text
    ]
    return History(case.summary, (), tuple(said))
