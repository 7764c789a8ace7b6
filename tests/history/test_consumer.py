"""The carrier of entries: one that dies, a database that is away, entries that nobody can write, and the bound."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.database.lazy import LazyDatabase
from bot.database.opening import open_current
from bot.history.consumer import DatabaseAway, HistoryConsumer
from bot.history.entries import Noted, PartSent
from bot.history.reader import HistoryReader
from bot.history.stream import HISTORY, append
from bot.infra import crash_points
from bot.infra.alerts import Alerts
from bot.infra.crash_points import Point
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer
from bot.settings import Settings
from tests.history.test_history import ANA, DAY, NOON, wrote
from tests.processes import eventually


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
async def database_at(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LazyDatabase]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    opened = LazyDatabase(Settings().database)
    yield opened
    await opened.close()


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[HistoryReader]:
    opened = await open_current(database_url)
    yield HistoryReader(opened)
    await opened.close()


def consumer(redis: Redis, database: LazyDatabase, most: int = 1000) -> HistoryConsumer:
    events = LiveEvents(redis)
    return HistoryConsumer(redis, database, Alerts(redis, events), events, most_entries=most)


async def note(redis: Redis, *entries: Noted) -> None:
    async with redis.pipeline() as pipeline:
        for entry in entries:
            append(pipeline, entry)
        await pipeline.execute()


async def texts(reader: HistoryReader) -> list[str]:
    return [message.row["body"] for message in (await reader.messages(ANA)).messages]


EXPECTED = ["Quiero hablar con alguien", "Ahora te escriben.", "¿Hola?", "Soy Eva.", "Gracias"]


@pytest.mark.parametrize("point", ["history: read, not written", "history: written, not removed"])
async def test_another_worker_goes_on_where_one_was_killed(
    point: Point, redis: Redis, database_at: LazyDatabase, reader: HistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(passed: Point) -> None:
        if passed == point:
            raise Killed

    # The dead are claimed at once.
    monkeypatch.setattr("bot.history.consumer._DEAD_MILLISECONDS", 0)
    await note(redis, *DAY)
    first, second = consumer(redis, database_at), consumer(redis, database_at)
    await first.open()
    crash_points.listen(die)
    try:
        with pytest.raises(Killed):
            await first.carry_some()
    finally:
        crash_points.listen(None)
    assert await second.carry_some() == len(DAY)
    assert await texts(reader) == EXPECTED
    assert await redis.xlen(HISTORY) == 0


async def test_entries_wait_while_the_database_is_away(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    away = LazyDatabase(Settings().database)
    carrier = consumer(redis, away)
    await note(redis, *DAY)
    await carrier.open()
    for _ in range(2):
        with pytest.raises(DatabaseAway):
            await carrier.carry_some()
    assert await redis.xlen(HISTORY) == len(DAY)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///back.db")
    carrier._database = LazyDatabase(Settings().database)
    assert await carrier.carry_some() == len(DAY)
    await carrier._database.close()


async def test_a_database_that_stays_away_is_told(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.history.consumer._AWAY_SECONDS", 0)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    await note(redis, *DAY)

    async def is_told() -> bool:
        return bool(await redis.exists("recado:alert:history_behind"))

    async with consumer(redis, LazyDatabase(Settings().database)).running():
        await eventually(is_told)


async def test_two_carriers_share_the_entries(redis: Redis, database_at: LazyDatabase, reader: HistoryReader) -> None:
    said = [wrote(f"wamid.{number}", f"{number}", number) for number in range(50)]
    carriers = [consumer(redis, database_at), consumer(redis, database_at)]
    async with carriers[0].running(), carriers[1].running():
        for entry in said:
            await note(redis, entry)
        await carriers[0].until_empty()
    assert await texts(reader) == [f"{number}" for number in range(50)]
    (shown,) = (await reader.conversations()).conversations
    assert shown.unread == 50


async def test_an_entry_that_cannot_be_written_stands_in_no_other_ones_way(
    redis: Redis, database_at: LazyDatabase, reader: HistoryReader
) -> None:
    carrier = consumer(redis, database_at)
    await redis.xadd(HISTORY, {"entry": '{"kind":"of next year","id":"1","conversation":"c_1","at":0}'})
    endless = PartSent(id="t_0123456789ab.0", conversation=ANA, at=NOON, why="refused", error=10**30)
    await note(redis, endless, wrote("wamid.1", "nul \x00 y emoji 🙂"), wrote("w" * 500, "nombre largo", 1))
    await carrier.open()
    while await carrier.carry_some():
        pass
    assert await texts(reader) == ["nul  y emoji 🙂", "nombre largo"]
    assert await redis.xlen(HISTORY) == 0
    assert await answer(redis.llen("recado:history:unreadable")) == 2


async def test_beyond_the_bound_the_oldest_entries_are_given_up_and_told(
    redis: Redis, database_at: LazyDatabase, reader: HistoryReader
) -> None:
    carrier = consumer(redis, database_at, most=10)
    await note(redis, *(wrote(f"wamid.{number}", f"{number}", number) for number in range(12)))
    await carrier.open()
    await carrier.look()
    assert await redis.get("recado:alert:history_lost")
    await carrier.carry_some()
    assert await texts(reader) == [f"{number}" for number in range(2, 12)]
