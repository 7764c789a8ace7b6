"""What fell out of a conversation's memory becomes a summary, made by the model off the reply's path."""

from __future__ import annotations

import asyncio

import structlog

from bot.agent.prompt import asked_with, values_of_summary
from bot.ai.chat import BudgetSpent, ChatModel, FromPerson, ModelRequest, NoModelAnswered
from bot.conversations.budget import Budget
from bot.conversations.memory import Memory
from bot.infra.crash_points import passing
from bot.messages.prompt_text import tagged
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.library import Library
from bot.turns.trace import count

_log = structlog.get_logger()
_SECONDS = 60


class Summarizer:
    def __init__(self, model: ChatModel, memory: Memory, library: Library, budget: Budget) -> None:
        self._budget = budget
        self._model = model
        self._memory = memory
        self._library = library

    async def make(self, conversation: str) -> None:
        """Summarise what fell out. Repeating it does no harm; when no model answers, it stays readable as it was."""
        before = await self._memory.recall(conversation)
        if not before.fallen:
            return
        prompts = await self._library.now(conversation)
        structlog.contextvars.bind_contextvars(release=prompts.release)
        try:
            prompt = prompts.render("summary", values_of_summary(prompts, before.summary))
        except PromptsWrong as error:
            _log.error("prompt_not_rendered", why=error.places, fix="see `recado prompts check`")
            return
        said = tagged("conversation", lines="\n".join(f"{item.role}: {item.text}" for item in before.fallen))
        deadline = asyncio.get_running_loop().time() + _SECONDS
        spending = self._budget.account(conversation)
        question = asked_with(prompt, ModelRequest((*prompt.lines, FromPerson(said)), deadline, spending=spending))
        try:
            answer = await self._model.answer(question, count)
        except (NoModelAnswered, BudgetSpent) as error:
            _log.warning("no_summary", why=str(error.__cause__ or error))
            return
        passing("summary: made, not kept")
        await self._memory.summarised(conversation, before.fallen, answer.text)
