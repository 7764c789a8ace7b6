"""Search for a person: among the documents for them, with their earlier question in front of the new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.knowledge.document import Audience
from bot.knowledge.embeddings import Embedder
from bot.knowledge.index import question_texts
from bot.knowledge.search_result import Found, SearchableIndex, allowed

LONGEST_QUESTION = 500
BEST = 5


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A question, the audience of the person who asks, the day, and the person's earlier messages, the newest last."""

    question: str
    audience: Audience
    day: date
    history: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """The earlier question and this one, because `¿y en Mérida?` says nothing without the first."""
        return " ".join((*(said[:LONGEST_QUESTION] for said in self.history[-1:]), self.question[:LONGEST_QUESTION]))


async def search_index(index: SearchableIndex, embedder: Embedder, query: SearchQuery, limit: int = BEST) -> Found:
    """Find passages. Raises EmbeddingsFailed."""
    texts = question_texts(query.whole)
    several = list(dict.fromkeys(texts))
    vectors = (await embedder.embed(several))[[several.index(text) for text in texts]]
    allows = allowed(query.audience, query.day)
    return await index.find(query.whole, vectors, allows, limit)
