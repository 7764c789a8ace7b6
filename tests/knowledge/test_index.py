"""The best passage comes first, whatever way a customer writes; where nothing answers, nothing is good enough."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bench.knowledge.questions import read_questions
from bot.knowledge.building import BuiltKnowledge, build, index_of
from bot.knowledge.document import KnowledgeDocument, Passage
from bot.knowledge.embeddings import EmbeddedModel
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import SearchQuery, search_index
from tests.paths import ROOT

pytestmark = pytest.mark.xdist_group("knowledge")

DAY = date(2026, 12, 1)
SHOP = ROOT / "fixtures" / "knowledge"
_BUILT: dict[str, BuiltKnowledge] = {}


@pytest.fixture
async def shop() -> KnowledgeIndex:
    """The index of the fixtures, built once for this file."""
    if not _BUILT:
        _BUILT["shop"] = await build(SHOP / "documents", EmbeddedModel())
    return _BUILT["shop"].index


async def best(index: KnowledgeIndex, question: str, **about: Any) -> Any:
    asked = SearchQuery(question, about.get("audience", "customer"), about.get("day", DAY), about.get("history", ()))
    return await search_index(index, EmbeddedModel(), asked)


async def test_the_fixtures_have_no_bad_file(shop: KnowledgeIndex) -> None:
    assert _BUILT["shop"].findings == ()


@pytest.mark.parametrize(
    ("file", "among_three", "over_threshold", "refused"),
    [
        ("questions.jsonl", 0.94, 0.82, 0.9),
        ("questions.en.jsonl", 0.95, 0.84, 0.95),
        ("questions.other.jsonl", 0.8, 0.8, 0.9),
    ],
)
async def test_questions_of_many_languages_find_spanish_passages_and_others_find_none(
    shop: KnowledgeIndex, file: str, among_three: float, over_threshold: float, refused: float
) -> None:
    outcomes = []
    for question in read_questions(SHOP / file):
        found = await best(shop, question.text, audience=question.audience, history=question.history)
        outcomes.append((bool(question.sources), (question.rank(found.hits) or 9) <= 3, found.is_enough))
    within = [(is_enough, hit) for answerable, hit, is_enough in outcomes if answerable]
    others = [is_enough for answerable, _, is_enough in outcomes if not answerable]
    assert sum(hit for _, hit in within) / len(within) >= among_three
    assert sum(hit and is_enough for is_enough, hit in within) / len(within) >= over_threshold
    assert others.count(False) / len(others) >= refused


async def test_a_document_is_found_on_the_days_on_which_it_holds(shop: KnowledgeIndex) -> None:
    asked = "descuento en albercas y ventiladores"
    assert (await best(shop, asked, day=date(2026, 8, 31))).hits[0].document.name == "promo_verano.md"
    assert all(hit.document.name != "promo_verano.md" for hit in (await best(shop, asked)).hits)


async def test_staffs_documents_are_for_staff(shop: KnowledgeIndex) -> None:
    asked = "cuánto descuento puede autorizar un vendedor"
    assert (await best(shop, asked, audience="staff")).hits[0].document.name == "personal/manual_de_caja.md"
    assert all(hit.document.audience == "customer" for hit in (await best(shop, asked)).hits)


async def test_an_answered_question_wins_over_documents_that_say_more() -> None:
    pair = Passage("¿Puedo pagar en dólares?\nNo.", "", ("¿Puedo pagar en dólares?",))
    said = Passage("Pagos en dólares\nSobre pagar en dólares: puedo pagar en dólares, se puede pagar en dólares.")
    documents = [
        KnowledgeDocument("a.md", "a", passages=(said,)),
        KnowledgeDocument("questions.md", "q", passages=(pair,)),
    ]
    index = await index_of(documents, EmbeddedModel())
    assert (await best(index, "puedo pagar en dolares?")).hits[0].passage == pair


async def test_a_pair_about_another_number_is_another_question() -> None:
    pair = Passage("¿Tienen el taladro modelo 4321?\nSí.", "", ("¿Tienen el taladro modelo 4321?",))
    index = await index_of([KnowledgeDocument("questions.md", "q", passages=(pair,))], EmbeddedModel())
    assert (await best(index, "¿tienen el taladro modelo 4321?")).is_enough
    assert (await best(index, "¿tienen el taladro modelo 4322?")).confidence < 0.8


async def test_an_empty_set_and_an_empty_question_find_nothing() -> None:
    assert (await best(await index_of([], EmbeddedModel()), "hola")).is_enough is False
    index = await index_of([KnowledgeDocument("a.md", "a", passages=(Passage("Abrimos a las 9."),))], EmbeddedModel())
    for question in ("", "???", "🌮", "de la el"):
        assert not (await best(index, question)).is_enough
