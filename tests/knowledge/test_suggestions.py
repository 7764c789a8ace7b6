"""Open questions become suggestions, grouped and without identities; what a person accepts joins the documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import insert

from bot.conversations.contacts import Contact
from bot.database.engine import Database
from bot.history.tables import CHANGES, CONTACTS, DELIVERIES, HANDOVERS, MESSAGES
from bot.knowledge.answers import Decision, accept, accepted_answers, reject
from bot.knowledge.building import index_of
from bot.knowledge.document import FileFinding, KnowledgeDocument, Passage
from bot.knowledge.embeddings import EmbeddedModel
from bot.knowledge.gaps import KnowledgeGaps, gaps_key
from bot.knowledge.knowledge import Knowledge, stored_index
from bot.knowledge.passages import units_of
from bot.knowledge.search import SearchQuery
from bot.knowledge.store import KnowledgeStore
from bot.knowledge.suggestions import suggestions
from bot.knowledge.sync import set_digest

NOW = datetime.now(UTC)
ANA, LEO = f"c_{'a' * 20}", f"c_{'b' * 20}"


async def publish(*_: Any) -> None:
    """Publish nothing."""


def message(name: str, minutes: int, author: str, body: str) -> dict[str, Any]:
    at = NOW + timedelta(minutes=minutes)
    return {"conversation": LEO, "name": name, "at": at, "author": author, "kind": "text", "body": body}


async def disliked(database: Database) -> None:
    """An answer to Leo that got a thumbs down, and the answer that a colleague wrote then."""
    said = [
        message("w1", 1, "customer", "tienen estacionamiento? soy leo@x.mx"),
        message("t_1.0", 2, "assistant", "No lo sé."),
        message("t_2.0", 5, "operator", "Sí, para 20 autos."),
    ]
    async with database.writing() as connection:
        await connection.execute(insert(MESSAGES), said)
        sent = {"conversation": LEO, "name": "t_1.0", "at": NOW, "wamid": "wamid.1"}
        await connection.execute(insert(DELIVERIES), [sent])
        change = {"conversation": LEO, "name": "w2", "at": NOW + timedelta(minutes=3), "target": "wamid.1"}
        await connection.execute(insert(CHANGES), [change | {"kind": "reaction", "author": "customer", "value": "👎"}])


async def test_open_questions_are_grouped_with_the_answer_of_a_colleague(redis: Redis, database: Database) -> None:
    gaps = KnowledgeGaps(redis, publish)
    for number, question in enumerate(("¿Tienen estacionamiento?", "hay estacionamiento", "¿Aceptan bitcoin?")):
        await gaps.note(ANA, Contact(phone="5215512345678"), question, "es", f"t_{number}")
    await disliked(database)
    first, second = await suggestions(gaps, database, EmbeddedModel())
    assert (first.origins, first.answer) == ({"gap": 2, "thumbs down": 1}, "Sí, para 20 autos.")
    assert {question.question for question in first.asked} == {
        "¿Tienen estacionamiento?",
        "hay estacionamiento",
        "tienen estacionamiento? soy …",
    }
    assert second.question == "¿Aceptan bitcoin?"
    await accept(database, Decision(first.id, "¿Tienen estacionamiento?", "Sí, 20 lugares.", "eva@shop.mx"))
    await reject(database, Decision(second.id, second.question, "", "eva@shop.mx"))
    assert await suggestions(gaps, database, EmbeddedModel()) == []
    document = await accepted_answers(database)
    assert document is not None
    assert document.passages[0].text == "¿Tienen estacionamiento?\nSí, 20 lugares."


async def test_the_newest_gaps_are_found_without_those_of_conversations_that_are_older(redis: Redis) -> None:
    gaps = KnowledgeGaps(redis, publish)
    pipeline = redis.pipeline()
    for number in range(120):
        at, name = NOW - timedelta(minutes=number), f"c_{number:020}"
        gap = {"id": name, "question": f"¿{number}?", "language": "es", "staff": number % 2, "at": at.isoformat()}
        # An entry that can't be read tells whether anybody tries.
        pipeline.rpush(gaps_key(name), json.dumps(gap) if number < 100 else "?")
        pipeline.zadd("recado:gaps", {name: at.timestamp()})
    await pipeline.execute()
    found = await gaps.newest(30)
    assert [gap.question for _, gap in found] == [f"¿{number}?" for number in range(0, 60, 2)]


async def test_what_a_colleague_answered_after_a_hand_over_is_a_draft(redis: Redis, database: Database) -> None:
    said = [
        message("w1", 121, "customer", "¿Hacen envíos a Cuba? Soy Leo Duarte"),
        message("w2", 122, "customer", "quiero hablar con una persona"),
        message("t_2.0", 124, "operator", "¡Hola, Leo!"),
        message("t_2.1", 125, "operator", "Sí, Leo, por mensajería, y tarda 10 días."),
        message("w3", 210, "customer", "pásame con un asesor"),
        message("t_3.0", 211, "operator", "Aquí estoy."),
        message("w4", 320, "customer", "¿y aceptan dólares?"),
    ]
    asked = [
        {"conversation": LEO, "action": "asked", "id": f"h{at}", "at": NOW + timedelta(minutes=at)}
        for at in (123, 210, 321)
    ]
    async with database.writing() as connection:
        await connection.execute(insert(MESSAGES), said)
        await connection.execute(insert(HANDOVERS), asked)
        leo = {"conversation": LEO, "name": "Leo Duarte", "phone": "5215512345678", "folded": ""}
        await connection.execute(insert(CONTACTS).values(**leo))
    gaps = KnowledgeGaps(redis, publish)
    await gaps.note(LEO, Contact(phone="5215512345678"), "¿Tienen estacionamiento?", "es", "t_0")
    # An answer belongs to the last question before it. Of the calls for a person, the second asked for nothing else,
    # and nobody answered the third.
    found = {suggestion.question: suggestion for suggestion in await suggestions(gaps, database, EmbeddedModel())}
    assert found.pop("¿Tienen estacionamiento?").answer == ""
    (only,) = found.values()
    assert (only.origins, only.question) == ({"hand-over": 1}, "¿Hacen envíos a Cuba? Soy … …")
    assert only.answer == "Sí, …, por mensajería, y tarda 10 días."
    # Because customers read accepted answers, nothing is suggested that was said to the staff.
    assert await suggestions(gaps, database, EmbeddedModel(), ["5215512345678"]) == []


async def test_a_set_of_documents_is_searched_as_it_was_stored(database: Database) -> None:
    store, model = KnowledgeStore(database), EmbeddedModel()
    passages = (Passage("Cambios\nTienes 30 días.", "page 2"), Passage("¿Hay wifi?\nSí.", "line 1", ("¿Hay wifi?",)))
    document = KnowledgeDocument("a.md", "d1", title="A", language="es", pages=2, passages=passages)
    finding = FileFinding("b.pdf", "is damaged", "page 3")
    await store.keep_document(document, [finding])
    texts = [text for passage in passages for text in units_of(passage)]
    await store.keep_vectors("d1", model.name, await model.embed(texts))
    digest = set_digest({"a.md": "d1"})
    await store.keep_set(digest, {"a.md": "d1"}, model.name, [finding])
    assert await store.documents(["d1"]) == [document]
    assert (await store.known(["d1", "d2"])) == {"d1": [finding]}
    newest = await store.newest_set()
    assert newest is not None
    assert (newest.digest, newest.findings) == (digest, (finding,))

    async def opened() -> Database:
        return database

    asked = SearchQuery("¿cuántos días tengo para cambios?", "customer", NOW.date())
    found = await Knowledge(stored_index(opened, model), model).search(digest, asked)
    fresh = await index_of([document], model)
    assert found.hits[0].passage == passages[0]
    assert len(fresh.rows) == 2
