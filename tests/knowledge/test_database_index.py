"""Sets that are too large for a worker's memory: PostgreSQL with pgvector holds them, and finds what memory finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.knowledge.questions import read_questions
from bot.database.engine import Database, open_database
from bot.database.opening import open_current
from bot.database.upgrade import upgrade
from bot.knowledge.building import build
from bot.knowledge.database_index import DatabaseIndex
from bot.knowledge.document import Audience
from bot.knowledge.embeddings import EmbeddedModel
from bot.knowledge.finding_words import finding_in
from bot.knowledge.knowledge import stored_index
from bot.knowledge.passage_table import PassageTable
from bot.knowledge.search import SearchQuery, search_index
from bot.knowledge.search_result import SearchableIndex
from bot.knowledge.store import KnowledgeStore
from bot.knowledge.sync import KnowledgeSync, SyncReport
from tests.databases import new_database
from tests.paths import ROOT

pytestmark = pytest.mark.xdist_group("postgresql")
FIXTURES = ROOT / "fixtures" / "knowledge"
AUDIENCES: tuple[Audience, ...] = ("staff", "customer")
TODAY = datetime.now(UTC).date()


@pytest.fixture
async def server(postgres: str) -> AsyncIterator[Database]:
    # A database of its own, because other tests compare the schema of the shared one.
    opened = open_database(await new_database(postgres))
    await upgrade(opened)
    yield opened
    await opened.close()


async def synced(database: Database, folder: Path, most_in_memory: int = 20) -> SyncReport:
    work = KnowledgeSync(KnowledgeStore(database), EmbeddedModel(), "es", most_in_memory=most_in_memory)
    return await work.run(folder)


async def index_of(database: Database, digest: str) -> SearchableIndex:
    async def opened() -> Database:
        return database

    return await stored_index(opened, EmbeddedModel())(digest)


async def test_a_large_set_is_searched_in_the_database_as_well_as_in_memory(server: Database) -> None:
    report = await synced(server, FIXTURES / "documents")
    assert [finding.problem for finding in report.findings if finding.file == "."] == [
        "89 passages: more than 20, so that PostgreSQL holds them and each question asks it"
    ]
    stored, memory = await index_of(server, report.digest), (await build(FIXTURES / "documents", EmbeddedModel())).index
    assert isinstance(stored, DatabaseIndex)
    assert stored.count == memory.count
    found = {"memory": 0, "database": 0}
    questions = read_questions(FIXTURES / "questions.jsonl")[::10]
    for question in questions:
        asked = SearchQuery(question.text, question.audience, TODAY, question.history)
        for name, index in (("memory", memory), ("database", stored)):
            result = await search_index(index, EmbeddedModel(), asked)
            rank = question.rank(result.hits)
            found[name] += result.is_enough == bool(question.sources) and (rank is not None or not question.sources)
    assert found["database"] >= found["memory"] - 1, f"{found} of {len(questions)}"
    said = "cuánto descuento puede autorizar un vendedor"
    for_staff, for_customers = [
        (await search_index(stored, EmbeddedModel(), SearchQuery(said, audience, TODAY))).hits for audience in AUDIENCES
    ]
    assert for_staff[0].document.name == "personal/manual_de_caja.md"
    assert all(hit.document.audience == "customer" for hit in for_customers)


async def test_a_changed_document_joins_the_next_set_and_the_earlier_one_stays(
    server: Database, tmp_path: Path
) -> None:
    for number in range(30):
        (tmp_path / f"nota-{number}.md").write_text(f"# Nota {number}\n\nLa caja {number} guarda tornillos rojos.\n")
    first = await synced(server, tmp_path)
    (tmp_path / "nota-7.md").write_text("# Nota 7\n\nLa caja 7 guarda tuercas O'Higgins \\ azules.\n")
    second = await synced(server, tmp_path)
    assert (first.read, second.read) == (30, 1)
    told = []
    for report in (first, second):
        asked = SearchQuery("¿qué guarda la caja 7? ¿tuercas o'higgins \\ azules?", "customer", TODAY)
        result = await search_index(await index_of(server, report.digest), EmbeddedModel(), asked)
        told.append(any("tuercas" in hit.passage.text for hit in result.hits))
    assert told == [False, True]


async def test_what_has_room_in_memory_stays_out_of_the_database(server: Database, tmp_path: Path) -> None:
    (tmp_path / "nota.md").write_text("# Nota\n\nAbrimos a las nueve.\n")
    report = await synced(server, tmp_path)
    assert not isinstance(await index_of(server, report.digest), DatabaseIndex)
    assert await PassageTable(server).has(report.digest) is False


@pytest.fixture
async def one_machine(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_current(f"sqlite:///{tmp_path / 'recado.db'}")
    yield opened
    await opened.close()


async def test_without_pgvector_a_large_set_is_held_in_memory_and_the_cost_is_told(
    one_machine: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}.md").write_text(f"# Nota {number}\n\nLa caja {number} guarda tornillos.\n")
    report = await synced(one_machine, folder)
    (finding,) = report.findings
    assert finding.is_error is False
    assert finding_in("es", finding).problem.endswith("PostgreSQL con pgvector 0.8 los guardaría desde 20")
    assert finding.problem.startswith("30 passages: each worker holds them in about")
    assert "because SQLite has no pgvector; PostgreSQL with pgvector 0.8 would hold them" in finding.problem
    assert not isinstance(await index_of(one_machine, report.digest), DatabaseIndex)
