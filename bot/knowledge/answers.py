"""Answers that people accepted from suggestions: they join the next sync as a document of questions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import delete, insert, select

from bot.database.engine import Database
from bot.knowledge.document import Audience, KnowledgeDocument, Passage
from bot.knowledge.tables import ANSWERS, DOCUMENTS, SETS

# A name that no file of the folder has.
DOCUMENT = "accepted answers"
_DIGITS = 16
_LONGEST = 2000
_NO_NAME = re.compile("[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about a suggestion: its question and answer as edited, and where it came from."""

    suggestion: str
    question: str
    answer: str
    decided_by: str
    audience: Audience = "customer"
    origin: Sequence[str] = ()


async def accept(database: Database, decision: Decision) -> None:
    """Keep an answer for the next sync; a second decision replaces the first."""
    if not decision.question.strip() or not decision.answer.strip():
        raise ValueError("a question and an answer are needed")
    await _decide(database, decision, "accepted")


async def reject(database: Database, decision: Decision) -> None:
    """Store that a suggestion was rejected, so that it is not shown again."""
    await _decide(database, decision, "rejected")


async def decided(database: Database) -> frozenset[str]:
    """Suggestions that were accepted or rejected."""
    async with database.reading() as connection:
        return frozenset((await connection.execute(select(ANSWERS.c.id))).scalars())


async def kept_decisions(database: Database, limit: int) -> list[tuple[Decision, datetime]]:
    """Accepted answers with the times of their acceptance, the newest first."""
    accepted = select(ANSWERS).where(ANSWERS.c.state == "accepted").order_by(ANSWERS.c.decided_at.desc(), ANSWERS.c.id)
    async with database.reading() as connection:
        rows = (await connection.execute(accepted.limit(limit))).all()
    return [
        (Decision(row.id, row.question, row.answer, row.decided_by, row.audience, tuple(row.origin)), row.decided_at)
        for row in rows
    ]


async def accepted_answers(database: Database) -> KnowledgeDocument | None:
    """The accepted answers for everybody, as a document; None if there are none."""
    query = (
        select(ANSWERS).where(ANSWERS.c.state == "accepted", ANSWERS.c.audience == "customer").order_by(ANSWERS.c.id)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    if not rows:
        return None
    passages = tuple(Passage(f"{row.question}\n{row.answer}", f"answer {row.id}", (row.question,)) for row in rows)
    content = json.dumps([passage.text for passage in passages], ensure_ascii=False)
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return KnowledgeDocument(name=DOCUMENT, digest=digest, title=DOCUMENT, language="es", passages=passages)


def case_name(suggestion: str) -> str:
    """Name of the evaluation's case about an accepted answer."""
    return f"answer-{_NO_NAME.sub('-', suggestion.lower())}"


async def answers_in(database: Database, released: str | None) -> dict[str, str]:
    """Accepted answers of a set: each suggestion's question and answer, in one text."""
    async with database.reading() as connection:
        documents = (
            await connection.execute(select(SETS.c.documents).where(SETS.c.digest == (released or "")))
        ).scalar()
        digest = (documents or {}).get(DOCUMENT, "")
        passages = (await connection.execute(select(DOCUMENTS.c.passages).where(DOCUMENTS.c.digest == digest))).scalar()
    return {passage["location"].removeprefix("answer "): passage["text"] for passage in passages or ()}


async def _decide(database: Database, decision: Decision, state: Literal["accepted", "rejected"]) -> None:
    row: dict[str, Any] = {
        "id": decision.suggestion,
        "state": state,
        "question": decision.question.strip()[:_LONGEST],
        "answer": decision.answer.strip()[:_LONGEST],
        "audience": decision.audience,
        "origin": list(decision.origin),
        "decided_by": decision.decided_by,
        "decided_at": datetime.now(UTC),
    }
    async with database.writing() as connection:
        await connection.execute(delete(ANSWERS).where(ANSWERS.c.id == decision.suggestion))
        await connection.execute(insert(ANSWERS).values(**row))
