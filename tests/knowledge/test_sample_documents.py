"""The sample documents answer the questions with which a newcomer tries the sandbox, in Spanish and English."""

from __future__ import annotations

from datetime import date

import pytest

from bot.knowledge.building import build
from bot.knowledge.embeddings import EmbeddedModel
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import SearchQuery, search_index
from tests.paths import ROOT
from tests.rows import each

_BUILT: list[KnowledgeIndex] = []
ASKED = [
    ("Can I get a refund?", "30 días"),
    ("¿Me regresan mi dinero?", "30 días"),
    ("¿Puedo devolver un producto?", "15 días"),
    ("How do returns work?", "15 días"),
    ("¿Tienen garantía?", "12 meses"),
    ("What is the warranty?", "12 meses"),
    ("Do you have a warranty?", "12 meses"),
    ("¿Cuánto cuesta el envío?", "$180"),
    ("How much is shipping?", "$180"),
    ("¿Hacen envíos?", "a todo México"),
    ("Do you deliver?", "a todo México"),
    ("Do you deliver to Guadalajara?", "a todo México"),
    ("¿Cuánto tarda en llegar?", "2 a 5 días"),
    ("How long does delivery take?", "2 a 5 días"),
    ("¿Aceptan tarjeta?", "de crédito o de débito"),
    ("Do you take credit cards?", "de crédito o de débito"),
    ("¿Qué formas de pago aceptan?", "transferencia"),
    ("What payment methods do you accept?", "transferencia"),
    ("¿Se puede pagar a meses sin intereses?", "3 o 6 meses"),
    ("¿Cómo cancelo mi pedido?", "se cancela sin costo"),
    ("How do I cancel my order?", "se cancela sin costo"),
    ("How do I contact support?", "Por este mismo chat"),
    ("¿Qué venden?", "punto de venta"),
    ("What do you sell?", "punto de venta"),
    ("¿Dan factura?", "CFDI"),
    ("¿Hay plazo forzoso?", "No hay contrato"),
    ("Does it work offline?", "sin internet se sigue vendiendo"),
    ("¿Funciona en iPhone?", "Android"),
    ("Does it work on a Mac?", "Android"),
    ("¿Me regresan mi dinero si no me gusta?", "30 días"),
    ("Is my data safe?", "respaldo"),
]


@pytest.fixture
async def documents() -> KnowledgeIndex:
    """The index of the sample documents, built once for this file."""
    if not _BUILT:
        built = await build(ROOT / "knowledge", EmbeddedModel())
        assert built.findings == ()
        _BUILT.append(built.index)
    return _BUILT[0]


async def _found(documents: KnowledgeIndex, question: str) -> str:
    asked = SearchQuery(question, "customer", date(2026, 12, 1), ())
    found = await search_index(documents, EmbeddedModel(), asked)
    return found.hits[0].passage.text if found.is_enough else ""


@each(("question", "answer"), ASKED)
async def test_a_newcomers_question_is_answered(documents: KnowledgeIndex, question: str, answer: str) -> None:
    assert answer in await _found(documents, question), question


@each(
    "question", ["¿aceptan bitcoin?", "¿patrocinan equipos de fútbol?", "do you sell fridges", "¿cómo está el clima?"]
)
async def test_a_question_about_something_else_is_not(documents: KnowledgeIndex, question: str) -> None:
    assert await _found(documents, question) == "", question
