"""Time and memory of the search among many passages: `python -m bench.knowledge.many [--passages N] [--postgresql]`.

The documents of fixtures/knowledge stand among invented passages, so that the answers are known. Invented passages have
words of the real ones and vectors between theirs. In PostgreSQL they are stored first, which takes minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import numpy as np
import psutil

from bench.knowledge.questions import Question, read_questions
from bot.database.engine import Database, open_database
from bot.knowledge.building import read_documents
from bot.knowledge.database_index import database_index
from bot.knowledge.document import KnowledgeDocument, Passage
from bot.knowledge.embeddings import EmbeddedModel
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.passage_table import PassageTable
from bot.knowledge.passages import units_of
from bot.knowledge.search import SearchQuery, search_index
from bot.knowledge.search_result import SearchableIndex
from tests.postgres import postgres_server

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_FIXTURES = Path("fixtures/knowledge")
_A_DOCUMENT = 250
_SET = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Folder:
    documents: list[KnowledgeDocument]
    vectors: list[Vectors]

    @property
    def passages(self) -> int:
        return sum(len(document.passages) for document in self.documents)


async def made(passages: int, embedder: EmbeddedModel) -> Folder:
    """The fixtures' documents and so many invented passages, with their vectors."""
    documents, _ = await read_documents(_FIXTURES / "documents", "es")
    vectors = [
        await embedder.embed([text for passage in each.passages for text in units_of(passage)]) for each in documents
    ]
    words = [word for each in documents for passage in each.passages for word in passage.text.split() if word.isalpha()]
    for document, own in _invented(passages, words, np.concatenate(vectors)):
        documents.append(document)
        vectors.append(own)
    return Folder(documents, vectors)


def _invented(passages: int, words: list[str], real: Vectors) -> Iterator[tuple[KnowledgeDocument, Vectors]]:
    chance, dice = random.Random(1), np.random.default_rng(1)
    # Half of the words get an ending, because in real texts most words are rare.
    for number in range(-(-passages // _A_DOCUMENT)):
        count = min(_A_DOCUMENT, passages - number * _A_DOCUMENT)
        texts = []
        for _ in range(count):
            said = [chance.choice(words) for _ in range(85)]
            for at in range(0, len(said), 2):
                said[at] = f"{said[at]}{chance.choice('aeiou')}{chance.choice('bdlmnrst')}{chance.choice('aeo')}"
            lines = (" ".join(said[at : at + 12]) for at in range(0, len(said), 12))
            texts.append(Passage(f"{said[0]} {number}\n" + ". ".join(lines)))
        units = sum(len(units_of(passage)) for passage in texts)
        mixed = real[dice.integers(0, len(real), (3, units))].sum(axis=0)
        mixed += dice.standard_normal(mixed.shape).astype(np.float32) * np.float32(0.05)
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
        name = f"invented-{number:05}"
        yield KnowledgeDocument(f"{name}.md", name, title=name, language="es", passages=tuple(texts)), mixed


async def measure(index: SearchableIndex, embedder: EmbeddedModel, questions: list[Question]) -> None:
    """Ask all questions, and print how many find their passage, and the time and CPU of each."""
    day, found = datetime.now(UTC).date(), 0
    wall: list[float] = []
    spent: list[float] = []
    for question in questions:
        asked = SearchQuery(question.text, question.audience, day, question.history)
        began, cpu = time.perf_counter(), time.process_time()
        result = await search_index(index, embedder, asked)
        wall.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - cpu) * 1000)
        found += question.rank(result.hits) is not None
    _show("found among five", f"{found}/{len(questions)}")
    for name, times in (("milliseconds a question", wall), ("of CPU time", spent)):
        _show(f"{name} (median, 95%)", f"{median(times):.1f}, {quantiles(times, n=20)[-1]:.1f}")


def _show(name: str, value: str) -> None:
    print(f"{name:<42}{value}", flush=True)


def _megabytes() -> str:
    return f"{psutil.Process().memory_info().rss / 1e6:.0f} MB"


async def _in_memory(folder: Folder) -> KnowledgeIndex:
    began = time.perf_counter()
    index = await asyncio.to_thread(KnowledgeIndex, folder.documents, folder.vectors)
    _show("seconds to load", f"{time.perf_counter() - began:.1f}")
    return index


async def _in_database(folder: Folder, database: Database, embedder: EmbeddedModel) -> SearchableIndex:
    """Store the documents as a sync does, and load what a worker holds."""
    table, digests = PassageTable(database), [document.digest for document in folder.documents]
    if why_not := await table.why_not():
        raise SystemExit(why_not)
    began = time.perf_counter()
    await table.prepare()
    for document, vectors in zip(folder.documents, folder.vectors, strict=True):
        await table.keep(document, vectors, embedder.name)
    _show("seconds to store the passages", f"{time.perf_counter() - began:.1f}")
    began = time.perf_counter()
    await table.complete(_SET, digests, embedder.name)
    _show("seconds to index them", f"{time.perf_counter() - began:.1f}")
    outlines = [replace(document, passages=()) for document in folder.documents]
    folder.documents.clear()
    folder.vectors.clear()
    before, began = _megabytes(), time.perf_counter()
    index = await database_index(database, outlines, await table.statistics(_SET), embedder.name)
    _show("seconds to load", f"{time.perf_counter() - began:.1f}")
    _show("memory before and after it", f"{before}, {_megabytes()}")
    return index


async def _main(passages: int, questions: list[Question], *, postgresql: bool) -> None:
    embedder = EmbeddedModel()
    folder = await made(passages, embedder)
    _show("passages, units", f"{folder.passages}, {sum(map(len, folder.vectors))}")
    if not postgresql:
        await measure(await _in_memory(folder), embedder, questions)
        folder.vectors.clear()
        _show("memory of this process", _megabytes())
        return
    with postgres_server() as url:
        database = open_database(url)
        await measure(await _in_database(folder, database, embedder), embedder, questions)
        await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.knowledge.many", description=__doc__)
    parser.add_argument("--passages", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--postgresql", action="store_true", help="in a PostgreSQL of its own with pgvector")
    asked = parser.parse_args()
    questions = [question for question in read_questions(_FIXTURES / "questions.jsonl") if question.sources][
        : asked.questions
    ]
    asyncio.run(_main(asked.passages, questions, postgresql=asked.postgresql))


if __name__ == "__main__":
    main()
