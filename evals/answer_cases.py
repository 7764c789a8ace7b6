"""Cases of the answers that people accepted in the console: a release has to find each of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.knowledge.answers import DOCUMENT, case_name
from bot.knowledge.document import KnowledgeDocument
from evals.cases import Case, CasePlace, CaseTurn, Example, Expected

TAG = "accepted"
# Each is a search and no model's answer; beyond these a release would wait for minutes.
MOST = 500
# The tool takes no shorter question.
_SHORTEST = 2


def answer_cases(documents: Iterable[KnowledgeDocument]) -> list[Case]:
    """A case for each accepted answer of a set: its question has to find the answer, and the reply says it."""
    accepted = next((document for document in documents if document.name == DOCUMENT), None)
    passages = accepted.passages[:MOST] if accepted else ()
    pairs = ((passage.questions[0], passage.text.partition("\n")[2], passage.location) for passage in passages)
    return [
        _case(case_name(place.removeprefix("answer ")), question, answer, number)
        for number, (question, answer, place) in enumerate(pairs, 1)
        if len(question) >= _SHORTEST
    ]


def is_of_an_answer(case: Case) -> bool:
    """Whether the case is no file's, so that nobody has recorded it."""
    return case.place.path == Path(DOCUMENT)


def _case(name: str, question: str, answer: str, number: int) -> Case:
    turn = CaseTurn(
        text=question,
        expect=Expected(calls=("search_knowledge",), sources=(DOCUMENT,)),
        example=(Example(calls=({"search_knowledge": {"question": question}},)), Example(says=answer)),
    )
    return Case(name=name, tags=(TAG,), turns=(turn,), place=CasePlace(path=Path(DOCUMENT), line=number))
