"""Run of a case: each turn passes perception, the prompt, the agent with its real tools, and the reply's form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from bot.agent.loop import Agent, EndlessCalls, Journal, ModelStep, ToolResult
from bot.agent.prompt import dialogue, request_with, values_for
from bot.agent.tool import ToolContext
from bot.agent.tools.catalog import TABLE, tools_for
from bot.ai.chat import Attempt, ChatModel, FromPerson, ModelRequest, NoModelAnswered
from bot.conversations.contacts import Contact
from bot.conversations.memory import History, HistoryEntry
from bot.media.understanding import Perceived, PerceivedMessage
from bot.messages.inbound import Content, Document, Inbound, Location, Photo, Tap, Text, Video, Voice
from bot.messages.language import Language, language_from, language_of
from bot.messages.phrases import phrase
from bot.messages.prompt_text import part_text, tagged, text_without_file
from bot.prompting.prompts import Prompts
from bot.turns.reply import composed
from bot.whatsapp.markdown import whatsapp
from evals.case_documents import SET
from evals.cases import FILE_KINDS, Case, CaseTurn, Expected
from evals.environment import CaseEnvironment
from evals.expectations import TurnOutcome
from evals.fingerprint import asked_fingerprint, concerned_tools, sent_fingerprint
from evals.problems import CaseProblem, problem
from evals.recordings import RecordedTurn, RecordingEnded

_SECONDS = 60.0
_ACTING_TOOLS = frozenset(row.tool.name for row in TABLE if row.tool.acts)
# Gives the model of a turn by the turn's number: a recording, a real model, or the examples of the case.
ModelOf = Callable[[int, CaseTurn], ChatModel]


@dataclass(frozen=True, slots=True)
class ExecutedTurn:
    """`sent` and `asked` are fingerprints of the message, and of what the answers depend on.

    `failed` says why no model answered.
    """

    out: TurnOutcome
    sent: str
    asked: str
    perceived: Perceived | None
    failed: CaseProblem | None = None


@dataclass(slots=True)
class CaseRun:
    """Run of one case in an environment, with the prompts of a release."""

    case: Case
    environment: CaseEnvironment
    prompts: Prompts
    run: str = "1"

    async def execute(self, model_of: ModelOf, recorded: Sequence[RecordedTurn] = ()) -> list[ExecutedTurn]:
        """Execute all turns in their order. Files that a recording has perceived are not read again."""
        conversation, contact = self.environment.person(self.case, self.run)
        await self._write_memory(conversation, _earlier(self.case))
        done = []
        for number, turn in enumerate(self.case.turns):
            sent = await asyncio.to_thread(sent_fingerprint, self.case, turn)
            # Because a file that changed has to be read again, only the same message is known.
            known = [turn.perceived for turn in recorded[number : number + 1] if turn.sent == sent]
            perception = await self._perceive(conversation, number, turn, contact, known[0] if known else None)
            executed, contact = await self._turn(conversation, contact, number, perception, model_of(number, turn))
            executed = replace(executed, sent=sent)
            done.append(executed if turn.kind in FILE_KINDS else replace(executed, perceived=None))
        return done

    async def _turn(
        self, conversation: str, contact: Contact, number: int, perception: PerceivedMessage, model: ChatModel
    ) -> tuple[ExecutedTurn, Contact]:
        before = await self.environment.services.memory.recall(conversation)
        default = self.environment.services.settings.service.default_language
        known = language_from(contact.language, default)
        language = language_of(perception.perceived.words) or known
        contact = replace(contact, language=language)
        now = self.case.now.replace(tzinfo=self.environment.services.settings.service.zone)
        context = ToolContext(
            services=self.environment.tool_services,
            business=self.prompts.business,
            conversation=conversation,
            contact=contact,
            language=language,
            now=now,
            effect=f"t_{conversation[2:14]}_{number}",
            knowledge=SET if self.environment.knowledge else None,
            photos=(perception.photo_text,) if perception.photo_text else (),
        )
        agent_turn = _AgentTurn(self.prompts, context, now, model, self.case.turns[number].expect, later=number > 0)
        if perception.perceived.trouble:
            out, failed = TurnOutcome((phrase(perception.perceived.trouble, language),)), None
        else:
            out, failed = await agent_turn.answer(perception, language, before)
        out = replace(out, handed_over=(await self.environment.services.contacts.get(conversation)).handed_off)
        said = HistoryEntry(role="user", text=perception.perceived.text, at=now)
        await self._write_memory(conversation, [said, HistoryEntry(role="assistant", text=out.text, at=now)])
        return ExecutedTurn(out, "", agent_turn.asked, perception.perceived, failed), contact

    async def _perceive(
        self, conversation: str, number: int, turn: CaseTurn, contact: Contact, known: Perceived | None
    ) -> PerceivedMessage:
        if known is not None:
            return PerceivedMessage(known)
        content = _content(turn)
        message = self._message(number, contact, content)
        if turn.kind in FILE_KINDS and isinstance(turn.sent, dict):
            facts = {"caption": turn.caption, **turn.sent}
            words = " ".join(filter(None, (turn.caption, turn.sent.get("transcript"))))
            return PerceivedMessage(
                Perceived(message=message.id, kind=turn.kind, text=tagged(turn.kind, **facts), words=words)
            )
        if turn.kind in FILE_KINDS:
            perception = await self.environment.perceive(self.case, conversation, message)
            return replace(perception, perceived=perception.perceived.model_copy(update={"milliseconds": 0.0}))
        words = content.body if isinstance(content, Text) else ""
        return PerceivedMessage(
            Perceived(message=message.id, kind=content.kind, text=text_without_file(content), words=words)
        )

    def _message(self, number: int, contact: Contact, content: Content) -> Inbound:
        sent_at = self.case.now.replace(tzinfo=self.environment.services.settings.service.zone)
        identity = {"phone": contact.phone, "bsuid": contact.bsuid, "name": contact.name}
        return Inbound(id=f"wamid.{number}", sent_at=sent_at, received_at=sent_at, content=content, **identity)

    async def _write_memory(self, conversation: str, said: Sequence[HistoryEntry] | History) -> None:
        pipeline = self.environment.services.redis.pipeline(transaction=True)
        if isinstance(said, History):
            self.environment.services.memory.replace(pipeline, conversation, said)
        else:
            before = await self.environment.services.memory.recall(conversation)
            self.environment.services.memory.extend(
                pipeline, conversation, before, [entry for entry in said if entry.text]
            )
        await pipeline.execute()


@dataclass(slots=True)
class _AgentTurn:
    """Agent's part of one turn; `later` says that turns of this run came before."""

    prompts: Prompts
    context: ToolContext
    now: datetime
    model: ChatModel
    expected: Expected
    later: bool
    asked: str = ""

    async def answer(
        self, perception: PerceivedMessage, language: Language, before: History
    ) -> tuple[TurnOutcome, CaseProblem | None]:
        """Outcome of the turn, and the reason where no model answered."""
        contact = self.context.contact
        values = values_for(self.prompts, name=contact.name, language=language, now=self.now, summary=before.summary)
        prompt = self.prompts.render("assistant", values)
        pictures = (perception.picture,) if perception.picture else ()
        lines = (*prompt.lines, *dialogue(before), FromPerson(perception.perceived.text, pictures))
        question = request_with(prompt, ModelRequest(lines, asyncio.get_running_loop().time() + _SECONDS))
        offered = [tool for tool in tools_for(self.context) if prompt.tools is None or tool.name in prompt.tools]
        # Because earlier replies of this run depend on the day and on chance, the fingerprint leaves them out.
        fixed_lines = (*prompt.lines, *([] if self.later else dialogue(before)), lines[-1])
        attempts: list[Attempt] = []
        tools: list[ToolResult] = []

        async def book(attempt: Attempt) -> None:
            attempts.append(attempt)

        async def write(entry: ModelStep | ToolResult) -> None:
            if isinstance(entry, ToolResult):
                tools.append(entry)

        agent = Agent(self.model, tools_for)
        reply: tuple[str, ...] = ()
        failed = None
        try:
            agent_reply = await agent.think(question, self.context, Journal((), write), book, only=prompt.tools)
        except NoModelAnswered as error:
            failed = _reason(error)
        else:
            reply = tuple(part_text(part) for part in composed(whatsapp(agent_reply.text), agent_reply.offered))
        concerned = concerned_tools(self.expected, tools)
        self.asked = asked_fingerprint(replace(question, lines=fixed_lines), offered, concerned, tools)
        cost = sum((attempt.cost_usd for attempt in attempts), Decimal(0)) + perception.perceived.cost_usd
        seconds = sum(attempt.seconds for attempt in attempts)
        out = TurnOutcome(reply, tuple(tools), _ACTING_TOOLS, cost_usd=cost, milliseconds=seconds * 1000)
        return out, failed


def _reason(error: NoModelAnswered) -> CaseProblem:
    match error:
        case RecordingEnded():
            return problem("recording ends")
        case EndlessCalls():
            return problem("endless calls")
    # A vendor's own words stay as they are.
    return problem("no model because", why=error.__cause__) if error.__cause__ else problem("no model")


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
    # Because Meta sends a name with documents alone, the other kinds get none.
    shown = name.rpartition("/")[2] if turn.kind == "document" else None
    return cast("Content", _KINDS[turn.kind](media_id=name, filename=shown, caption=turn.caption))


def _earlier(case: Case) -> History:
    said = [
        HistoryEntry(role=role, text=text, at=case.now.astimezone())
        for entry in case.memory
        for role, text in (("user", entry.user), ("assistant", entry.assistant))
        if text
    ]
    return History(case.summary, (), tuple(said))
