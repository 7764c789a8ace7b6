"""A model that fails again and again rests; one question tries it out afterwards, and somebody is always asked."""

from __future__ import annotations

from bot.ai.breaker import Breaker
from bot.sandbox.meta import Person
from bot.sandbox.openrouter import fails
from tests.world import Start

MODELS = ("a", "b")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: Breaker, model: str, times: int = 5) -> bool:
    return [breaker.failed(model) for _ in range(times)][-1]


def test_five_failures_in_a_row_send_a_model_to_rest() -> None:
    breaker = Breaker(Clock())
    assert not fail(breaker, "a", 4)
    assert breaker.awake(MODELS) == ("a", "b")
    assert fail(breaker, "a", 1)
    assert breaker.awake(MODELS) == ("b",)


def test_a_success_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(Clock())
    fail(breaker, "a", 4)
    breaker.worked("a")
    assert not fail(breaker, "a", 4)


def test_after_its_rest_one_question_tries_a_model_out() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    fail(breaker, "a")
    clock.now = 5.1
    assert breaker.awake(MODELS) == ("a", "b")
    breaker.asking("a")
    assert breaker.awake(MODELS) == ("b",)
    breaker.worked("a")
    assert breaker.awake(MODELS) == ("a", "b")


def test_each_trial_that_fails_doubles_the_rest_up_to_two_minutes() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    fail(breaker, "a")
    rests = []
    for _ in range(7):
        rested = clock.now
        while breaker.awake(MODELS) == ("b",):
            clock.now += 0.5
        rests.append(clock.now - rested)
        breaker.failed("a")
    assert rests == [5, 10, 20, 40, 80, 120, 120]


def test_where_all_rest_the_one_that_is_due_first_is_asked() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    fail(breaker, "b")
    clock.now = 1
    fail(breaker, "a")
    assert breaker.awake(MODELS) == ("b",)


async def test_a_dead_default_model_is_not_asked_by_those_who_come_later(start: Start, ana: Person) -> None:
    world = await start()
    default, fallback = world.settings.llm.models
    world.models.will(*[fails(404)] * 9, model=default)
    for number in range(6):
        await world.meta.writes(ana, {"type": "text", "text": {"body": f"hola {number}"}})
        await world.meta.replies(ana, number + 1)
    asked = [request["model"] for request in world.models.requests]
    assert asked == [default, fallback] * 5 + [fallback]
