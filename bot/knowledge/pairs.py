"""Reads `questions.md`: pairs of questions and answers that people wrote, which precede other passages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.knowledge.document import Passage
from pipelines.blocks.markdown import plain_words

FILE = "questions.md"
_HEADING = re.compile(r"\s{0,3}#{1,6}\s++(\S.{0,500})")
_ASKED = re.compile(r"\s*(?:\*\*)?(?:P|Q|Pregunta|Question)(?:\*\*)?\s*[:.](?:\*\*)?\s*(\S.*)", re.IGNORECASE)
_ANSWERED = re.compile(r"\s*(?:\*\*)?(?:R|A|Respuesta|Answer)(?:\*\*)?\s*[:.](?:\*\*)?\s*(\S.*)", re.IGNORECASE)
_LONGEST_ANSWER = 2000
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Mistake:
    """A question without an answer, or an answer that is too long; `line` is counted from 1."""

    line: int
    problem: str


def read_pairs(text: str, first_line: int = 1) -> tuple[list[Passage], list[Mistake]]:
    """Read pairs: headings, or lines that begin with `P:`, are questions; several in a row share the answer below."""
    passages: list[Passage] = []
    mistakes: list[Mistake] = []
    for line, questions, answer in _entries(text.split("\n"), first_line):
        if not answer:
            mistakes.append(Mistake(line, "a question without an answer"))
        elif len(answer) > _LONGEST_ANSWER:
            mistakes.append(Mistake(line, f"the answer has more than {_LONGEST_ANSWER} characters"))
        elif len(passages) < _MOST:
            asked = tuple(plain_words(question) for question in questions)
            passages.append(Passage(f"{asked[0]}\n{plain_words(answer)}", f"line {line}", asked))
        else:
            mistakes.append(Mistake(line, f"more than {_MOST} questions"))
            break
    return passages, mistakes


def _entries(lines: list[str], first_line: int) -> Iterator[tuple[int, list[str], str]]:
    """Yield the line, the questions and the answer of each entry."""
    questions: list[str] = []
    answer: list[str] = []
    begun = first_line
    for number, line in enumerate(lines, first_line):
        heading = _HEADING.fullmatch(line)
        asked = heading or _ASKED.fullmatch(line)
        if asked is None:
            if questions and (line.strip() or answer):
                replied = _ANSWERED.fullmatch(line)
                answer.append(replied[1] if replied and not answer else line.rstrip())
            continue
        title_above = bool(questions) and not answer and not _is_question(questions[-1]) and _is_question(asked[1])
        if questions and (answer or title_above):
            if answer:
                yield begun, questions, "\n".join(answer).strip()
            questions, answer = [], []
        if not questions:
            begun = number
        questions.append(asked[1].rstrip().rstrip("#").rstrip() if heading else asked[1].strip())
    if questions:
        yield begun, questions, "\n".join(answer).strip()


def _is_question(text: str) -> bool:
    return "?" in text
