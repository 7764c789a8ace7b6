"""What fell out of a conversation's memory becomes a summary, made by the model off the reply's path."""

from __future__ import annotations

import asyncio

import structlog

from bot.ai.chat import BudgetSpent, ChatModel, FromPerson, Instructions, NoModelAnswered, Question
from bot.budget import Budget
from bot.memory import Memory
from bot.perception import fenced, typed
from bot.points import passing
from bot.prompting.business import Business
from bot.prompting.prompts import Prompts
from bot.trace import count

_log = structlog.get_logger()
_SECONDS = 60


class Summaries:
    def __init__(self, model: ChatModel, memory: Memory, prompts: Prompts, business: Business, budget: Budget) -> None:
        self._budget = budget
        self._model = model
        self._memory = memory
        self._prompts = prompts
        self._business = business

    async def make(self, conversation: str) -> None:
        """Summarise what fell out. Repeating it does no harm; when no model answers, it stays readable as it was."""
        before = await self._memory.recall(conversation)
        if not before.fallen:
            return
        values = {"business": {"name": self._business.name}, "summary": typed(before.summary)}
        prompt = self._prompts.render("summary", values)
        said = fenced("conversation", lines="\n".join(f"{item.role}: {item.text}" for item in before.fallen))
        deadline = asyncio.get_running_loop().time() + _SECONDS
        purse = self._budget.account(conversation)
        question = Question((Instructions(prompt.text), FromPerson(said)), deadline, purse=purse)
        try:
            answer = await self._model.answer(question, count)
        except (NoModelAnswered, BudgetSpent) as error:
            _log.warning("no_summary", why=str(error.__cause__ or error))
            return
        passing("summary: made, not kept")
        await self._memory.summarised(conversation, before.fallen, answer.text)
