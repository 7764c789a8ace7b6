"""The thinking: the model and its tools in turns, every step written down, so that a retry goes on where it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog

from bot.agent.tool import RedisUnavailable, Tool, ToolContext, ToolError
from bot.ai.chat import (
    Book,
    ChatModel,
    FromModel,
    FromTool,
    ModelAnswer,
    ModelRequest,
    NoModelAnswered,
    ToolCall,
    ToolOffer,
)
from bot.infra.crash_points import passing
from bot.messages.outbound import Part
from bot.messages.record import Record
from pipelines.truncation import truncated

_log = structlog.get_logger()
_ROUNDS = 6
_TOOL_SECONDS = 20


class ToolCallRecord(Record):
    """A call as the model made it."""

    id: str
    name: str
    arguments: dict[str, Any]


class ModelStep(Record):
    """What the model answered in one round, and what its calls came to; the journal's entry."""

    text: str
    calls: tuple[ToolCallRecord, ...] = ()


class ToolResult(Record):
    """What one call came to. `outcome`: `ok`, `refused` (told to the model) or `failed` (a fault of ours).

    `parts` are messages that it adds to the reply; `acted`: it has done, or may have done, what no retry may repeat.
    """

    call_id: str
    name: str
    arguments: dict[str, Any]
    result: str
    outcome: Literal["ok", "refused", "failed"]
    milliseconds: float
    parts: tuple[Part, ...] = ()
    acted: bool = False


@dataclass(frozen=True, slots=True)
class AgentReply:
    """What the model says, and what its tools offer to tap beside it."""

    text: str
    offered: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """What earlier tries of this turn did, and where to write down what this one does."""

    earlier: tuple[ModelStep | ToolResult, ...]
    write: Callable[[ModelStep | ToolResult], Awaitable[None]]


class Agent:
    """Does no I/O of its own: the model, the tools and the journal are handed in.

    `tools_for` says which tools there are for somebody: no other can be called.
    """

    def __init__(self, model: ChatModel, tools_for: Callable[[ToolContext], tuple[Tool[Any], ...]]) -> None:
        self._model = model
        self._tools_for = tools_for

    async def think(
        self,
        question: ModelRequest,
        context: ToolContext,
        journal: Journal,
        book: Book,
        *,
        only: frozenset[str] | None = None,
    ) -> AgentReply:
        """The reply to a person. Raises NoModelAnswered when there is none by the question's deadline.

        `only` narrows the tools that there are for this person to these names; it never adds one.
        """
        tools = {tool.name: tool for tool in self._tools_for(context) if only is None or tool.name in only}
        hands = ToolRunner(tools, context, journal, question.deadline)
        lines = list(question.lines)
        offered: list[Part] = []
        steps = [entry for entry in journal.earlier if isinstance(entry, ModelStep)]
        for round_ in range(_ROUNDS + 1):
            if round_ < len(steps):
                step = steps[round_]
            else:
                # In the last round no tool may be called: whoever would call for ever has to answer.
                asked = replace(question, lines=tuple(lines), tools=hands.offers, may_call=round_ < _ROUNDS)
                step = _step(await self._model.answer(asked, book), round_)
                passing("turn: model answered, not written down")
                await journal.write(step)
            if not step.calls:
                return AgentReply(step.text, tuple(offered))
            if round_ == _ROUNDS:
                break
            results = await hands.work(step)
            lines.append(
                FromModel(step.text, tuple(ToolCall(call.id, call.name, call.arguments) for call in step.calls))
            )
            offered.extend(part for result in results for part in result.parts)
            lines.extend(FromTool(result.call_id, result.result) for result in results)
        raise NoModelAnswered("the model called tools without end")


class ToolRunner:
    """The tools of one turn, and the journal of what they did: a call that was done is not done again."""

    def __init__(self, tools: dict[str, Tool[Any]], context: ToolContext, journal: Journal, deadline: float) -> None:
        self._tools = tools
        self._context = context
        self._journal = journal
        self._done = {entry.call_id: entry for entry in journal.earlier if isinstance(entry, ToolResult)}
        self._offered = [part for entry in self._done.values() for part in entry.parts]
        # Fair, so that calls get it in their order.
        self._acting = asyncio.Lock()
        self._deadline = deadline

    @property
    def offers(self) -> tuple[ToolOffer, ...]:
        return tuple(tool.offer for tool in self._tools.values())

    async def work(self, step: ModelStep) -> list[ToolResult]:
        """Do all calls of a step at once, but those that act one after another: what one has done, the next must know.

        Raises what stopped one of them, when all are over.
        """
        done = await asyncio.gather(*(self._one(call) for call in step.calls), return_exceptions=True)
        if stopped := [one for one in done if isinstance(one, BaseException)]:
            raise stopped[0]
        return [one for one in done if isinstance(one, ToolResult)]

    async def _one(self, call: ToolCallRecord) -> ToolResult:
        if call.id in self._done:
            return self._done[call.id]
        tool = self._tools.get(call.name)
        async with self._acting if tool is not None and tool.acts else nullcontext():
            effect, offered = f"{self._context.effect}.{call.id}", tuple(self._offered)
            result = await self._call(call, replace(self._context, effect=effect, offered=offered, parts=[]))
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
            # Half of what is left, so that the model can still say what became of it.
            async with asyncio.timeout(min(_TOOL_SECONDS, max(left / 2, 0))):
                result = truncated(await tool.call(call.arguments, context))
        except ToolError as error:
            result, outcome = truncated(f"Error: {error}"), "refused"
        except RedisUnavailable:
            # No fault of the tool's: the turn is tried again, and its effects have names, so that none is done twice.
            raise
        except Exception:  # noqa: BLE001
            # A fault in one tool must not silence the assistant: the model says honestly that it didn't work.
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
        )


def _step(answer: ModelAnswer, round_: int) -> ModelStep:
    # Our own ids: providers repeat theirs over rounds, and the journal needs one name for one call.
    calls = tuple(
        ToolCallRecord(id=f"r{round_}c{index}", name=call.name, arguments=call.arguments)
        for index, call in enumerate(answer.calls)
    )
    return ModelStep(text=answer.text, calls=calls)
