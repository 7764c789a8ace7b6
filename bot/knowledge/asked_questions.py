"""Questions worth an answer: the documents left them open, their answer got a thumbs down, or a colleague answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database
from bot.history.tables import CHANGES, CONTACTS, DELIVERIES, HANDOVERS, MESSAGES
from bot.knowledge.gaps import KnowledgeGaps, redacted
from bot.knowledge.words import question_words

Origin = Literal["gap", "thumbs down", "hand-over"]
MOST = 500
_ANSWERED_WITHIN = timedelta(days=1)
# A call for a person belongs to a question that came within this time before it.
_NEAR = timedelta(hours=1)
_THUMBS_DOWN = "👎"
_LOOKED_AT = 5
# Because a colleague's first words may be a greeting, the longest of the first messages is the draft.
_DRAFTS = 3
_LONGEST_ANSWER = 1000
# Words by which customers ask for a person, and which name no other subject.
_WISH = frozenset(
    word
    for line in (
        "hablar comunicar comunicame comunicas pasame pasas contactar atender atienda quiero necesito persona humano",
        "alguien asesor asesora agente encargado encargada gerente",
        "talk speak need want person human agent somebody someone",
    )
    for word in line.split()
)
_TELLING_WORDS = 3


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question without identities, and the answer that a colleague wrote afterwards."""

    question: str
    origin: Origin
    conversation: str
    at: datetime
    answer: str = ""


async def asked_questions(gaps: KnowledgeGaps, database: Database, staff: Collection[str] = ()) -> list[AskedQuestion]:
    """The newest questions of customers, each with a colleague's answer where there is one.

    Because an answer to `staff` (phones and BSUIDs) may not be for customers, their questions are left out.
    """
    asked = [
        AskedQuestion(gap.question, "gap", conversation, datetime.fromisoformat(gap.at))
        for conversation, gap in await gaps.newest(MOST)
    ]
    async with database.reading() as connection:
        asked += await _disliked(connection)
        asked += await _handed_over(connection, asked)
        theirs = await _conversations_of(connection, staff)
        asked = [question for question in asked if question.conversation not in theirs]
        asked = sorted(asked, key=lambda question: question.at, reverse=True)[:MOST]
        found = await _with_answers(connection, [question for question in asked if question_words(question.question)])
    # A hand-over without a colleague's answer gives no suggestion, because people answer more than documents hold.
    return [question for question in found if question.answer or question.origin != "hand-over"]


async def _conversations_of(connection: AsyncConnection, staff: Collection[str]) -> frozenset[str]:
    if not staff:
        return frozenset()
    query = select(CONTACTS.c.conversation).where(or_(CONTACTS.c.phone.in_(staff), CONTACTS.c.bsuid.in_(staff)))
    return frozenset((await connection.execute(query)).scalars())


async def _disliked(connection: AsyncConnection) -> list[AskedQuestion]:
    """Questions whose answer has a thumbs down."""
    ours = and_(DELIVERIES.c.conversation == CHANGES.c.conversation, DELIVERIES.c.wamid == CHANGES.c.target)
    query = (
        select(CHANGES.c.conversation, DELIVERIES.c.name, CHANGES.c.at)
        .join(DELIVERIES, ours)
        .where(CHANGES.c.kind == "reaction", CHANGES.c.value.startswith(_THUMBS_DOWN))
        .order_by(CHANGES.c.at.desc())
        .limit(MOST)
    )
    found: list[AskedQuestion] = []
    for row in (await connection.execute(query)).all():
        sent = and_(MESSAGES.c.conversation == row.conversation, MESSAGES.c.name == row.name)
        at = (await connection.execute(select(MESSAGES.c.at).where(sent))).scalar()
        said = await _said(connection, row.conversation, at or row.at, 1)
        if said and said[0][0]:
            found.append(AskedQuestion(said[0][0], "thumbs down", row.conversation, row.at))
    return found


async def _handed_over(connection: AsyncConnection, known: Sequence[AskedQuestion]) -> list[AskedQuestion]:
    """Questions before a call for a person, unless they are known already."""
    query = (
        select(HANDOVERS.c.conversation, HANDOVERS.c.at)
        .where(HANDOVERS.c.action == "asked")
        .order_by(HANDOVERS.c.at.desc())
        .limit(MOST)
    )
    found: list[AskedQuestion] = []
    times = defaultdict[str, list[datetime]](list)
    for earlier in known:
        times[earlier.conversation].append(earlier.at)
    for row in (await connection.execute(query)).all():
        if any(abs(at - row.at) <= _NEAR for at in times[row.conversation]):
            continue
        said = await _said(connection, row.conversation, row.at, _LOOKED_AT)
        asking = ((words, at) for words, at in said if row.at - at <= _NEAR and _asks(words))
        if question := next(asking, None):
            found.append(AskedQuestion(question[0], "hand-over", row.conversation, row.at))
            times[row.conversation].append(row.at)
    return found


def _asks(words: str) -> bool:
    """Whether a message asks for more than a person."""
    telling = [word for word in question_words(words) if word not in _WISH]
    return bool(telling) and ("?" in words or len(telling) >= _TELLING_WORDS)


async def _said(
    connection: AsyncConnection, conversation: str, until: datetime, most: int
) -> list[tuple[str, datetime]]:
    """A customer's last messages without identities, the newest first."""
    own = and_(MESSAGES.c.conversation == conversation, MESSAGES.c.author == "customer", MESSAGES.c.at <= until)
    query = (
        select(MESSAGES.c.body, MESSAGES.c.transcript, MESSAGES.c.at)
        .where(own)
        .order_by(MESSAGES.c.at.desc(), MESSAGES.c.seq.desc())
        .limit(most)
    )
    name = await _name_of(connection, conversation)
    rows = (await connection.execute(query)).all()
    return [(redacted(row.body or row.transcript or "", name), row.at) for row in rows]


async def _with_answers(connection: AsyncConnection, asked: Sequence[AskedQuestion]) -> list[AskedQuestion]:
    """Add to each question what a colleague wrote within a day, before the next question; `asked` is newest first."""
    found: list[AskedQuestion] = []
    until: dict[str, datetime] = {}
    for question in asked:
        end = min(question.at + _ANSWERED_WITHIN, until.get(question.conversation, question.at + _ANSWERED_WITHIN))
        found.append(await _with_answer(connection, question, end))
        until[question.conversation] = question.at
    return found


async def _with_answer(connection: AsyncConnection, asked: AskedQuestion, end: datetime) -> AskedQuestion:
    """Add the longest of the first messages that a colleague wrote after the question and before `end`."""
    after = and_(MESSAGES.c.at > asked.at, MESSAGES.c.at <= end)
    query = (
        select(MESSAGES.c.body)
        .where(MESSAGES.c.conversation == asked.conversation, MESSAGES.c.author == "operator", after)
        .order_by(MESSAGES.c.at, MESSAGES.c.seq)
        .limit(_DRAFTS)
    )
    answers = [body for body in (await connection.execute(query)).scalars() if body]
    if not answers:
        return asked
    name = await _name_of(connection, asked.conversation)
    return replace(asked, answer=redacted(max(answers, key=len), name, _LONGEST_ANSWER))


async def _name_of(connection: AsyncConnection, conversation: str) -> str | None:
    query = select(func.max(CONTACTS.c.name)).where(CONTACTS.c.conversation == conversation)
    name: str | None = (await connection.execute(query)).scalar()
    return name
