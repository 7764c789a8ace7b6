"""Use of the documents by the stand-in model: it searches for questions without a rule, and quotes the best passage."""

from __future__ import annotations

import html
import re
from typing import Any

from bot.knowledge.words import question_words
from bot.messages.language import Language, language_of

TOOL = "search_knowledge"
_FEWEST_WORDS = 2
_OF_PRICES = frozenset({"cuanto", "cuesta", "cuestan", "vale", "sale", "precio", "how", "much", "cost", "price"})
_PLAN = re.compile(r"\b(planes|plan|plans|precios|prices)\b", re.IGNORECASE)
_LONGEST = 700
_PLACE = re.compile(r"\b(?:page|rows?|line)\b(?= \d)")
_SAY: dict[str, dict[Language, str]] = {
    "nothing": {
        "es": "Eso no lo sé: no está en nuestros documentos. ¿Quieres que te escriba una persona del equipo?",
        "en": "I don't know that: it isn't in our documents. Shall somebody of the team write to you?",
    },
    # A model would translate.
    "spanish": {"es": "", "en": "Our document is in Spanish:"},
    "source": {"es": "Fuente", "en": "Source"},
}
# How documents name their places.
_PLACES = {"page": "página", "row": "fila", "rows": "filas", "line": "línea"}


def is_question(words: str, offered: set[Any]) -> bool:
    """Whether these words are worth a search."""
    return TOOL in offered and len(re.findall(r"[^\W\d_]{2,}", words)) >= _FEWEST_WORDS


def is_price_of_something(words: str, offered: set[Any]) -> bool:
    """Whether a question about a price is about something else than the plans, which are among the facts."""
    return TOOL in offered and not _PLAN.search(words) and any(word not in _OF_PRICES for word in question_words(words))


def described(result: str, language: Language) -> str:
    """The best passage with its source, or that nothing answers."""
    passage = _between(result, "document_passage")
    if not passage:
        return _SAY["nothing"][language]
    facts = {name: html.unescape(_between(passage, name)) for name in ("source", "place", "text")}
    heading, _, body = facts["text"].partition("\n")
    # A table's passage begins with a row, and one of `questions.md` with its question.
    said = body if heading in facts["place"] or heading.endswith("?") else facts["text"]
    place = facts["place"] if language == "en" else _PLACE.sub(lambda found: _PLACES[found[0]], facts["place"])
    foreign = language == "en" and language_of(said or heading) == "es"
    begin = f"{_SAY['spanish'][language]}\n" if foreign else ""
    source = " · ".join(filter(None, (facts["source"], place if place != heading else "")))
    return f"{begin}{(said or heading)[:_LONGEST]}\n\n_{_SAY['source'][language]}: {source}_"


def _between(text: str, tag: str) -> str:
    """The text of the first element with this tag; the tool escapes what stands inside."""
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
