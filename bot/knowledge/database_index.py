"""Search of a set in PostgreSQL: the database chooses candidates by words and by meaning, and the evidence is the same.

A worker holds the documents' names, the words with their numbers, and no passage.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import text

from bot.database.engine import Database
from bot.knowledge.document import KnowledgeDocument, Passage
from bot.knowledge.evidence import Found, Rankings, Row, best_of
from bot.knowledge.index import Allows
from bot.knowledge.passage_table import SOUND, STEM, SetStatistics, quoted
from bot.knowledge.word_ranking import CountedTerms, LikeSounds, WordRanking, inverse_frequency, stems_of
from bot.knowledge.words import concepts_of, question_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Scores = NDArray[np.float32]

# Candidates of each question by words, of each of its vectors, and of answered questions.
_BY_WORDS, _BY_MEANING, _PAIRS = 150, 100, 50
# Passages that the rarest words of a question may have, and these words: more would take long to weigh.
_MOST_WEIGHED, _MOST_TERMS = 5000, 40
# Passages by which we know how like a question all texts are.
_SAMPLE = 2000
_DETAILS = text("""
    SELECT document, place, detail, units FROM knowledge_passages
    WHERE model = :model AND (document, place) IN (SELECT * FROM unnest(CAST(:d AS text[]), CAST(:p AS integer[])))
""")
_VECTORS = text("""
    SELECT CAST(CAST(whole AS vector) AS real[]) FROM knowledge_passages
    WHERE model = :model AND document = ANY(CAST(:some AS text[])) LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Passages with the terms and the units of each."""

    rows: list[Row]
    stems: list[list[str]]
    sounds: list[list[str]]
    units: list[Vectors]


class DatabaseIndex:
    """Passages of one set by one model. `documents` have no passages; `sample` are vectors of some passages."""

    def __init__(
        self,
        database: Database,
        documents: Sequence[KnowledgeDocument],
        statistics: SetStatistics,
        model: str,
        sample: Vectors,
    ) -> None:
        self._database = database
        self._documents = {document.digest: document for document in documents}
        self._known = statistics
        self._like_sounds = LikeSounds(statistics.sounds)
        self._model = model
        self._sample = sample

    @property
    def count(self) -> int:
        return self._known.total

    async def find(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        readable = [digest for digest, document in self._documents.items() if allows(document)]
        if not readable:
            return Found(())
        words = question_words(question)
        weights = await asyncio.to_thread(self._weights, words)
        candidates = await self._candidates(readable, weights, vectors)
        return await asyncio.to_thread(self._judged, question, words, weights, vectors, candidates, limit)

    def _weights(self, words: Sequence[str]) -> dict[str, float]:
        """The terms of a question as the database has them, with the weight of each."""
        found: dict[str, float] = {}
        for word in words:
            for sound, likeness in self._like_sounds.alike(word).items():
                found[SOUND + sound] = self._inverse(self._known.sounds, sound) * likeness * likeness
            for stem in {*stems_of(word), *concepts_of(word)} & self._known.stems.keys():
                found[STEM + stem] = self._inverse(self._known.stems, stem)
        return found

    def _inverse(self, frequencies: Mapping[str, int], term: str) -> float:
        return inverse_frequency(frequencies[term], self._known.total)

    async def _candidates(self, readable: list[str], weights: dict[str, float], vectors: Vectors) -> _Candidates:
        width = vectors.shape[1]
        common = {"model": self._model, "readable": readable}
        async with self._database.reading() as connection:
            await connection.execute(text(f"SET LOCAL hnsw.ef_search = {2 * _BY_MEANING}"))
            await connection.execute(text("SET LOCAL hnsw.iterative_scan = strict_order"))
            places: set[tuple[str, int]] = set()
            if rare := self._rare(weights):
                by_words = text(_by_words(len(weights)))
                named: dict[str, Any] = {f"t{number}": _as_query([term]) for number, term in enumerate(weights)}
                named |= {f"w{number}": weight for number, weight in enumerate(weights.values())}
                found = await connection.execute(by_words, common | named | {"rare": _as_query(rare)})
                places |= {(row.document, row.place) for row in found}
            for statement in (_by_meaning(self._model, width), _by_meaning(self._model, width, pairs=True)):
                for vector in vectors:
                    found = await connection.execute(text(statement), common | {"vector": vector.tolist()})
                    places |= {(row.document, row.place) for row in found}
            chosen = sorted(places)
            asked = {"model": self._model, "d": [one for one, _ in chosen], "p": [one for _, one in chosen]}
            rows = await connection.execute(_DETAILS, asked)
            return self._read([tuple(row) for row in rows], width)

    def _rare(self, weights: Mapping[str, float]) -> list[str]:
        """The rarest terms, as many as don't lead to too many passages; the rarest in any case."""
        found: list[str] = []
        total = 0
        for term in sorted(weights, key=self._frequency):
            total += self._frequency(term)
            if found and (total > _MOST_WEIGHED or len(found) >= _MOST_TERMS):
                break
            found.append(term)
        return found

    def _frequency(self, term: str) -> int:
        return (self._known.stems if term.startswith(STEM) else self._known.sounds)[term[len(STEM) :]]

    def _read(self, rows: Sequence[tuple[Any, ...]], width: int) -> _Candidates:
        found = _Candidates([], [], [], [])
        for digest, _, detail, units in rows:
            kept = json.loads(detail)
            passage = Passage(kept["text"], kept["location"], tuple(kept["questions"]))
            found.rows.append(Row(self._documents[digest], passage))
            found.stems.append(kept["stems"].split())
            found.sounds.append(kept["sounds"].split())
            found.units.append(np.frombuffer(units, np.float16).astype(np.float32).reshape(-1, width))
        return found

    def _judged(  # noqa: PLR0913, PLR0917 - what is known of one question
        self,
        question: str,
        words: Sequence[str],
        weights: Mapping[str, float],
        vectors: Vectors,
        candidates: _Candidates,
        limit: int,
    ) -> Found:
        if not candidates.rows:
            return Found(())
        known = self._known
        stems = [term[len(STEM) :] for term in weights if term.startswith(STEM)]
        sounds = [term[len(SOUND) :] for term in weights if term.startswith(SOUND)]
        by_words = WordRanking(
            CountedTerms(candidates.stems, stems, known.stems, total=known.total, average=known.stem_length),
            CountedTerms(candidates.sounds, sounds, known.sounds, total=known.total, average=known.sound_length),
            self._like_sounds,
        ).scores(words)
        meaning, whole = _likeness(candidates.units, vectors)
        usual = float(np.median((self._sample @ vectors.T).max(axis=1))) if self._sample.size else 0.0
        rankings = Rankings(by_words.stems, by_words.sounds, by_words.covered, meaning, whole)
        return Found(tuple(best_of(question, words, rankings, candidates.rows.__getitem__, usual)[:limit]))


async def database_index(
    database: Database, documents: Sequence[KnowledgeDocument], statistics: SetStatistics, model: str
) -> DatabaseIndex:
    """Load what a worker holds of a set."""
    each = max(len(documents) * _SAMPLE // max(statistics.total, 1), 1)
    some = [document.digest for document in documents][:: max(len(documents) // each, 1)]
    async with database.reading() as connection:
        vectors = (await connection.execute(_VECTORS, {"model": model, "some": some, "most": _SAMPLE})).scalars().all()
    sample = np.array(vectors, np.float32)
    return await asyncio.to_thread(DatabaseIndex, database, documents, statistics, model, sample)


def _likeness(units: Sequence[Vectors], vectors: Vectors) -> tuple[Scores, Scores]:
    """Likeness to the question of the best unit of each passage, and of the passage."""
    counts = np.array([len(one) for one in units])
    starts = np.cumsum(counts) - counts
    joined = np.concatenate(units)
    means = np.add.reduceat(joined, starts, axis=0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.float32(1e-9))
    return np.maximum.reduceat((joined @ vectors.T).max(axis=1), starts), (means @ vectors.T).max(axis=1)


def _by_words(terms: int) -> str:
    weight = " + ".join(
        f"CASE WHEN terms @@ CAST(:t{number} AS tsquery) THEN CAST(:w{number} AS real) ELSE 0 END"
        for number in range(terms)
    )
    return f"""
        SELECT document, place FROM knowledge_passages
        WHERE model = :model AND document = ANY(CAST(:readable AS text[])) AND terms @@ CAST(:rare AS tsquery)
        ORDER BY {weight} DESC, document, place LIMIT {_BY_WORDS}
    """  # noqa: S608 - numbers alone are put in


def _by_meaning(model: str, width: int, *, pairs: bool = False) -> str:
    # The model is a literal, because PostgreSQL uses the index of one model only where it can see it.
    return f"""
        SELECT document, place FROM knowledge_passages
        WHERE model = {quoted(model)} AND document = ANY(CAST(:readable AS text[])) {"AND is_pair" if pairs else ""}
        ORDER BY CAST(whole AS halfvec({width})) <#> CAST(CAST(:vector AS real[]) AS halfvec({width}))
        LIMIT {_PAIRS if pairs else _BY_MEANING}
    """  # noqa: S608 - a quoted name, and numbers


def _as_query(terms: Sequence[str]) -> str:
    """Any of these terms, as PostgreSQL writes it."""
    return " | ".join("'" + term.replace("\\", "\\\\").replace("'", "''") + "'" for term in terms)
