"""Results of a search in the documents, and the interface of what is searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bot.knowledge.document import Audience, KnowledgeDocument, Passage
from bot.knowledge.evidence import THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Passages by which a search is judged to have an answer or none.
_DECISIVE = 3
Allows = Callable[[KnowledgeDocument], bool]


class Row(NamedTuple):
    """A passage with its document."""

    document: KnowledgeDocument
    passage: Passage


@dataclass(frozen=True, slots=True)
class PassageHit:
    """A passage that was found; `score` is the probability, 0 to 1, that it answers the question."""

    document: KnowledgeDocument
    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """Passages, the best first."""

    hits: tuple[PassageHit, ...]

    @property
    def confidence(self) -> float:
        """The highest score of the first passages."""
        return max((hit.score for hit in self.hits[:_DECISIVE]), default=0.0)

    @property
    def is_enough(self) -> bool:
        """Whether one of the first passages is likely to answer the question."""
        return self.confidence >= THRESHOLD


class SearchableIndex(Protocol):
    @property
    def count(self) -> int:
        """Number of passages."""
        ...

    async def find(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        """Find passages of documents for which `allows` is true; `vectors` are those of `question_texts`."""
        ...


def with_falling_scores(hits: Sequence[PassageHit]) -> list[PassageHit]:
    """The same hits in the same order, with scores that never rise, as a reader of a list expects.

    The order and the scores come from two formulas (`PassageEvidence.order`, `.confidence`), so a later hit may have
    the higher score. One of the first hits takes the highest score of those that follow it among the first, because
    they decide together whether anything answers. Each later hit takes the previous score at most.
    """
    scores = [hit.score for hit in hits]
    for place in range(min(_DECISIVE, len(scores)) - 2, -1, -1):
        scores[place] = max(scores[place], scores[place + 1])
    for place in range(_DECISIVE, len(scores)):
        scores[place] = min(scores[place], scores[place - 1])
    return [replace(hit, score=score) for hit, score in zip(hits, scores, strict=True)]


def allowed(audience: Audience, day: date) -> Allows:
    """Let staff read all documents, and customers those for them, as far as the documents are valid on the day."""
    return lambda document: document.holds_on(day) and (audience == "staff" or document.audience == "customer")
