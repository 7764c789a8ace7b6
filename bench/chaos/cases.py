"""One failure of one service outside: how it is brought about, who writes what, and what has to come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.chaos.house import ANSWER, DEADLINE_SECONDS, House
from bot.messages.language import Language
from bot.messages.phrases import phrase
from sandbox.meta.simulator import Person, Sent

MEDIA = Path(__file__).parents[2] / "fixtures" / "media"
QUESTION: dict[Language, str] = {
    "es": "Hola, ¿a qué hora abren mañana?",
    "en": "Hello, when do you open tomorrow?",
}
_PATIENCE_SECONDS = 90
Upstream = Literal["OpenRouter", "Whisper", "Vision", "Meta: files", "Meta: sending", "several at once"]
Arm = Callable[[House], Awaitable[None] | None]
# Gives the ids of what was written.
Send = Callable[[House, Person, Language], Awaitable[list[str]]]


async def text(house: House, person: Person, language: Language) -> list[str]:
    return [await house.meta.writes(person, {"type": "text", "text": {"body": QUESTION[language]}})]


async def voice(house: House, person: Person, _: Language) -> list[str]:
    return [await house.meta.sends_media(person, "audio", _bytes("voice/es_hola.ogg"), "audio/ogg; codecs=opus")]


async def photo(house: House, person: Person, _: Language) -> list[str]:
    return [await house.meta.sends_media(person, "image", _bytes("photos/nothing_on_it.jpg"), "image/jpeg")]


async def document(house: House, person: Person, _: Language) -> list[str]:
    return [await house.meta.sends_media(person, "document", _bytes("documents/note.txt"), "text/plain")]


def burst(*sends: Send) -> Send:
    """All of it in one notification: one turn."""

    async def send(house: House, person: Person, language: Language) -> list[str]:
        async with house.meta.batch():
            return [wamid for one in sends for wamid in await one(house, person, language)]

    return send


def _bytes(name: str) -> bytes:
    return (MEDIA / name).read_bytes()


@dataclass(frozen=True, slots=True)
class Case:
    """`sees`: the model's `answer`, a phrase's name, or `nothing`; `asks`: requests by who got them, a model or sense
    that isn't named got none; `late`: the answer can't be there by the deadline, because nobody takes it; `slow`: it
    takes long, and shows little that others don't.
    """

    upstream: Upstream
    failure: str
    arm: Arm
    send: Send = text
    sees: str = "answer"
    state: str = "answered"
    asks: Mapping[str, int] = field(default_factory=dict)
    uncounted: tuple[str, ...] = ()
    late: bool = False
    language: Language = "es"
    staff: bool = False
    slow: bool = False

    @property
    def words(self) -> str | None:
        """What the customer is to read in the end."""
        if self.sees == "nothing":
            return None
        return ANSWER if self.sees == "answer" else phrase(self.sees, self.language)


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a case; `seconds` until the last message to the customer, None where there was none."""

    case: Case
    replies: tuple[str, ...]
    seconds: float | None
    asked: Mapping[str, int]
    states: tuple[str, ...]
    typing: bool

    @property
    def still(self) -> int:
        """How often the customer was told that it takes longer."""
        return sum(text in _STILL for text in self.replies)

    @property
    def seen(self) -> str | None:
        """The answer."""
        others = [text for text in self.replies if text not in _STILL]
        return others[-1] if others else None

    @property
    def delays(self) -> list[str]:
        """The sentence that tells of an answer after the deadline, if there was one; a busy machine may cause it."""
        if self.seconds is None or self.case.late or self.seconds <= DEADLINE_SECONDS:
            return []
        return [f"answered after {self.seconds:.1f} s, the deadline is {DEADLINE_SECONDS} s"]

    @property
    def faults(self) -> list[str]:
        """Sentences about an answer, a state or requests that differ from the case's."""
        case = self.case
        found = []
        if self.seen != case.words:
            found.append(f"the customer read {self.seen!r} and not {case.words!r}")
        if len(self.replies) - self.still > (case.words is not None):
            found.append(f"the customer was answered more than once: {self.replies}")
        if self.still > 1 or (self.still and phrase("still_on_it", case.language) not in self.replies):
            found.append(f"“still on it” {self.still} times: {self.replies}")
        if self.states[-1] != case.state:
            found.append(f"ended {self.states[-1]!r} and not {case.state!r}")
        if not self.typing:
            found.append("nobody saw that an answer was being written")
        names = ({"default", "fallback", "whisper", "vision"} | set(case.asks)) - set(case.uncounted)
        wrong = {name: self.asked.get(name, 0) for name in names if self.asked.get(name, 0) != case.asks.get(name, 0)}
        if wrong:
            found.append(f"requests {wrong}, expected {dict(case.asks)}")
        return found


_STILL = tuple(phrase("still_on_it", language) for language in ("es", "en"))


async def play(house: House, case: Case) -> Row:
    """Let it go wrong, write, wait until all is over, and put things right again."""
    person = house.person(staff=case.staff)
    before, typed = house.asked, len(house.meta.typing)
    began = house.meta.clock()
    if (armed := case.arm(house)) is not None:
        await armed
    away = not house.doors["Meta"].is_open
    already = len(house.meta.sent_to(person))
    try:
        wamids = await case.send(house, person, case.language)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not (states := await house.ends(person, wamids)):
                await asyncio.sleep(0.1)
        replies: list[Sent] = house.meta.sent_to(person)[already:]
        seconds = (replies[-1].at - began).total_seconds() if replies else None
        shown = away or len(house.meta.typing) > typed
        return Row(case, tuple(one.text for one in replies), seconds, house.asked - before, tuple(states), shown)
    finally:
        await house.calm(models=case.upstream in ("OpenRouter", "several at once"))
