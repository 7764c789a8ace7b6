"""Business profile in `_business.md`: name, opening hours, facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.infra.plain_yaml import is_nothing
from bot.messages import links
from bot.prompting.diagnostics import Diagnostic
from bot.prompting.files import PromptFile

FILE = "_business.md"
_LONGEST_SHOWN = 60
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Operators and their phones write hours as 9:00-19:00, 09.00 – 19.00 h, de 9:00 a.m. a 7:00 p.m., 9am—7pm.
_TIME = r"(\d{1,2})(?:[:.h](\d{2}))? ?(?:([ap])(?:\.? ?m\.?)|(h)(?:s|rs?|oras)?\.?)?"
_RANGE = re.compile(rf"(?:de |from )?(?:las )?{_TIME} ?(?:[-‐‑‒–—―−~]|\ba\b|\bto\b|\bhasta\b) ?(?:las )?{_TIME}")
_BETWEEN_RANGES = re.compile(r" ?[,;/] ?| (?:y|and) ")
_QUOTES = str.maketrans("", "", "\"'“”«»‘’")
_CLOSED = ("", "closed", "cerrado", "cerrada", "cerramos", "no", "off", "false", "null", "~")
_NOON, _MIDNIGHT = 12, (24, 0)


@dataclass(frozen=True, slots=True)
class Business:
    """`hours` holds a list of (from, to) for each weekday, Monday first; `closed` holds days off."""

    name: str
    hours: tuple[tuple[tuple[time, time], ...], ...]
    closed: frozenset[date]
    facts: str

    def open_at(self, moment: datetime) -> bool:
        return any(start <= moment.time() < end for start, end in self._hours_on(moment.date()))

    def next_opening(self, moment: datetime) -> datetime | None:
        """Next opening within two weeks; None if there is none."""
        for days in range(15):
            day = moment.date() + timedelta(days=days)
            for start, _ in self._hours_on(day):
                opening = datetime.combine(day, start, moment.tzinfo)
                if opening > moment:
                    return opening
        return None

    def gives(self, url: str) -> bool:
        """Whether the facts name this page or a page above it, on their host or a host below, such as www."""
        return links.gives(self.facts, url)

    def _hours_on(self, day: date) -> tuple[tuple[time, time], ...]:
        return () if day in self.closed else self.hours[day.weekday()]


def business_of(file: PromptFile, facts: str) -> Business:
    """Read the front matter of `_business.md`, in which `profile_diagnostics` has found nothing."""
    hours = {str(day).lower(): value for day, value in file.front_matter["hours"].items()}
    return Business(
        name=name_in(file),
        hours=tuple(_ranges(hours.get(day)) for day in _DAYS),
        closed=frozenset(_date(value) for value in _as_list(file.front_matter.get("closed"))),
        facts=facts,
    )


def name_in(file: PromptFile) -> str:
    return str(file.front_matter.get("name") or "")


def profile_diagnostics(file: PromptFile) -> Iterator[Diagnostic]:
    """Diagnostics of names, hours and dates that can't be understood."""
    if isinstance(file.front_matter.get("name"), (list, dict)):
        problem = f"name: {_quoted(file.front_matter['name'])} is not a name"
        yield _diagnostic(file, ("name",), problem, "put it between quotes", "name")
    hours = file.front_matter.get("hours")
    if not isinstance(hours, dict):
        fix = "expected lines such as `monday: 9:00-19:00`"
        yield _diagnostic(file, ("hours",), "hours are missing", fix, "hours")
    else:
        for day, value in hours.items():
            if str(day).lower() not in _DAYS:
                problem, fix = f"{_quoted(day)} is no day", "write monday … sunday"
                yield _diagnostic(file, ("hours", str(day)), problem, fix, _shown(day))
            elif _fails(_ranges, value):
                fix = "expected 9:00-14:00, 16:00-19:00 or 9:00 am - 7:00 pm, each within one day, or cerrado"
                yield _diagnostic(
                    file, ("hours", day), f"{day}: {_quoted(value)} is not a time", fix, f"{day}: {_shown(value)}"
                )
    for number, value in enumerate(_as_list(file.front_matter.get("closed"))):
        if _fails(_date, value):
            fix = "expected lines such as `- 2026-12-25`"
            yield _diagnostic(
                file, ("closed", number), f"closed: {_quoted(value)} is not a date", fix, f"closed: {_shown(value)}"
            )


def _diagnostic(file: PromptFile, place: tuple[str | int, ...], problem: str, fix: str, about: str) -> Diagnostic:
    return Diagnostic(file.name, *file.place(*place), "bad-business", problem, fix, about)


def _shown(value: Any) -> str:
    """A short value as it stands in the file; nothing for any other."""
    return "" if isinstance(value, (list, dict)) or len(str(value)) > _LONGEST_SHOWN else str(value)


def _quoted(value: Any) -> str:
    """Quote a short value; because YAML can make endless ones, the others are only described."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a group of lines"
    return repr(value) if len(str(value)) <= _LONGEST_SHOWN else "this"


def _fails(read: Any, value: Any) -> bool:
    try:
        read(value)
    except ValueError:
        return True
    return False


def _as_list(value: Any) -> list[Any]:
    if is_nothing(value):
        return []
    return value if isinstance(value, list) else [value]


def _ranges(value: Any) -> tuple[tuple[time, time], ...]:
    if value is None:
        return ()
    if not isinstance(value, str):
        raise ValueError(type(value))  # noqa: TRY004 - the text is wrong, not the caller
    written = " ".join(value.translate(_QUOTES).casefold().split())
    if written.rstrip(".!") in _CLOSED:
        return ()
    return tuple(_range(part) for part in _BETWEEN_RANGES.split(written))


def _range(text: str) -> tuple[time, time]:
    found = _RANGE.fullmatch(text)
    if not found:
        raise ValueError(text)
    first, last = found.groups()[:4], found.groups()[4:]
    if (first[2] is None) != (last[2] is None):
        # Because 9:00-7:00 pm may begin in the morning or in the evening, it is refused.
        raise ValueError(text)
    end = time.max if _clock(*last) == _MIDNIGHT else time(*_clock(*last))
    start = time(*_clock(*first))
    if start >= end:
        raise ValueError(text)
    return start, end


def _clock(hour: str, minute: str | None, half: str | None, word: str | None) -> tuple[int, int]:
    """Hour and minute; because 9 alone could mean morning or evening, it is refused."""
    if not (minute or half or word):
        raise ValueError(hour)
    number = int(hour)
    if half:
        if not 1 <= number <= _NOON:
            raise ValueError(hour)
        number = number % _NOON + (_NOON if half == "p" else 0)
    return number, int(minute or 0)


def _date(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError(type(value))  # noqa: TRY004 - as above
    return date.fromisoformat(value.strip())
