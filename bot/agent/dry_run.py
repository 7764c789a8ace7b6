"""Tools of a replay: their calls are checked and answered, and never carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.agent.loop import ModelStep, ToolCallRecord, ToolResult
from bot.agent.tool import Tool, ToolError
from bot.ai.chat import ToolOffer
from pipelines.truncation import truncated

_NOT_CARRIED_OUT = (
    "(Dry run: this tool was not carried out, and there is no recorded result. Go on as if it had succeeded, and "
    "invent no details of its result.)"
)


@dataclass(frozen=True, slots=True)
class DryCall:
    """A call of the model; `how`: `recorded` (the turn made the same call), `dry`, or `refused` for wrong arguments."""

    name: str
    arguments: dict[str, Any]
    result: str
    how: Literal["recorded", "dry", "refused"]


class DryTools:
    """A CallWorker without services. `recorded` are the turn's own calls, whose results its same calls are given."""

    def __init__(self, tools: Sequence[Tool[Any]], recorded: Sequence[dict[str, Any]]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._recorded = [call for call in recorded if call.get("outcome") == "ok"]
        self.calls: list[DryCall] = []

    @property
    def offers(self) -> tuple[ToolOffer, ...]:
        return tuple(tool.offer for tool in self._tools.values())

    async def work(self, step: ModelStep) -> list[ToolResult]:
        """Results of the step's calls."""
        return [self._answered(call) for call in step.calls]

    def _answered(self, call: ToolCallRecord) -> ToolResult:
        done = self._dry(call)
        self.calls.append(done)
        return ToolResult(
            call_id=call.id,
            name=call.name,
            arguments=call.arguments,
            result=done.result,
            outcome="refused" if done.how == "refused" else "ok",
            milliseconds=0,
        )

    def _dry(self, call: ToolCallRecord) -> DryCall:
        tool = self._tools.get(call.name)
        try:
            if tool is None:
                raise ToolError(f"there is no tool {call.name!r}; there are {', '.join(self._tools)}")  # noqa: TRY301
            tool.checked(call.arguments)
        except ToolError as error:
            return DryCall(call.name, call.arguments, truncated(f"Error: {error}"), "refused")
        for recorded in self._recorded:
            if (recorded["name"], recorded["arguments"]) == (call.name, call.arguments):
                return DryCall(call.name, call.arguments, str(recorded["result"]), "recorded")
        return DryCall(call.name, call.arguments, _NOT_CARRIED_OUT, "dry")
