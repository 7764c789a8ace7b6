"""The agent: the model and its tools in turn. Each step enters a journal, so that a retry continues from there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar

import structlog

from bot.agent.tool import RedisUnavailable, Tool, ToolContext, ToolError
from bot.ai.chat import (
    ChatModel,
    FromModel,
    FromTool,
    ModelAnswer,
    ModelRequest,
    NoModelAnswered,
    RecordAttempt,
    ToolCall,
    ToolOffer,
)
from bot.infra.crash_points import passing
from bot.knowledge.source import KnowledgeSource
from bot.messages.outbound import Part
from bot.messages.record import Record
from pipelines.truncation import truncated

_log = structlog.get_logger()
T = TypeVar("T")
_ROUNDS = 6
_TOOL_SECONDS = 20


class ToolCallRecord(Record):
    """The model's call of a tool."""

    id: str
    name: str
    arguments: dict[str, Any]


class ModelStep(Record):
    """The model's answer in one round; an entry of the journal."""

    text: str
    calls: tuple[ToolCallRecord, ...] = ()


class ToolResult(Record):
    """The result of a tool call. `outcome`: `ok`, `refused` (the model is told why) or `failed` (a fault of ours).

    `parts` are the messages that the tool adds to the reply. `acted`: the call has, or may have, an effect that no
    retry may repeat. `sources` are passages of documents that the model was given.
    """

    call_id: str
    name: str
    arguments: dict[str, Any]
    result: str
    outcome: Literal["ok", "refused", "failed"]
    milliseconds: float
    parts: tuple[Part, ...] = ()
    acted: bool = False
    sources: tuple[KnowledgeSource, ...] = ()


JournalEntry = ModelStep | ToolResult


@dataclass(frozen=True, slots=True)
class AgentReply:
    """The model's text, and the parts that its tools add to the reply."""

    text: str
    offered: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """The entries of earlier tries of this turn, and a function that writes one of this try.

    Once `interrupted` ends, no further answer of the model is waited for; a tool's call ends as it would.
    """

    earlier: tuple[JournalEntry, ...]
    write: Callable[[JournalEntry], Awaitable[None]]
    interrupted: Callable[[], Awaitable[None]] | None = None


class Interrupted(Exception):
    """The answer isn't wanted any more."""


async def unless(interrupted: Callable[[], Awaitable[None]] | None, work: Awaitable[T]) -> T:
    """The result of this work; raises Interrupted, and cancels it, where the interruption comes first."""
    working = asyncio.ensure_future(work)
    if interrupted is None:
        return await working
    watching = asyncio.ensure_future(interrupted())
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done() and watching.exception() is None:
            raise Interrupted
        # If watching itself fails, the work goes on.
        return await working
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


class Agent:
    """The model with its tools. The agent itself does no I/O.

    `tools_for` gives the tools of a contact: the model can call no others.
    """

    def __init__(self, model: ChatModel, tools_for: Callable[[ToolContext], tuple[Tool[Any], ...]]) -> None:
        self._model = model
        self._tools_for = tools_for

    async def think(
        self,
        request: ModelRequest,
        context: ToolContext,
        journal: Journal,
        record_attempt: RecordAttempt,
        *,
        only: frozenset[str] | None = None,
    ) -> AgentReply:
        """The reply to a person. Raises NoModelAnswered if there is none by the request's deadline, and Interrupted.

        `only` limits the contact's tools to these names; it never adds a tool.
        """
        tools = {tool.name: tool for tool in self._tools_for(context) if only is None or tool.name in only}
        tool_runner = ToolRunner(tools, context, journal, request.deadline)
        return await converse(self._model, request, tool_runner, journal, record_attempt)

    def tool_names(self, context: ToolContext) -> tuple[str, ...]:
        """Names of the contact's tools."""
        return tuple(tool.name for tool in self._tools_for(context))


class EndlessCalls(NoModelAnswered):
    """The model calls tools, and answers nothing."""


async def converse(
    model: ChatModel, request: ModelRequest, worker: CallWorker, journal: Journal, record_attempt: RecordAttempt
) -> AgentReply:
    """Ask the model until it calls no more tools. Raises NoModelAnswered, BudgetSpent and Interrupted."""
    lines = list(request.lines)
    offered: list[Part] = []
    steps = [entry for entry in journal.earlier if isinstance(entry, ModelStep)]
    for round_ in range(_ROUNDS + 1):
        if round_ < len(steps):
            step = steps[round_]
        else:
            # The last round allows no tool call, so that a model which calls without end has to answer.
            next_request = replace(request, lines=tuple(lines), tools=worker.offers, may_call=round_ < _ROUNDS)
            asked = model.answer(next_request, record_attempt)
            step = _step(await unless(journal.interrupted, asked), round_)
            passing("turn: model answered, not written down")
            await journal.write(step)
        if not step.calls:
            return AgentReply(step.text, tuple(offered))
        if round_ == _ROUNDS:
            break
        results = await worker.work(step)
        lines.append(FromModel(step.text, tuple(ToolCall(call.id, call.name, call.arguments) for call in step.calls)))
        offered.extend(part for result in results for part in result.parts)
        lines.extend(FromTool(result.call_id, result.result) for result in results)
    raise EndlessCalls("the model called tools without end")


class CallWorker(Protocol):
    """Gives each call of a step its result."""

    @property
    def offers(self) -> tuple[ToolOffer, ...]: ...

    async def work(self, step: ModelStep) -> list[ToolResult]: ...


class ToolRunner:
    """The tools of a turn, and the journal of their results: no finished call is repeated."""

    def __init__(self, tools: dict[str, Tool[Any]], context: ToolContext, journal: Journal, deadline: float) -> None:
        self._tools = tools
        self._context = context
        self._journal = journal
        self._done = {entry.call_id: entry for entry in journal.earlier if isinstance(entry, ToolResult)}
        self._offered = [part for entry in self._done.values() for part in entry.parts]
        # An asyncio lock is fair, so calls run in their order.
        self._acting = asyncio.Lock()
        self._deadline = deadline

    @property
    def offers(self) -> tuple[ToolOffer, ...]:
        return tuple(tool.offer for tool in self._tools.values())

    async def work(self, step: ModelStep) -> list[ToolResult]:
        """Run the calls of a step concurrently, but those with effects in order: each sees the effects of those before.

        Raises the exception that stopped a call, after all have ended.
        """
        done = await asyncio.gather(*(self._one(call) for call in step.calls), return_exceptions=True)
        if stopped := [ended for ended in done if isinstance(ended, BaseException)]:
            raise stopped[0]
        return [ended for ended in done if isinstance(ended, ToolResult)]

    async def _one(self, call: ToolCallRecord) -> ToolResult:
        if call.id in self._done:
            return self._done[call.id]
        tool = self._tools.get(call.name)
        async with self._acting if tool is not None and tool.acts else nullcontext():
            effect, offered = f"{self._context.effect}.{call.id}", tuple(self._offered)
            own = replace(self._context, effect=effect, offered=offered, parts=[], sources=[])
            result = await self._call(call, own)
            passing("turn: tool has acted, not written down")
            await self._journal.write(result)
            self._offered.extend(result.parts)
        return result

    async def _call(self, call: ToolCallRecord, context: ToolContext) -> ToolResult:
        started = time.perf_counter()
        outcome: Literal["ok", "refused", "failed"] = "ok"
        tool = self._tools.get(call.name)
        try:
            if tool is None:
                raise ToolError(f"there is no tool {call.name!r}; there are {', '.join(self._tools)}")  # noqa: TRY301
            left = self._deadline - asyncio.get_running_loop().time()
            # Half of the time that is left, so that the model can still report the result.
            async with asyncio.timeout(min(_TOOL_SECONDS, max(left / 2, 0))):
                result = truncated(await tool.call(call.arguments, context))
        except ToolError as error:
            result, outcome = truncated(f"Error: {error}"), "refused"
        except RedisUnavailable:
            # The turn is retried, because the tool has no fault. Effects have names, so none is repeated.
            raise
        except Exception:  # noqa: BLE001
            # A tool's fault must not silence the assistant, so the model reports the failure.
            _log.exception("tool_failed", tool=call.name)
            result, outcome = "Error: this tool is out of order now. Say so; don't guess its result.", "failed"
        return ToolResult(
            call_id=call.id,
            name=call.name,
            arguments=call.arguments,
            result=result,
            outcome=outcome,
            milliseconds=(time.perf_counter() - started) * 1000,
            parts=tuple(context.parts) if outcome == "ok" else (),
            acted=tool is not None and tool.acts and outcome != "refused",
            sources=tuple(context.sources) if outcome == "ok" else (),
        )


def _step(answer: ModelAnswer, round_: int) -> ModelStep:
    # Our own ids, because providers repeat theirs over rounds and the journal needs a unique id for each call.
    calls = tuple(
        ToolCallRecord(id=f"r{round_}c{index}", name=call.name, arguments=call.arguments)
        for index, call in enumerate(answer.calls)
    )
    return ModelStep(text=answer.text, calls=calls)
