"""`python -m bench.history [--messages N] [--postgresql]`: lists, conversations and searches of a large history.

Rows are written in bulk, as the entries would have written them; what is measured is `HistoryReader`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from sqlalchemy import insert

from bot.database.engine import Database, open_database
from bot.database.upgrade import upgrade
from bot.history import tables
from bot.history.reader import HistoryReader
from bot.messages.folding import folded
from tests.postgres import postgres_server

MESSAGES_OF_ONE = 20
_AT_ONCE = 5000
_AIM = "≤ 100"
_START = datetime(2026, 1, 1, tzinfo=UTC)


def _words(line: str) -> list[str]:
    return line.split()


_COMMON = _words(
    "hola gracias buenos días precio pedido factura cuánto cuesta envío quiero por favor tienen abren horario mañana "
    "tienda pago tarjeta cambio devolución entrega dirección teléfono correo número cuenta plan mensual cancelar"
)
_SYLLABLES = _words("ba ce di fo gu la me ni po ru sa te vi zo ña cho lle qué mó tá")
_NAMES = _words("Ana Leo Eva Luis María José Sofía Raúl Inés Óscar Lucía Hugo Nuria Iván Paula")
_SURNAMES = _words("Núñez García López Peña Ruiz Díaz Ortega Solís Vega Ibáñez Luna Mora Ríos Soto Cano")


def _vocabulary(chance: random.Random) -> list[str]:
    rare = {"".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(20_000)}
    return [*_COMMON, *sorted(rare)]


class MadeUpHistory:
    """The rows of a made-up company: few conversations are long, as in life."""

    def __init__(self, messages: int) -> None:
        self.chance = random.Random(7)  # the same rows in each run
        self.words = _vocabulary(self.chance)
        # A word's frequency falls with its rank.
        self._weights = [1 / rank for rank in range(1, len(self.words) + 1)]
        self.messages = messages
        self.names = [f"c_{number:020x}" for number in range(max(messages // MESSAGES_OF_ONE, 1))]

    def contacts(self) -> Iterator[dict[str, Any]]:
        for number, name in enumerate(self.names):
            who = f"{self.chance.choice(_NAMES)} {self.chance.choice(_SURNAMES)} {self.chance.choice(_SURNAMES)}"
            phone = f"52155{number:08d}"
            about = {"conversation": name, "name": who, "phone": phone, "bsuid": None, "language": "es", "ad": None}
            yield about | {"folded": folded(f"{who} {phone}")}

    def conversations(self) -> Iterator[dict[str, Any]]:
        spread = timedelta(days=300) / len(self.names)
        for number, name in enumerate(self.names):
            at = _START + spread * number
            state = self.chance.choices(("bot", "waiting", "person", "closed"), (90, 1, 2, 7))[0]
            yield {
                "id": name, "state": state, "state_at": at, "last_at": at, "created_at": _START, "unread": 0,
                "assigned_to": "eva@example.com" if state == "person" else None, "last_name": "wamid.0",
                "last_author": "customer", "last_kind": "text", "last_text": "hola", "last_inbound_at": at,
                "waiting_since": at if state == "waiting" else None, "answered_until": None, "seen_until": None,
                "closed_at": None, "merged_into": None,
            }  # fmt: skip

    def message_rows(self) -> Iterator[dict[str, Any]]:
        spread = timedelta(days=300) / self.messages
        owners = self.chance.choices(
            range(len(self.names)), [1 / (1 + n % 500) for n in range(len(self.names))], k=self.messages
        )
        texts = self.chance.choices(self.words, self._weights, k=self.messages * 4)
        for number, owner in enumerate(owners):
            ours = number % 2 == 1
            length = 2 + number % 9
            body = " ".join(texts[(number * 3 + step) % len(texts)] for step in range(length))
            yield {
                "conversation": self.names[owner], "name": f"t_{number:012x}.0" if ours else f"wamid.{number}",
                "at": _START + spread * number, "author": "assistant" if ours else "customer", "author_name": None,
                "kind": "say" if ours else "text", "body": body, "transcript": None, "payload": {}, "file": None,
                "quoted": None, "turn": f"t_{number:012x}" if ours else None, "state": "answered", "edited_at": None,
                "deleted_at": None,
            }  # fmt: skip


async def fill(database: Database, company: MadeUpHistory) -> None:
    """Write the rows; the index of words is made at the end, which takes a fraction of the time."""
    async with database.writing() as connection:
        for table, rows in (
            (tables.CONTACTS, company.contacts()),
            (tables.CONVERSATIONS, company.conversations()),
        ):
            for some in _batches(rows):
                await connection.execute(insert(table), some)
        await _fill_messages(connection, company, postgresql=database.is_postgresql)
    async with database.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).exec_driver_sql("ANALYZE")


async def _fill_messages(connection: Any, company: MadeUpHistory, *, postgresql: bool) -> None:
    if postgresql:
        await connection.exec_driver_sql("DROP INDEX ix_messages_words")
    else:
        for name in ("insert", "update", "forget", "delete"):
            await connection.exec_driver_sql(f"DROP TRIGGER messages_words_{name}")
    for some in _batches(company.message_rows()):
        await _insert(connection, some, postgresql=postgresql)
    if postgresql:
        await connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
        await connection.exec_driver_sql("CREATE INDEX ix_messages_words ON messages USING gin (words)")
    else:
        await connection.exec_driver_sql("INSERT INTO messages_words(messages_words) VALUES ('rebuild')")


async def _insert(connection: Any, rows: list[dict[str, Any]], *, postgresql: bool) -> None:
    """Insert messages by the driver's own way, because SQLAlchemy's would take most of the time."""
    names = list(rows[0])
    values = [tuple("{}" if name == "payload" else value for name, value in row.items()) for row in rows]
    if postgresql:
        driver = (await connection.get_raw_connection()).driver_connection
        await driver.copy_records_to_table("messages", records=values, columns=names)
        return
    plain = [tuple(_sqlite(value) if isinstance(value, datetime) else value for value in row) for row in values]
    marks = ", ".join("?" * len(names))
    await connection.exec_driver_sql(f"INSERT INTO messages ({', '.join(names)}) VALUES ({marks})", plain)


def _sqlite(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


Ask = Callable[[], Awaitable[Any]]


async def _milliseconds(ask: Ask, samples: int) -> tuple[float, float, float]:
    """The median, the 95th percentile, and the mean of this process's processor time."""
    await ask()
    taken, worked = [], time.process_time()
    for _ in range(samples):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1000)
    cuts = quantiles(taken, n=20)
    return cuts[9], cuts[18], (time.process_time() - worked) * 1000 / samples


async def measured(database: Database, company: MadeUpHistory, samples: int) -> AsyncIterator[tuple[str, str, str]]:
    """The question, its milliseconds and the aim, one after the other."""
    reader, chance = HistoryReader(database), random.Random(11)  # the same questions in each run
    page = await reader.conversations(limit=50)
    for _ in range(20):
        page = await reader.conversations(limit=50, after=page.next)
    deep = page.next

    def anybody() -> str:
        return chance.choice(company.names)

    async def opened() -> None:
        name = anybody()
        await reader.conversation(name)
        await reader.messages(name)

    rare = company.words[2000:]
    asked: dict[str, Ask] = {
        "list, first page": reader.conversations,
        "list, page 21": lambda: reader.conversations(after=deep),
        "list, waiting": lambda: reader.conversations(state="waiting"),
        "list, mine": lambda: reader.conversations(state="mine", me="eva@example.com"),
        "list by a name": lambda: reader.conversations(q=chance.choice(_SURNAMES)),
        "list by a phone": lambda: reader.conversations(q=f"{chance.randrange(10**6):06d}"),
        "list by a word": lambda: reader.conversations(q=chance.choice(rare)),
        "open a conversation": opened,
        "open the longest": lambda: reader.messages(company.names[0]),
        "search a rare word": lambda: reader.search(chance.choice(rare)),
        "search a common word": lambda: reader.search(chance.choice(_COMMON)),
        "search two words": lambda: reader.search(f"{chance.choice(_COMMON)} {chance.choice(company.words[:500])}"),
        "search the beginning of a word": lambda: reader.search(chance.choice(rare)[:3]),
    }
    for name, ask in asked.items():
        middle, late, worked = await _milliseconds(ask, samples)
        yield name, f"{middle:.1f} · {late:.1f} · {worked:.1f}", _AIM


@asynccontextmanager
async def _database(folder: Path, url: str | None, *, postgresql: bool) -> AsyncIterator[Database]:
    if url is not None:
        yield open_database(url)
        return
    if not postgresql:
        yield open_database(f"sqlite:///{folder / 'recado.db'}")
        return
    with postgres_server() as own:
        yield open_database(own)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=200, help="how often each question is asked")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--url", help="a database of your own, which stays filled")
    options = parser.parse_args()
    company = MadeUpHistory(options.messages)
    with tempfile.TemporaryDirectory() as folder:
        async with _database(Path(folder), options.url, postgresql=options.postgresql) as database:
            await upgrade(database)
            began = time.perf_counter()
            # A database that an earlier run has filled is asked only.
            if not (await HistoryReader(database).conversations(limit=1)).conversations:
                await fill(database, company)
            kind = "PostgreSQL" if database.is_postgresql else "SQLite"
            print(
                f"{options.messages} messages of {len(company.names)} people, {kind}: "
                f"{time.perf_counter() - began:.0f} s to write"
            )
            print(f"{'':34} median · 95th percentile · CPU, ms   aim")
            async for what, found, aim in measured(database, company, options.samples):
                print(f"{what:34} {found:>33}   {aim}", flush=True)
            await database.close()


if __name__ == "__main__":
    asyncio.run(main())
