"""Cases, read from `prompts/evals/*.yaml`: messages of a person, and expectations of each reply."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bot.conversations.contacts import Role
from bot.infra import plain_yaml
from bot.messages.language import Language
from bot.prompting.release_gate import CASES
from evals.problems import PROBLEMS, CaseProblem, problem

_LARGEST_FILE = 1024 * 1024
FILE_KINDS = ("voice", "photo", "video", "document")
_MESSAGE_KINDS = ("text", *FILE_KINDS, "location", "tap")


class CasesWrong(Exception):
    """The cases can't be read; one line a mistake says its place, the mistake, and the fix."""

    def __init__(self, mistakes: Sequence[CaseMistake]) -> None:
        self._mistakes = mistakes
        super().__init__("\n".join(self.said("en")))

    def said(self, language: Language) -> list[str]:
        return [mistake.said(language) for mistake in self._mistakes]


@dataclass(frozen=True, slots=True)
class CaseMistake:
    """Mistake in a file of cases: at a place of the file, or in one of its cases."""

    place: str
    problem: CaseProblem
    case: str = ""

    def said(self, language: Language) -> str:
        case = {"es": f" caso {self.case}:", "en": f" case {self.case}:"}[language] if self.case else ""
        return f"{self.place}:{case} {self.problem.said(language)}"


class _CaseModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise PydanticCustomError("no_pattern", "{why}", {"why": str(error)}) from error
    return value


Pattern = Annotated[str, AfterValidator(_pattern)]
# Because YAML is read as text here, numbers in a call are typed afterwards; a name that looks like one stays text.
Call = str | dict[str, Annotated[dict[str, Any], BeforeValidator(plain_yaml.typed)]]


class Expected(_CaseModel):
    """Expectations of one turn. Texts are compared without regard to capitals; `calls` in any order.

    A call is a tool's name, or `name: {argument: value}`; all other arguments may have any value. `sources` are files
    of documents of which passages were found. `claims_nothing` expects that no passage was found, and that the reply
    says so without a figure. `milliseconds` are those of the models. `judge` is a rubric for a judging model.
    """

    calls: tuple[Call, ...] = ()
    not_calls: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    contains_any: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    matches: Pattern | None = None
    not_matches: Pattern | None = None
    language: Language | None = None
    messages: int | None = Field(None, ge=0)
    characters: int | None = Field(None, ge=0)
    refuses: bool | None = None
    hands_over: bool | None = None
    sources: tuple[str, ...] = ()
    claims_nothing: bool = False
    cost_usd: float | None = Field(None, gt=0)
    milliseconds: int | None = Field(None, gt=0)
    judge: str | None = None


class Example(_CaseModel):
    """Good answer of a model: tool calls, or a text."""

    calls: tuple[Call, ...] = ()
    says: str = ""


class CaseTurn(_CaseModel):
    """Message of the person: exactly one of `_MESSAGE_KINDS`.

    `voice`, `photo`, `video` and `document` name a file beside the case, or hold facts that were perceived in one,
    such as {transcript: …} or {text_read: …, codes: …}. `example` holds a good model's answers, step by step.
    """

    text: str | None = None
    voice: str | dict[str, str] | None = None
    photo: str | dict[str, str] | None = None
    video: str | dict[str, str] | None = None
    document: str | dict[str, str] | None = None
    location: Annotated[dict[str, str | float], BeforeValidator(plain_yaml.typed)] | None = None
    tap: str | None = None
    caption: str | None = None
    expect: Expected = Expected()
    example: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> CaseTurn:
        if sum(getattr(self, name) is not None for name in _MESSAGE_KINDS) != 1:
            raise PydanticCustomError("not_one_kind", "{kinds}", {"kinds": ", ".join(_MESSAGE_KINDS)})
        return self

    @property
    def kind(self) -> str:
        return next(name for name in _MESSAGE_KINDS if getattr(self, name) is not None)

    @property
    def sent(self) -> Any:
        return getattr(self, self.kind)


class EarlierMessage(_CaseModel):
    """Message from before the case, of one side."""

    user: str | None = None
    assistant: str | None = None


class CaseContact(_CaseModel):
    """Known facts of the person. `plan` makes them a subscriber: a lookup key such as pro_month_mxn."""

    name: str | None = None
    email: str | None = None
    language: Language | None = None
    plan: str | None = None


class CasePlace(_CaseModel):
    """Place where a case begins; line and column count from 1."""

    path: Path = Path()
    line: int = 1
    column: int = 1


class Case(_CaseModel):
    """`now` is the clock of the business's time zone when the conversation takes place."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")
    about: str = ""
    tags: tuple[str, ...] = ()
    role: Role = "customer"
    contact: CaseContact = CaseContact()
    now: datetime = datetime(2026, 11, 24, 10, 0)  # noqa: DTZ001 - in the zone of the settings
    summary: str = ""
    memory: tuple[EarlierMessage, ...] = ()
    turns: tuple[CaseTurn, ...] = Field(min_length=1)
    place: CasePlace = Field(CasePlace(), exclude=True)

    @property
    def folder(self) -> Path:
        return self.place.path.parent

    def file(self, name: str) -> Path:
        """Path of a file that a turn names."""
        return self.folder / name

    @property
    def missing_files(self) -> list[str]:
        """Names of files that turns name and that can't be read."""
        media = (turn.sent for turn in self.turns if turn.kind in FILE_KINDS)
        return [name for name in media if isinstance(name, str) and not _is_readable(self.file(name))]


def _is_readable(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except OSError:  # such as a name that is too long
        return False


def read_cases(folder: Path) -> list[Case]:
    """Read all cases of PROMPTS_DIR in the order of their files. Raises CasesWrong with all mistakes."""
    wrong: list[CaseMistake] = []
    cases: list[Case] = []
    names: dict[str, Path] = {}
    paths = sorted((folder / CASES).glob("*.yaml"))
    for path in paths:
        for number, (raw, place) in enumerate(_entries(path, wrong), 1):
            try:
                case = Case.model_validate({**raw, "place": place} if isinstance(raw, dict) else raw)
            except ValidationError as error:
                where = raw.get("name") if isinstance(raw, dict) else None
                mistakes = (_field_problem(found) for found in error.errors())
                wrong += [CaseMistake(str(path), mistake, str(where or number)) for mistake in mistakes]
                continue
            if case.name in names:
                wrong.append(CaseMistake(str(path), problem("name taken", file=names[case.name]), case.name))
            names[case.name] = path
            cases.append(case)
    if not paths:
        wrong.append(CaseMistake(str(folder / CASES), problem("no cases")))
    if wrong:
        raise CasesWrong(wrong)
    return cases


def _entries(path: Path, wrong: list[CaseMistake]) -> list[tuple[Any, CasePlace]]:
    """Entries of a file, each with its place; mistakes are added to `wrong`."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            wrong.append(CaseMistake(str(path), problem("large file", most=_LARGEST_FILE)))
            return []
        text = path.read_text("utf-8-sig")
        node, found = plain_yaml.read(text, exact=True)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        why = getattr(error, "problem", None)
        wrong.append(CaseMistake(f"{path}{place}", problem("no yaml because", why=why) if why else problem("no yaml")))
        return []
    if not isinstance(node, yaml.SequenceNode):
        return [(found, CasePlace(path=path))]
    marks = (item.start_mark for item in node.value)
    places = (CasePlace(path=path, line=mark.line + 1, column=mark.column + 1) for mark in marks)
    return list(zip(found, places, strict=True))


def _field_problem(found: Any) -> CaseProblem:
    field, code = ".".join(map(str, found["loc"])), f"field {found['type']}"
    whole = problem(code if code in PROBLEMS else "field wrong", **found.get("ctx", {}))
    return CaseProblem(whole.code, {**whole.values, "field": f"{field}: " if field else ""})
