"""The business as its operator describes it in `_business.md`: name, opening hours, facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from bot import pages
from bot.prompting.files import PromptFile
from bot.prompting.findings import Finding

FILE = "_business.md"
_LONGEST_SHOWN = 60
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RANGE = re.compile(r"^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$")


@dataclass(frozen=True, slots=True)
class Business:
    """`hours` has one list of (from, to) for each weekday, Monday first; `closed` are days off."""

    name: str
    hours: tuple[tuple[tuple[time, time], ...], ...]
    closed: frozenset[date]
    facts: str

    def open_at(self, moment: datetime) -> bool:
        return any(start <= moment.time() < end for start, end in self._on(moment.date()))

    def next_opening(self, moment: datetime) -> datetime | None:
        """When it opens next, within two weeks; None when it doesn't."""
        for days in range(15):
            day = moment.date() + timedelta(days=days)
            for start, _ in self._on(day):
                opening = datetime.combine(day, start, moment.tzinfo)
                if opening > moment:
                    return opening
        return None

    def gives(self, url: str) -> bool:
        """Whether the facts name this page, or one above it; also below their host, such as www."""
        return pages.gives(self.facts, url)

    def _on(self, day: date) -> tuple[tuple[time, time], ...]:
        return () if day in self.closed else self.hours[day.weekday()]


def business_of(file: PromptFile, facts: str) -> Business:
    """What the front matter of `_business.md` says, once `mistakes` finds nothing in it."""
    hours, closed = file.front["hours"], file.front.get("closed") or []
    return Business(
        name=name_in(file),
        hours=tuple(_ranges(hours.get(day)) for day in _DAYS),
        closed=frozenset(_date(value) for value in _listed(closed)),
        facts=facts,
    )


def name_in(file: PromptFile) -> str:
    return str(file.front.get("name") or "")


def mistakes(file: PromptFile) -> Iterator[Finding]:
    """Where an hour or a date can't be understood."""
    hours = file.front.get("hours")
    if not isinstance(hours, dict):
        fix = "expected lines such as `monday: 9:00-19:00`"
        yield _wrong(file, ("hours",), "hours are missing", fix)
    else:
        for day, value in hours.items():
            if day not in _DAYS:
                yield _wrong(file, ("hours", str(day)), f"{_shown(day)} is no day", "write monday … sunday")
            elif _fails(_ranges, value):
                fix = "expected 9:00-14:00, 16:00-19:00, each within one day, or cerrado"
                yield _wrong(file, ("hours", day), f"{day}: {_shown(value)} is not a time", fix)
    closed = file.front.get("closed") or []
    for number, value in enumerate(_listed(closed)):
        if _fails(_date, value):
            fix = "expected lines such as `- 2026-12-25`"
            yield _wrong(file, ("closed", number), f"closed: {_shown(value)} is not a date", fix)


def _wrong(file: PromptFile, place: tuple[str | int, ...], problem: str, fix: str) -> Finding:
    return Finding(file.name, *file.place(*place), "bad-business", problem, fix)


def _shown(value: Any) -> str:
    """A value as it is written, where it is short; YAML can make the others endless."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a group of lines"
    return repr(value) if len(str(value)) <= _LONGEST_SHOWN else "this"


def _fails(read: Any, value: Any) -> bool:
    try:
        read(value)
    except ValueError:
        return True
    return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _ranges(value: Any) -> tuple[tuple[time, time], ...]:
    if value in (None, False, "closed", "cerrado"):
        return ()
    if not isinstance(value, str):
        raise ValueError(type(value))  # noqa: TRY004 - what is written is wrong, not our call
    return tuple(_range(part.strip()) for part in value.split(","))


def _range(text: str) -> tuple[time, time]:
    found = _RANGE.match(text)
    if not found:
        raise ValueError(text)
    first_hour, first_minute, last_hour, last_minute = (int(piece) for piece in found.groups())
    end = time.max if (last_hour, last_minute) == (24, 0) else time(last_hour, last_minute)
    start = time(first_hour, first_minute)
    if start >= end:
        raise ValueError(text)
    return start, end


def _date(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError(type(value))  # noqa: TRY004 - as above
    return date.fromisoformat(value)
