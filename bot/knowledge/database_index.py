"""Search of a set in PostgreSQL: the database chooses candidates by words and by meaning, and the evidence is the same.

A worker holds the documents' names, the words with their numbers, and no passage.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sqlalchemy import text

from bot.database.engine import Database
from bot.knowledge.bm25 import CandidateTerms, inverse_document_frequency
from bot.knowledge.document import KnowledgeDocument, Passage
from bot.knowledge.judge import Judge, MeaningScores
from bot.knowledge.passage_table import SOUND, STEM, SetStatistics, quoted
from bot.knowledge.scale import EMBEDDED, LikenessScale
from bot.knowledge.search_result import Allows, Found, Row
from bot.knowledge.similar_sounds import SimilarSounds
from bot.knowledge.word_ranking import WordRanking, stems_for
from bot.knowledge.words import question_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Scores = NDArray[np.float32]

# Numbers of candidates by the words of a question, by each of its vectors, and among answered questions.
_BY_WORDS, _BY_MEANING, _PAIRS = 200, 100, 50
# A query looks for the rarest words of a question, as far as so many passages hold them, and weighs so many terms.
_MOST_WEIGHED, _MOST_TERMS = 4000, 12
# Passages whose likeness to a question stands for that of all passages.
_SAMPLE = 2000
_DETAILS = text("""
    SELECT document, place, detail, units FROM knowledge_passages
    WHERE model = :model AND (document, place) IN (SELECT * FROM unnest(CAST(:d AS text[]), CAST(:p AS integer[])))
""")
_VECTORS = text("""
    SELECT CAST(CAST(whole AS vector) AS real[]) FROM knowledge_passages
    WHERE model = :model AND document = ANY(CAST(:some AS text[])) LIMIT :most
""")


class _WordTerms(NamedTuple):
    """Terms that stand for a word of a question, the number of passages that hold them, and their weight."""

    terms: tuple[str, ...]
    passages: int
    weight: float


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Passages with the terms and the units of each."""

    rows: list[Row]
    stems: list[list[str]]
    sounds: list[list[str]]
    units: list[Vectors]


class DatabaseIndex:
    """Passages of one set with the vectors of one model.

    `documents` come without their passages. `sample` has the vectors of some passages, (passages, numbers in a vector).
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what is known of a set
        self,
        database: Database,
        documents: Sequence[KnowledgeDocument],
        statistics: SetStatistics,
        model: str,
        sample: Vectors,
        scale: LikenessScale = EMBEDDED,
    ) -> None:
        self._database = database
        self._documents = {document.digest: document for document in documents}
        self._known = statistics
        self._similar_sounds = SimilarSounds(statistics.sounds)
        self._model = model
        self._sample = sample
        self._scale = scale

    @property
    def count(self) -> int:
        return self._known.total

    async def find(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        readable = [digest for digest, document in self._documents.items() if allows(document)]
        if not readable:
            return Found(())
        words = question_words(question)
        terms = await asyncio.to_thread(self._terms, words)
        candidates = await self._candidates(readable, terms, vectors)
        return await asyncio.to_thread(self._judged, question, words, terms, vectors, candidates, limit)

    def _terms(self, words: Sequence[str]) -> list[_WordTerms]:
        """The terms that stand for each word of a question, and how much they tell; the rarest word first."""
        found = []
        for word in dict.fromkeys(words):
            stems = stems_for(word) & self._known.stems.keys()
            sounds = self._similar_sounds.similar_to(word)
            for prefix, terms, frequencies in ((STEM, stems, self._known.stems), (SOUND, sounds, self._known.sounds)):
                if terms:
                    passages = sum(frequencies[term] for term in terms)
                    weight = inverse_document_frequency(min(passages, self._known.total), self._known.total)
                    found.append(_WordTerms(tuple(prefix + term for term in sorted(terms)), passages, weight))
        return sorted(found, key=lambda word_terms: word_terms.passages)[:_MOST_TERMS]

    async def _candidates(self, readable: list[str], terms: Sequence[_WordTerms], vectors: Vectors) -> _Candidates:
        width = vectors.shape[1]
        common = {"model": self._model, "readable": readable}
        async with self._database.reading() as connection:
            await connection.execute(text(f"SET LOCAL hnsw.ef_search = {2 * _BY_MEANING}"))
            await connection.execute(text("SET LOCAL hnsw.iterative_scan = strict_order"))
            # PostgreSQL takes a comparison with many words for a cheap one, and would look at all passages.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            places: set[tuple[str, int]] = set()
            if terms:
                found = await connection.execute(text(_by_words(terms)), common)
                places |= {(row.document, row.place) for row in found}
            for statement in (_by_meaning(self._model, width), _by_meaning(self._model, width, pairs=True)):
                for vector in {vector.tobytes(): vector for vector in vectors}.values():
                    found = await connection.execute(text(statement), common | {"vector": vector.tolist()})
                    places |= {(row.document, row.place) for row in found}
            chosen = sorted(places)
            asked = {"model": self._model, "d": [digest for digest, _ in chosen], "p": [place for _, place in chosen]}
            rows = await connection.execute(_DETAILS, asked)
            return self._read([tuple(row) for row in rows], width)

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
        terms: Sequence[_WordTerms],
        vectors: Vectors,
        candidates: _Candidates,
        limit: int,
    ) -> Found:
        if not candidates.rows:
            return Found(())
        known = self._known
        wanted = [term for word_terms in terms for term in word_terms.terms]
        stems = [term.removeprefix(STEM) for term in wanted if term.startswith(STEM)]
        sounds = [term.removeprefix(SOUND) for term in wanted if term.startswith(SOUND)]
        by_words = WordRanking(
            CandidateTerms(candidates.stems, stems, known.stems, total=known.total, average=known.stem_length),
            CandidateTerms(candidates.sounds, sounds, known.sounds, total=known.total, average=known.sound_length),
            self._similar_sounds,
        ).scores(words)
        meaning = self._meaning(candidates.units, vectors)
        usual = self._scale.applied(self._sample @ vectors[-1]) if self._sample.size else np.zeros(1, np.float32)
        judge = Judge(question, by_words, meaning, float(np.median(usual)))
        return Found(tuple(judge.best(candidates.rows.__getitem__)[:limit]))

    def _meaning(self, units: Sequence[Vectors], vectors: Vectors) -> MeaningScores:
        """Likeness to the question, and to its gist, of each passage's best unit and of the whole passage."""
        counts = np.array([len(vectors_of_units) for vectors_of_units in units])
        starts = np.cumsum(counts) - counts
        joined = np.concatenate(units)
        sums = np.add.reduceat(joined, starts, axis=0)
        lengths = np.maximum(np.linalg.norm(sums, axis=1), np.float32(1e-9))
        best = np.maximum.reduceat(joined @ vectors.T, starts, axis=0)
        whole = (sums / lengths[:, None] @ vectors[:-1].T).max(axis=1)
        of_means = self._scale.of_means(lengths / counts.astype(np.float32))
        scaled = self._scale.applied
        return MeaningScores(
            scaled(best[:, :-1].max(axis=1)), of_means(whole, np.arange(len(units))), scaled(best[:, -1])
        )


async def database_index(
    database: Database,
    documents: Sequence[KnowledgeDocument],
    statistics: SetStatistics,
    model: str,
    scale: LikenessScale = EMBEDDED,
) -> DatabaseIndex:
    """Load what a worker holds of a set."""
    each = max(len(documents) * _SAMPLE // max(statistics.total, 1), 1)
    some = [document.digest for document in documents][:: max(len(documents) // each, 1)]
    async with database.reading() as connection:
        vectors = (await connection.execute(_VECTORS, {"model": model, "some": some, "most": _SAMPLE})).scalars().all()
    sample = np.array(vectors, np.float32)
    return await asyncio.to_thread(DatabaseIndex, database, documents, statistics, model, sample, scale)


def _by_words(terms: Sequence[_WordTerms]) -> str:
    """Passages that hold rare words of the question, those with most of its words first."""
    rare, passages = [terms[0]], terms[0].passages
    for word_terms in terms[1:]:
        passages += word_terms.passages
        if passages > _MOST_WEIGHED:
            break
        rare.append(word_terms)
    # The terms are literals, because PostgreSQL would parse a variable anew for each passage. `|| ''` keeps the indexes
    # of model and document out of use, because a person may read most passages.
    weight = " + ".join(
        f"CASE WHEN terms @@ {_any_of(word_terms.terms)} THEN {word_terms.weight:.4f} ELSE 0 END"
        for word_terms in terms
    )
    return f"""
        SELECT document, place FROM knowledge_passages
        WHERE model || '' = :model AND document || '' = ANY(CAST(:readable AS text[]))
            AND terms @@ {_any_of([term for word_terms in rare for term in word_terms.terms])}
        ORDER BY {weight} DESC, document, place LIMIT {_BY_WORDS}
    """  # noqa: S608 - our own terms of letters and digits, quoted


def _by_meaning(model: str, width: int, *, pairs: bool = False) -> str:
    # The model is a literal, because PostgreSQL uses the index of one model only where it can see it. That index would
    # look for pairs among all passages. Because pairs are few, the sum hides it, and all pairs are compared.
    likeness = f"CAST(whole AS halfvec({width})) <#> CAST(CAST(:vector AS real[]) AS halfvec({width}))"
    order, limit = (f"({likeness}) + 0", _PAIRS) if pairs else (likeness, _BY_MEANING)
    return f"""
        SELECT document, place FROM knowledge_passages
        WHERE model = {quoted(model)} AND document = ANY(CAST(:readable AS text[])) {"AND is_pair" if pairs else ""}
        ORDER BY {order} LIMIT {limit}
    """  # noqa: S608 - a quoted name, and numbers


def _any_of(terms: Sequence[str]) -> str:
    """A query for any of these terms, as a literal. They are of letters, digits and signs of numbers."""
    query = " | ".join(f"'{term}'" for term in terms)
    return f"CAST({quoted(query)} AS tsquery)"
