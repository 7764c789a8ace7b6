"""Summaries of history entries that no longer fit the memory, made by the model outside of the reply's path."""

from __future__ import annotations

import asyncio

import structlog

from bot.agent.prompt import request_with, values_of_summary
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
        """Summarise the entries that no longer fit. A repetition is harmless; without an answer they stay."""
        before = await self._memory.recall(conversation)
        if not before.unsummarised:
            return
        prompts = await self._library.now(conversation)
        structlog.contextvars.bind_contextvars(release=prompts.release)
        try:
            prompt = prompts.render("summary", values_of_summary(prompts, before.summary))
        except PromptsWrong as error:
            _log.error("prompt_not_rendered", why=error.places, fix="see `recado prompts check`")
            return
        text = tagged("conversation", lines="\n".join(f"{item.role}: {item.text}" for item in before.unsummarised))
        deadline = asyncio.get_running_loop().time() + _SECONDS
        spending = self._budget.account(conversation)
        request = request_with(prompt, ModelRequest((*prompt.lines, FromPerson(text)), deadline, spending=spending))
        try:
            answer = await self._model.answer(request, count)
        except (NoModelAnswered, BudgetSpent) as error:
            _log.warning("no_summary", why=str(error.__cause__ or error))
            return
        passing("summary: made, not kept")
        await self._memory.summarised(conversation, before.unsummarised, answer.text)
