"""Answers without a model: a case's examples, else the sandbox's rule-based model."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable

from bot.ai.chat import Attempt, ModelAnswer, ModelRequest, RecordAttempt, ToolCall
from bot.ai.chat_completions import message
from evals.cases import Example
from evals.expectations import named
from evals.recordings import EXAMPLE, STAND_IN
from sandbox.simulators.rule_based_model import answer_by_rules


class ScriptedModel:
    """ChatModel that gives a turn's examples in their order; `by` names the author."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self._examples = deque(examples)
        self.by = EXAMPLE if self._examples else STAND_IN

    async def answer(self, question: ModelRequest, book: RecordAttempt) -> ModelAnswer:
        await book(Attempt(self.by, "ok", 0, self.by))
        if self.by == STAND_IN:
            return _stand_in(question)
        example = self._examples.popleft() if self._examples else Example(says="-")
        calls = tuple(ToolCall(str(number), *named(call)) for number, call in enumerate(example.calls))
        return ModelAnswer(example.says, calls, self.by)


def _stand_in(question: ModelRequest) -> ModelAnswer:
    tools = [{"function": {"name": tool.name}} for tool in question.tools if question.may_call]
    said = answer_by_rules([message(line, sees=False) for line in question.lines], tools)
    calls = tuple(
        ToolCall(str(number), call["function"]["name"], json.loads(call["function"]["arguments"]))
        for number, call in enumerate(said.get("tool_calls") or ())
    )
    return ModelAnswer(said["content"] or "", calls, STAND_IN)
