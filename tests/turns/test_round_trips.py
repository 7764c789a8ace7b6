"""Round trips of a turn to Redis: the customer waits for each, and on a remote Redis each takes milliseconds."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.infra.queues import QUEUES
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.outgoing import conversation_of, text
from tests.paths import ROOT
from tests.processes import eventually
from tests.world import Start, World

# BullMQ needs two of them: one gives the job, one ends it.
_MOST = 12
_NEVER_SECONDS = 3600.0
_BOT = f"{ROOT / 'bot'}/"
# Set during a round trip, because a client class that calls its parent's method makes no second one.
_inside: ContextVar[bool] = ContextVar("inside", default=False)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """`conversation` is that of the calling task, if any; `place` is the caller."""

    conversation: str | None
    place: str
    commands: tuple[tuple[Any, ...], ...]
    answer: Any

    def __str__(self) -> str:
        return f"{self.place}: {' '.join(str(command[0]) for command in self.commands)}"

    @property
    def job(self) -> str | None:
        """The id of the job that this round trip gave to a worker, if any."""
        is_job = isinstance(self.answer, list) and '"conversation"' in repr(self.answer)
        return str(self.answer[1]) if self.conversation is None and is_job else None

    def names(self, job: str) -> bool:
        return any(f"bull:llm:{job}" in command for command in self.commands)


@dataclass
class RoundTrips:
    made: list[RoundTrip] = field(default_factory=list)

    @property
    def jobs(self) -> set[str]:
        return {trip.job for trip in self.made if trip.job is not None}

    @property
    def are_complete(self) -> bool:
        """Whether the turn's job has ended."""
        return any(trip.names(job) for trip in self.made for job in self.jobs)

    def of_turn(self, conversation: str) -> list[RoundTrip]:
        """Round trips of a conversation's turn, from the start of its job to the end."""
        return [
            trip
            for trip in self.made
            if trip.conversation == conversation or trip.job or any(map(trip.names, self.jobs))
        ]


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> RoundTrips:
    """Round trips of all clients in this process, as they are made."""
    trips = RoundTrips()

    def counted(
        method: Callable[..., Awaitable[Any]], commands: Callable[..., tuple[tuple[Any, ...], ...]]
    ) -> Callable[..., Awaitable[Any]]:
        async def call(client: Any, *args: Any, **options: Any) -> Any:
            sent = commands(client, *args)
            if _inside.get() or not sent:
                return await method(client, *args, **options)
            conversation, place = structlog.contextvars.get_contextvars().get("conversation"), _place()
            answer, token = None, _inside.set(True)
            try:
                answer = await method(client, *args, **options)
            finally:
                _inside.reset(token)
                trips.made.append(RoundTrip(conversation, place, sent, answer))
            return answer

        return call

    for client in _classes(Redis):
        name = "execute" if issubclass(client, Pipeline) else "execute_command"
        if name in vars(client):
            commands = _queued if issubclass(client, Pipeline) else _single
            monkeypatch.setattr(client, name, counted(vars(client)[name], commands))
    return trips


async def test_a_text_of_a_known_person_costs_few_round_trips(
    start: Start, ana: Person, round_trips: RoundTrips, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, sweeps and renewals of the lease would add round trips, so they never run here; nor does the
    # reader of the history, which has its own.
    for pause in ("_SWEEP_SECONDS", "_RESEND_SECONDS"):
        monkeypatch.setattr(f"bot.worker.{pause}", _NEVER_SECONDS)
    world = await start(workers=0)
    async with running(world.settings, QUEUES, 50, lease_seconds=_NEVER_SECONDS, history=False):
        await _answered(world, ana, "hola", round_trips)
        await _answered(world, ana, "¿qué tal?", round_trips)
    found = round_trips.of_turn(await conversation_of(world, ana))
    assert len(found) <= _MOST, "\n".join(map(str, found))


async def _answered(world: World, person: Person, words: str, trips: RoundTrips) -> None:
    """Let the person write, and wait for the end of the job that answers."""
    trips.made.clear()
    world.models.will(says("Hola."))
    await world.meta.writes(person, text(words))

    async def is_over() -> bool:
        return trips.are_complete

    await eventually(is_over)


def _classes(first: type[Any]) -> Iterator[type[Any]]:
    yield first
    for subclass in first.__subclasses__():
        yield from _classes(subclass)


def _single(_: Any, *command: Any) -> tuple[tuple[Any, ...], ...]:
    return (command,)


def _queued(pipeline: Any, *_: Any) -> tuple[tuple[Any, ...], ...]:
    return tuple(command for command, _ in pipeline.command_stack)


def _place() -> str:
    """The two innermost callers in bot/, without those in bot/infra."""
    files = ((frame.f_code.co_filename, line) for frame, line in traceback.walk_stack(None))
    ours = ((name.removeprefix(_BOT), line) for name, line in files if name.startswith(_BOT))
    places = [f"bot/{name}:{line}" for name, line in ours if not name.startswith("infra/")]
    return " < ".join(places[:2]) or "BullMQ"
