"""A model that fails again and again rests; one question tries it out afterwards, and somebody is always asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from bot.ai.chat import Attempt, FromPerson, ModelRequest
from bot.ai.circuit_breaker import CircuitBreaker
from bot.ai.openrouter import OpenRouter
from bot.conversations.budget import Budget
from bot.settings import BudgetSettings, LLMSettings
from bot.web.server import listening
from sandbox.simulators.openrouter import OpenRouterSimulator, fails, says

MODELS = ("a", "b")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: CircuitBreaker, model: str, times: int = 5) -> bool:
    return [breaker.failed(model) for _ in range(times)][-1]


def test_five_failures_in_a_row_send_a_model_to_rest() -> None:
    breaker = CircuitBreaker(Clock())
    assert not fail(breaker, "a", 4)
    assert breaker.available(MODELS) == ("a", "b")
    assert fail(breaker, "a", 1)
    assert breaker.available(MODELS) == ("b",)


def test_a_success_in_between_starts_the_count_anew() -> None:
    breaker = CircuitBreaker(Clock())
    fail(breaker, "a", 4)
    breaker.succeeded("a")
    assert not fail(breaker, "a", 4)


def test_after_its_rest_one_question_tries_a_model_out() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    fail(breaker, "a")
    clock.now = 5.1
    assert breaker.available(MODELS) == ("a", "b")
    breaker.trying("a")
    assert breaker.available(MODELS) == ("b",)
    breaker.succeeded("a")
    assert breaker.available(MODELS) == ("a", "b")


def test_each_trial_that_fails_doubles_the_rest_up_to_two_minutes() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    fail(breaker, "a")
    is_open = []
    for _ in range(7):
        rested = clock.now
        while breaker.available(MODELS) == ("b",):
            clock.now += 0.5
        is_open.append(clock.now - rested)
        breaker.failed("a")
    assert is_open == [5, 10, 20, 40, 80, 120, 120]


def test_where_all_rest_the_one_that_is_due_first_is_asked() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    fail(breaker, "b")
    clock.now = 1
    fail(breaker, "a")
    assert breaker.available(MODELS) == ("b",)


def test_those_who_asked_before_a_model_went_to_rest_do_not_prolong_it() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    fail(breaker, "a", 100)
    clock.now = 5.1
    assert breaker.available(MODELS) == ("a", "b")


# ---- a hundred conversations at once, over real HTTP

DEAD, ALIVE = "anthropic/claude-3-haiku", "openai/gpt-3.5-turbo"
PEOPLE = 100


@dataclass
class Crowd:
    """A hundred people who ask at once, each of whom pays; `clock` is the breaker's."""

    imitation: OpenRouterSimulator
    model: OpenRouter
    clock: Clock
    budget: Budget

    async def ask(self) -> Counter[str]:
        """Expect an answer for everybody; return how often each model was asked."""
        self.imitation.requests.clear()
        answers = await asyncio.gather(*(self._one(number) for number in range(PEOPLE)))
        assert set(answers) == {"buenas"}
        return Counter(request["model"] for request in self.imitation.requests)

    async def _one(self, number: int) -> str:
        deadline = asyncio.get_running_loop().time() + 30
        question = ModelRequest((FromPerson("hola"),), deadline, spending=self.budget.account(f"c_{number:020}"))
        return (await self.model.answer(question, _book)).text


async def _book(_: Attempt) -> None:
    pass


@pytest.fixture
async def crowd(monkeypatch: pytest.MonkeyPatch, redis: Redis) -> AsyncIterator[Crowd]:
    imitation = OpenRouterSimulator("the key", rules=lambda _, __: says("buenas").message or {})
    async with listening(imitation.app(), "127.0.0.1", 0, finish=0.1) as url:
        monkeypatch.setenv("OPENROUTER_API_KEY", "the key")
        monkeypatch.setenv("LLM_BASE_URL", f"{url}/api/v1")
        clock = Clock()
        model = OpenRouter(LLMSettings(), CircuitBreaker(clock))
        yield Crowd(imitation, model, clock, Budget(redis, BudgetSettings(), ZoneInfo("UTC")))
        await model.close()


async def test_a_dead_model_is_asked_once_by_each_who_was_there_and_by_nobody_who_comes_later(crowd: Crowd) -> None:
    crowd.imitation.will(*[fails(500)] * 300, model=DEAD)
    first = await crowd.ask()
    # Four fail before it goes to rest, and may ask again.
    assert first[DEAD] <= PEOPLE + 4
    assert first[ALIVE] == PEOPLE
    assert await crowd.ask() == {ALIVE: PEOPLE}


async def test_when_its_rest_is_over_one_of_a_hundred_tries_it_out(crowd: Crowd) -> None:
    crowd.imitation.will(*[fails(500)] * 300, model=DEAD)
    await crowd.ask()
    crowd.clock.now += 5.1
    assert await crowd.ask() == {DEAD: 1, ALIVE: PEOPLE}
    crowd.imitation.forget()
    crowd.clock.now += 10.1
    # Those who come while it is tried out don't wait for the outcome.
    tried = await crowd.ask()
    assert (tried[DEAD], tried.total()) == (1, PEOPLE)
    assert await crowd.ask() == {DEAD: PEOPLE}
