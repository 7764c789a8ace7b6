"""A model to ask over real HTTP: OpenRouter's imitation, the client, and the books."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from bot.ai.chat import Attempt, FromPerson, Line, ModelAnswer, ModelRequest, ToolOffer
from bot.ai.openrouter import OpenRouter
from bot.settings import LLMSettings
from bot.web.server import listening
from sandbox.simulators.openrouter import OpenRouterSimulator
from tests.waiting import PATIENCE

FIRST, SECOND = "anthropic/claude-3-haiku", "openai/gpt-3.5-turbo"


@dataclass
class Desk:
    """Somebody who asks: two models to ask, and what was booked."""

    imitation: OpenRouterSimulator
    model: OpenRouter
    booked: list[Attempt] = field(default_factory=list)

    async def ask(self, *lines: Line, seconds: float = PATIENCE, tools: tuple[ToolOffer, ...] = ()) -> ModelAnswer:
        deadline = asyncio.get_running_loop().time() + seconds
        return await self.model.answer(ModelRequest(lines or (FromPerson("hola"),), deadline, tools), self.book)

    async def book(self, attempt: Attempt) -> None:
        self.booked.append(attempt)

    @property
    def asked(self) -> list[str]:
        return [request["model"] for request in self.imitation.requests]

    @property
    def outcomes(self) -> list[str]:
        return [attempt.outcome for attempt in self.booked]


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    imitation = OpenRouterSimulator("the key")
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(listening(imitation.app(), "127.0.0.1", 0, finish=0.1))
        monkeypatch.setenv("OPENROUTER_API_KEY", "the key")
        monkeypatch.setenv("LLM_BASE_URL", f"{url}/api/v1")
        monkeypatch.setenv("LLM_TIMEOUT_SECONDS", "3")
        model = OpenRouter(LLMSettings())
        stack.push_async_callback(model.close)
        yield Desk(imitation, model)
