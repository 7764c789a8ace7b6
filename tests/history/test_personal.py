"""Export, erasure and the end of the history, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from bot.database.engine import Database
from bot.database.opening import open_current
from bot.history.entries import NoteAdded, TurnTraced
from bot.history.personal import PersonalHistory
from bot.history.reader import HistoryReader
from bot.history.retention import forget_old
from bot.history.stream import HISTORY, append
from bot.history.writer import HistoryWriter
from tests.history.test_history import ANA, DAY, LEO, NOON, TURN, minutes, replied, wrote

TRACE = TurnTraced(id=TURN, conversation=ANA, at=minutes(1), trace={"messages": ["wamid.1"]}, release="r1")


async def test_the_export_holds_what_is_in_the_database_and_on_its_way(database: Database, redis: Redis) -> None:
    await HistoryWriter(database).write([*DAY, TRACE, wrote("wamid.leo", "soy Leo", conversation=LEO)])
    async with redis.pipeline() as pipeline:
        append(pipeline, wrote("wamid.5", "algo más", 8))
        await pipeline.execute()
    found = await PersonalHistory(redis, database).export([ANA])
    assert {"contacts", "conversations", "messages", "deliveries", "turns", "notes", "labels"} <= found.keys()
    assert "Gracias" in [row.get("body") for row in found["messages"]]
    assert found["waiting"][0]["message"]["content"]["body"] == "algo más"
    assert "Leo" not in json.dumps(found)


async def test_an_export_is_read_a_few_rows_at_a_time(database: Database, redis: Redis) -> None:
    said = [wrote(f"wamid.{number}", f"palabra {number}", number) for number in range(25)]
    await HistoryWriter(database).write(said)
    found = [(name, len(rows)) async for name, rows in PersonalHistory(redis, database).rows([ANA])]
    assert [count for name, count in found if name == "messages"] == [10, 10, 5]


async def test_an_erased_person_leaves_no_row_and_does_not_come_back(database: Database, redis: Redis) -> None:
    writer, reader, personal = HistoryWriter(database), HistoryReader(database), PersonalHistory(redis, database)
    await writer.write([*DAY, TRACE, wrote("wamid.leo", "soy Leo", conversation=LEO)])
    async with redis.pipeline() as pipeline:
        append(pipeline, wrote("wamid.5", "algo más", 8))
        append(pipeline, wrote("wamid.6", "de Leo", 8, conversation=LEO))
        await pipeline.execute()
    assert await personal.conversations_of(["5215512345678"], None) == [ANA]
    assert await personal.erase([ANA]) > 10
    # Another worker had read these before.
    await writer.write(DAY)
    assert await personal.export([ANA]) == {}
    assert await reader.search("gracias") == []
    assert [conversation.id for conversation in (await reader.conversations()).conversations] == [LEO]
    assert await redis.xlen(HISTORY) == 1


async def test_an_erased_word_is_in_no_file_of_sqlite(tmp_path: Path, redis: Redis) -> None:
    database = await open_current(f"sqlite:///{tmp_path / 'recado.db'}")
    said = [wrote("wamid.1", "mi secretísima palabra"), wrote("wamid.2", "otra cosa", 1, conversation=LEO)]
    await HistoryWriter(database).write(said)
    assert await PersonalHistory(redis, database).erase([ANA]) > 0
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    await database.close()
    assert b"otra cosa" in kept
    # The index of words has them without accents.
    for word in ("secret\u00edsima", "secretisima", "n\u00fa\u00f1ez", "nunez", "5215512345678"):
        assert word.encode() not in kept


async def test_what_is_too_old_leaves_and_the_rest_stays(database: Database) -> None:
    writer, reader = HistoryWriter(database), HistoryReader(database)
    await writer.write([*DAY, TRACE, wrote("wamid.leo", "de siempre", conversation=LEO)])
    month = 30 * 24 * 60
    late = [wrote("wamid.7", "un mes después", month), replied("Aquí sigo.", month + 1, turn="t_2")]
    await writer.write([*late, NoteAdded(id="n2", conversation=ANA, at=minutes(month), author="eva", text="vuelve")])
    assert await forget_old(database, 20, now=NOON + timedelta(days=31)) > 10
    assert [message.row["body"] for message in (await reader.messages(ANA)).messages] == [
        "un mes después",
        "Aquí sigo.",
    ]
    assert [note["text"] for note in await reader.notes(ANA)] == ["vuelve"]
    assert await reader.conversation(LEO) is None
    assert await reader.turn(TURN) is None
    assert await forget_old(database, 20, now=NOON + timedelta(days=31)) == 0
