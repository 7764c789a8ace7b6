"""Review of the documents by people: what customers get, and suggested questions and answers to accept or reject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from redis.asyncio import Redis

from bot.conversations.events import EventPublisher
from bot.database.engine import Database
from bot.knowledge.answers import Decision, accept, answers_in, case_name, kept_decisions, reject
from bot.knowledge.asked_questions import asked_questions
from bot.knowledge.embeddings import Embedder, embedder_of
from bot.knowledge.gaps import KnowledgeGaps
from bot.knowledge.overview import DocumentOverview, overview
from bot.knowledge.passing_model import PassingModel
from bot.knowledge.suggestions import Suggestion, suggestion_name, suggestions
from bot.prompting.knowledge_lock import digest_in
from bot.prompting.releases import Releases, read_current_release
from bot.settings import Settings

_MOST_SHOWN = 100
_MOST_ASKED = 10
_MOST_ACCEPTED = 200


class SuggestionUnknown(Exception):
    """Nobody asked this, or the question is no longer kept."""


@dataclass(frozen=True, slots=True)
class DocumentReview:
    redis: Redis
    database: Database
    gaps: KnowledgeGaps
    embedder: Embedder
    staff: frozenset[str] = frozenset()

    async def documents(self, after: str, limit: int) -> DocumentOverview:
        """A page of the documents by name."""
        return await overview(self.database, await self._released(), after, limit)

    async def suggested(self) -> list[dict[str, Any]]:
        """Suggestions that nobody has decided about, the most frequent first. Raises EmbeddingsFailed."""
        found = await suggestions(self.gaps, self.database, self.embedder, self.staff)
        return [_shown(suggestion) for suggestion in found[:_MOST_SHOWN]]

    async def accepted(self) -> list[dict[str, Any]]:
        """Accepted answers, the newest first, and whether customers get them already."""
        released = await answers_in(self.database, await self._released())
        kept = await kept_decisions(self.database, _MOST_ACCEPTED)
        return [_kept(decision, at, released.get(decision.suggestion)) for decision, at in kept]

    async def decide(self, decision: Decision, verdict: Literal["accept", "reject"]) -> Sequence[str]:
        """Keep a decision, which replaces an earlier one; gives the suggestion's origins. Raises SuggestionUnknown."""
        origins = await self._origins(decision.suggestion)
        whole = Decision(
            decision.suggestion, decision.question, decision.answer, decision.decided_by, decision.audience, origins
        )
        await (accept if verdict == "accept" else reject)(self.database, whole)
        return origins

    async def _origins(self, suggestion: str) -> Sequence[str]:
        asked = await asked_questions(self.gaps, self.database, self.staff)
        found = {question.origin for question in asked if suggestion_name(question.question) == suggestion}
        if found:
            return sorted(found)
        kept = await kept_decisions(self.database, _MOST_ACCEPTED)
        earlier = next((decision for decision, _ in kept if decision.suggestion == suggestion), None)
        if earlier is None:
            raise SuggestionUnknown
        return earlier.origin

    async def _released(self) -> str | None:
        """The set that the current release names."""
        current = (await read_current_release(self.redis)).current
        texts = await Releases(self.redis, _nobody).texts(current) if current else None
        return digest_in(texts) if texts else None


def document_review(settings: Settings, redis: Redis, database: Database, publisher: EventPublisher) -> DocumentReview:
    """The review in a server's process, which does not keep the embedded model."""
    embedder = embedder_of(settings.embeddings) if settings.embeddings.model else PassingModel()
    staff = frozenset(settings.channel.staff_contacts)
    return DocumentReview(redis, database, KnowledgeGaps(redis, publisher.publish), embedder, staff)


async def _nobody() -> list[str]:
    """Give no turn, because nothing is released or pruned here."""
    return []


def _shown(suggestion: Suggestion) -> dict[str, Any]:
    newest = sorted(suggestion.asked, key=lambda question: question.at, reverse=True)[:_MOST_ASKED]
    return {
        "id": suggestion.id,
        "question": suggestion.question,
        "answer": suggestion.answer,
        "times": len(suggestion.asked),
        "origins": suggestion.origins,
        "asked": [
            {
                "question": question.question,
                "origin": question.origin,
                "at": question.at.isoformat(),
                "conversation": question.conversation,
                "answer": question.answer,
            }
            for question in newest
        ],
    }


def _kept(decision: Decision, at: datetime, released: str | None) -> dict[str, Any]:
    return {
        "id": decision.suggestion,
        "question": decision.question,
        "answer": decision.answer,
        "origins": list(decision.origin),
        "by": decision.decided_by,
        "at": at.isoformat(),
        "case": case_name(decision.suggestion),
        "released": released == f"{decision.question}\n{decision.answer}",
    }
