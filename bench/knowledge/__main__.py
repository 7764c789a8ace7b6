"""Recall, refusals, time and memory of the search: `python -m bench.knowledge DIR QUESTIONS [--json]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.knowledge.questions import Question, QuestionsWrong, read_questions
from bot.knowledge.building import BuiltKnowledge, build
from bot.knowledge.embeddings import Embedder, embedder_of
from bot.knowledge.folder import FolderMissing
from bot.knowledge.search import SearchQuery, search_index
from bot.knowledge.search_result import Found
from bot.prompting.confidence import wilson_interval
from bot.settings import EmbeddingsSettings

_PLACES = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Outcome:
    question: Question
    found: Found
    milliseconds: float

    @property
    def rank(self) -> int | None:
        return self.question.rank(self.found.hits)

    def as_json(self) -> dict[str, Any]:
        return {
            "q": self.question.text,
            "sources": list(self.question.sources),
            "rank": self.rank if self.question.sources else None,
            "passes": self.found.is_enough,
            "confidence": round(self.found.confidence, 3),
            "ms": round(self.milliseconds, 2),
            "passages": [
                {
                    "source": hit.document.name,
                    "location": hit.passage.location,
                    "score": round(hit.score, 3),
                    "text": hit.passage.text,
                }
                for hit in self.found.hits
            ],
        }


def _share(hits: int, of: int) -> str:
    low, high = wilson_interval(hits, of)
    return f"{hits}/{of} = {hits / max(of, 1):.1%} (95%: {low:.1%} to {high:.1%})"


async def _ask(built: BuiltKnowledge, embedder: Embedder, question: Question) -> Outcome:
    asked = SearchQuery(question.text, question.audience, datetime.now(UTC).date(), question.history)
    started = time.perf_counter()
    found = await search_index(built.index, embedder, asked)
    return Outcome(question, found, (time.perf_counter() - started) * 1000)


async def _main(folder: Path, questions: list[Question], *, as_json: bool) -> None:
    embedder = embedder_of(EmbeddingsSettings())
    started = time.perf_counter()
    built = await build(folder, embedder)
    seconds = time.perf_counter() - started
    if questions:
        await _ask(built, embedder, questions[0])
    outcomes = [await _ask(built, embedder, question) for question in questions]
    await embedder.close()
    figures = _figures(built, outcomes, seconds)
    if as_json:
        print(
            json.dumps(
                {**figures, "questions": [outcome.as_json() for outcome in outcomes]}, ensure_ascii=False, indent=1
            )
        )
        return
    for finding in built.findings:
        sys.stderr.write(f"{finding}\n")
    for name, value in figures["text"].items():
        print(f"{name:<42}{value}")


def _figures(built: BuiltKnowledge, outcomes: list[Outcome], seconds: float) -> dict[str, Any]:
    answerable = [outcome for outcome in outcomes if outcome.question.sources]
    nothing = [outcome for outcome in outcomes if not outcome.question.sources]
    times = sorted(outcome.milliseconds for outcome in outcomes) or [0.0]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    within = {place: sum((outcome.rank or 99) <= place for outcome in answerable) for place in _PLACES}
    passing = {
        place: sum((outcome.rank or 99) <= place and outcome.found.is_enough for outcome in answerable)
        for place in _PLACES
    }
    refused = sum(not outcome.found.is_enough for outcome in nothing)
    text = {
        "documents, passages": f"{len(built.documents)}, {len(built.index.rows)} in {seconds:.1f} s",
        **{f"recall at {place}": _share(count, len(answerable)) for place, count in within.items()},
        **{
            f"recall at {place}, over the threshold": _share(count, len(answerable)) for place, count in passing.items()
        },
        "nothing answers, nothing passes": _share(refused, len(nothing)),
        "milliseconds a question (median, 95%)": f"{times[len(times) // 2]:.1f}, {times[int(len(times) * 0.95)]:.1f}",
        "memory of this process": f"{memory} MB",
    }
    return {
        "recall": {str(place): count / max(len(answerable), 1) for place, count in within.items()},
        "recall_over_threshold": {str(place): count / max(len(answerable), 1) for place, count in passing.items()},
        "unanswerable_refused": refused / max(len(nothing), 1),
        "answerable": len(answerable),
        "unanswerable": len(nothing),
        "median_ms": round(times[len(times) // 2], 2),
        "memory_mb": memory,
        "text": text,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.knowledge", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("questions", type=Path, metavar="QUESTIONS", help="JSON Lines: q, sources, answer_contains")
    parser.add_argument("--half", choices=("tuned", "reported"), help="every second question alone")
    parser.add_argument("--json", action="store_true", help="each question with its passages")
    given = parser.parse_args()
    try:
        questions = read_questions(given.questions)
        if given.half:
            questions = [question for question in questions if (question.number % 2 == 0) == (given.half == "tuned")]
        asyncio.run(_main(given.folder, questions, as_json=given.json))
    except (QuestionsWrong, FolderMissing, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
