"""Failures of Meta: inbound (a file that can't be fetched) and outbound (a message that isn't accepted)."""

from __future__ import annotations

from bench.chaos.cases import Arm, FailureCase, Send, document
from bench.chaos.in_process import InProcessRecado
from bot.messages.language import Language
from sandbox.meta.faults import Call
from sandbox.meta.media import media_content
from sandbox.meta.simulator import Person

_ALWAYS = 20
_TOO_LARGE = bytes(33 * 1024 * 1024)


async def _gone(recado: InProcessRecado, person: Person, _: Language) -> list[str]:
    content = {"id": "1000000000000001", "mime_type": "text/plain", "filename": "nota.txt"}
    return [await recado.meta.writes(person, {"type": "document", "document": content})]


async def _wrong_hash(recado: InProcessRecado, person: Person, _: Language) -> list[str]:
    kept = recado.meta.media.receive(b"Quiero dos.", "text/plain")
    content = media_content(kept, "document", recado.meta.media.url(kept.id), None, "nota.txt")
    content |= {"sha256": recado.meta.media.receive(b"other bytes", "text/plain").sha256_base64}
    return [await recado.meta.writes(person, {"type": "document", "document": content})]


async def _large(recado: InProcessRecado, person: Person, _: Language) -> list[str]:
    return [await recado.meta.sends_media(person, "document", _TOO_LARGE, "application/pdf", filename="catálogo.pdf")]


def _refuses(call: Call, code: int, status: int, times: int = _ALWAYS) -> Arm:
    return lambda recado: recado.meta.will_refuse(code, status, times, call=call)


def _unread(failure: str, arm: Arm, *, send: Send = document, sees: str = "media_trouble", **asks: int) -> FailureCase:
    return FailureCase("Meta: files", failure, arm, send, sees, asks=asks)


def _read(failure: str, arm: Arm, *, send: Send = document, **asks: int) -> FailureCase:
    return FailureCase("Meta: files", failure, arm, send, asks={"default": 1} | asks)


def _nothing(_: InProcessRecado) -> None:
    """No fault, because the failure is in the message itself."""


FILES = (
    _unread("gone", _nothing, send=_gone, media=1, download=0),
    _unread("its link has run out", _refuses("download", 100, 404), media=2, download=2),
    _read("its link has run out, once", _refuses("download", 100, 404, 1), media=2, download=2),
    _unread("500 instead of its link", _refuses("media", 131000, 500), media=3, download=0),
    _unread("500 instead of its bytes", _refuses("download", 131000, 500), media=3, download=3),
    _read("500 instead of its bytes, once", _refuses("download", 131000, 500, 1), media=2, download=2),
    _unread("too many requests", _refuses("media", 130429, 429), media=3, download=0),
    _unread("a token that ran out", _refuses("media", 190, 401), media=1, download=0),
    _unread(
        "its bytes don't come", lambda recado: recado.meta.will_delay(30, _ALWAYS, "download"), media=1, download=1
    ),
    _unread("its bytes break off", lambda recado: recado.meta.will_drop(_ALWAYS, "download"), media=3, download=3),
    _read("its bytes break off, once", lambda recado: recado.meta.will_drop(1, "download"), media=2, download=2),
    _read("a wrong hash", _nothing, send=_wrong_hash, media=2, download=2),
    _unread("too large", _nothing, send=_large, sees="media_large", media=1),
)


async def meta_unreachable_for_a_while(recado: InProcessRecado) -> None:
    await recado.proxies["Meta"].block()
    recado.run_later(0.5, recado.proxies["Meta"].open())


async def meta_unreachable_beyond_the_deadline(recado: InProcessRecado) -> None:
    await recado.proxies["Meta"].block()
    recado.run_later(6.5, recado.proxies["Meta"].open())


def _sent(failure: str, arm: Arm, messages: int, *, sees: str = "answer", late: bool = False) -> FailureCase:
    return FailureCase("Meta: sending", failure, arm, sees=sees, asks={"default": 1, "messages": messages}, late=late)


SENDING = (
    _sent("connection refused for 0.5 s", meta_unreachable_for_a_while, 1),
    _sent("taken, and the answer lost", lambda recado: recado.meta.will_drop(), 1),
    _sent("503 with Meta's envelope", _refuses("messages", 131016, 503, 1), 2),
    # It is unknown whether Meta accepted the message; a status would tell within 8 s.
    _sent("HTML 502", lambda recado: recado.meta.will_html_502(), 2, late=True),
    _sent("try again (131000)", _refuses("messages", 131000, 500, 1), 2),
    _sent("too much for one person (131056)", _refuses("messages", 131056, 400, 1), 2),
    _sent("too much for the number (130429)", _refuses("messages", 130429, 400, 1), 2),
    _sent("the 24 hours are over (131047)", _refuses("messages", 131047, 400, 1), 1, sees="nothing"),
    _sent("the token ran out (190)", _refuses("messages", 190, 401, 1), 2),
    _sent("never (131026)", _refuses("messages", 131026, 400, 1), 1, sees="nothing"),
)
