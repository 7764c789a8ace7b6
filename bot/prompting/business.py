"""The business as its operator describes it in `_business.md`: name, opening hours, facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.prompting.files import PromptWrong
from bot.prompting.prompts import Prompts

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# An address of a page as people write it, with or without its scheme; not the domain of an e-mail address.
_PAGE = re.compile(r"(?<![@\w.-])(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:/[^\s<>()\[\]\"'*]*)?", re.IGNORECASE)
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
        return any(_below(url, page[0].rstrip(".,;:!?")) for page in _PAGE.finditer(self.facts))

    def _on(self, day: date) -> tuple[tuple[time, time], ...]:
        return () if day in self.closed else self.hours[day.weekday()]


def business_of(prompts: Prompts) -> Business:
    """Read the partial `_business.md`; raises PromptWrong where an hour or a date can't be understood."""
    front = prompts.front("_business")
    hours = front.get("hours")
    if not isinstance(hours, dict):
        raise _wrong(prompts, "hours are missing; expected lines such as `monday: 9:00-19:00`", "hours")
    unknown = sorted(str(day) for day in set(hours) - set(_DAYS))
    if unknown:
        raise _wrong(prompts, f"{unknown[0]!r} is no day; write monday … sunday", unknown[0])
    name = str(front.get("name") or "")
    closed = front.get("closed") or []
    return Business(
        name=name,
        hours=tuple(_ranges(prompts, day, hours.get(day)) for day in _DAYS),
        closed=frozenset(_date(prompts, value) for value in (closed if isinstance(closed, list) else [closed])),
        facts=prompts.render("_business", {"business": {"name": name}}).text,
    )


def _below(url: str, page: str) -> bool:
    asked, given = urlsplit(url), urlsplit(page if "://" in page else f"//{page}")
    host, known = asked.hostname or "", given.hostname or ""
    path = given.path.rstrip("/")
    return (
        asked.username is None
        and (given.scheme in ("", asked.scheme) or asked.scheme == "https")
        and asked.port == given.port
        and (host == known or host.endswith(f".{known}"))
        and (asked.path == path or asked.path.startswith(f"{path}/"))
    )


def _ranges(prompts: Prompts, day: str, value: Any) -> tuple[tuple[time, time], ...]:
    if value in (None, False, "closed", "cerrado"):
        return ()
    try:
        return tuple(_range(part.strip()) for part in str(value).split(","))
    except ValueError as error:
        problem = f"{day}: {value!r} is not a time; expected 9:00-14:00, 16:00-19:00, each within one day"
        raise _wrong(prompts, problem, day) from error


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


def _date(prompts: Prompts, value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        problem = f"closed: {value!r} is not a date; expected lines such as `- 2026-12-25`"
        raise _wrong(prompts, problem, str(value), "closed") from error


def _wrong(prompts: Prompts, problem: str, *words: str) -> PromptWrong:
    """With the line that starts with the first of these words that any line starts with."""
    path = prompts.path("_business")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    starts = (number for word in words for number, text in enumerate(lines, 1) if text.lstrip(" -").startswith(word))
    return PromptWrong(path, next(starts, 1), problem)
