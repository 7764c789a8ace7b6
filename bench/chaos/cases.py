"""A failure of an outside service: its cause, the messages sent, and the expected result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.chaos.in_process import ANSWER, DEADLINE_SECONDS, InProcessRecado
from bot.messages.language import Language
from bot.messages.phrases import phrase
from sandbox.meta.simulator import Person, SentMessage

MEDIA = Path(__file__).parents[2] / "fixtures" / "media"
QUESTION: dict[Language, str] = {
    "es": "Hola, ¿a qué hora abren mañana?",
    "en": "Hello, when do you open tomorrow?",
}
_PATIENCE_SECONDS = 90
Upstream = Literal["OpenRouter", "Whisper", "Vision", "Meta: files", "Meta: sending", "several at once"]
Arm = Callable[[InProcessRecado], Awaitable[None] | None]
# Gives the ids of the sent messages.
Send = Callable[[InProcessRecado, Person, Language], Awaitable[list[str]]]


async def text(recado: InProcessRecado, person: Person, language: Language) -> list[str]:
    return [await recado.meta.writes(person, {"type": "text", "text": {"body": QUESTION[language]}})]


async def voice(recado: InProcessRecado, person: Person, _: Language) -> list[str]:
    return [await recado.meta.sends_media(person, "audio", _bytes("voice/es_hola.ogg"), "audio/ogg; codecs=opus")]


async def photo(recado: InProcessRecado, person: Person, _: Language) -> list[str]:
    return [await recado.meta.sends_media(person, "image", _bytes("photos/nothing_on_it.jpg"), "image/jpeg")]


async def document(recado: InProcessRecado, person: Person, _: Language) -> list[str]:
    return [await recado.meta.sends_media(person, "document", _bytes("documents/note.txt"), "text/plain")]


def burst(*sends: Send) -> Send:
    """All messages in one notification, for one turn."""

    async def send(recado: InProcessRecado, person: Person, language: Language) -> list[str]:
        async with recado.meta.batch():
            return [wamid for send in sends for wamid in await send(recado, person, language)]

    return send


def _bytes(name: str) -> bytes:
    return (MEDIA / name).read_bytes()


@dataclass(frozen=True, slots=True)
class FailureCase:
    """`sees` is the model's `answer`, a phrase's name, or `nothing`; `asks` counts requests by model or media reader.

    Names missing in `asks` get no request. `late`: the answer can't arrive by the deadline, because nobody takes it.
    `slow`: the case takes long, and shows little that others don't.
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
        """The text that the customer reads in the end."""
        if self.sees == "nothing":
            return None
        return ANSWER if self.sees == "answer" else phrase(self.sees, self.language)


@dataclass(frozen=True, slots=True)
class FailureRow:
    """The result of a case; `seconds` until the last message to the customer, None without a message."""

    case: FailureCase
    replies: tuple[str, ...]
    seconds: float | None
    asked: Mapping[str, int]
    states: tuple[str, ...]
    marked_as_read: bool

    @property
    def delay_notices(self) -> int:
        """The number of messages that announce a delay."""
        return sum(text in _STILL for text in self.replies)

    @property
    def seen(self) -> str | None:
        """The answer."""
        others = [text for text in self.replies if text not in _STILL]
        return others[-1] if others else None

    @property
    def late_answer_faults(self) -> list[str]:
        """Faults in the announcement of a late answer; a busy machine may cause it."""
        if self.seconds is None or self.case.late or self.seconds <= DEADLINE_SECONDS:
            return []
        return [f"answered after {self.seconds:.1f} s, the deadline is {DEADLINE_SECONDS} s"]

    @property
    def faults(self) -> list[str]:
        """Differences from the case in the answer, a state or the requests, as sentences."""
        case = self.case
        found = []
        if self.seen != case.words:
            found.append(f"the customer read {self.seen!r} and not {case.words!r}")
        if len(self.replies) - self.delay_notices > (case.words is not None):
            found.append(f"the customer was answered more than once: {self.replies}")
        if self.delay_notices > 1 or (self.delay_notices and phrase("still_on_it", case.language) not in self.replies):
            found.append(f"“still on it” {self.delay_notices} times: {self.replies}")
        if self.states[-1] != case.state:
            found.append(f"ended {self.states[-1]!r} and not {case.state!r}")
        if not self.marked_as_read:
            found.append("nobody saw that the message was read")
        names = ({"default", "fallback", "whisper", "vision"} | set(case.asks)) - set(case.uncounted)
        wrong = {name: self.asked.get(name, 0) for name in names if self.asked.get(name, 0) != case.asks.get(name, 0)}
        if wrong:
            found.append(f"requests {wrong}, expected {dict(case.asks)}")
        return found


_STILL = tuple(phrase("still_on_it", language) for language in ("es", "en"))


async def play(recado: InProcessRecado, case: FailureCase) -> FailureRow:
    """Cause the failure, write, wait until all is over, and repair everything."""
    person = recado.person(staff=case.staff)
    before, marks = recado.request_counts, len(recado.meta.read_marks)
    began = recado.meta.clock()
    if (armed := case.arm(recado)) is not None:
        await armed
    away = not recado.proxies["Meta"].is_open
    already = len(recado.meta.sent_to(person))
    try:
        wamids = await case.send(recado, person, case.language)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not (states := await recado.end_states(person, wamids)):
                await asyncio.sleep(0.1)
        replies: list[SentMessage] = recado.meta.sent_to(person)[already:]
        seconds = (replies[-1].at - began).total_seconds() if replies else None
        with suppress(TimeoutError):
            # An answer that is ready in a moment leaves beside the read mark, which may come later.
            await recado.meta.wait_for(lambda: away or len(recado.meta.read_marks) > marks)
        return FailureRow(
            case,
            tuple(reply.text for reply in replies),
            seconds,
            recado.request_counts - before,
            tuple(states),
            away or len(recado.meta.read_marks) > marks,
        )
    finally:
        await recado.restore(models=case.upstream in ("OpenRouter", "several at once"))
