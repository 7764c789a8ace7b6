"""How Whisper and Google Vision fail: a voice note that nobody hears, a photo that nobody reads."""

from __future__ import annotations

import json

from bench.chaos.cases import Arm, Case, photo, voice
from sandbox.simulators.vision import Fault
from sandbox.simulators.whisper import Answer

_ALWAYS = 20
_HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
_TEXT = json.dumps({"text": "Hola, quiero saber a qué hora abren.", "language": "spanish"})


def _error(status: int, **headers: str) -> Answer:
    body = json.dumps({"error": {"message": "as ordered", "type": "server_error"}})
    return Answer(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def _heard(*answers: Answer) -> Arm:
    return lambda house: house.whisper.will(*answers)


def _seen(*faults: Fault) -> Arm:
    return lambda house: house.vision.will(*faults)


def _unheard(failure: str, answer: Answer, tries: int, sees: str = "media_trouble") -> Case:
    """Whisper always answers so: the person is told what to do, and no model is asked."""
    return Case("Whisper", failure, _heard(*[answer] * _ALWAYS), voice, sees, asks={"whisper": tries})


def _heard_at_last(failure: str, *answers: Answer) -> Case:
    asks = {"whisper": len(answers) + 1, "default": 1}
    return Case("Whisper", failure, _heard(*answers, Answer(body=_TEXT)), voice, asks=asks)


WHISPER = (
    Case("Whisper", "connection refused", lambda house: house.doors["Whisper"].shut(), voice, "media_trouble"),
    _unheard("time-out", Answer(delay=30), 1),
    _unheard("a body that drips", Answer(body=_TEXT, drip=0.5), 1),
    _unheard("a cut connection", Answer(cut=True), 3),
    _unheard("401", _error(401), 1),
    _unheard("413", _error(413), 1),
    _unheard("429", _error(429), 3),
    _unheard("429, Retry-After 0.1 s", _error(429, Retry_After="0.1"), 3),
    _unheard("429, Retry-After beyond the deadline", _error(429, Retry_After="60"), 1),
    _unheard("500", _error(500), 3),
    _unheard("HTML 502", Answer(502, _HTML, "text/html"), 3),
    _unheard("HTML 200", Answer(200, _HTML, "text/html"), 3),
    _unheard("broken JSON", Answer(200, '{"text": "Ho'), 3),
    _unheard("empty text", Answer(200, '{"text": ""}'), 1, "voice_unintelligible"),
    _heard_at_last("429, Retry-After 0.1 s, once", _error(429, Retry_After="0.1")),
    _heard_at_last("503, once", _error(503)),
    _heard_at_last("a cut connection, once", Answer(cut=True)),
)


def _unseen(failure: str, fault: Fault, tries: int | None, *, slow: bool = False) -> Case:
    """Vision always fails so; without `tries`, as often as the time allows."""
    uncounted = ("vision",) if tries is None else ()
    asks = {} if tries is None else {"vision": tries}
    arm = _seen(*[fault] * _ALWAYS)
    return Case("Vision", failure, arm, photo, "media_trouble", asks=asks, uncounted=uncounted, slow=slow)


def _seen_at_last(failure: str, *faults: Fault) -> Case:
    asks = {"vision": len(faults) + 1, "default": 1}
    return Case("Vision", failure, _seen(*faults, Fault(empty=True)), photo, asks=asks)


_PASSING = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
_LASTING = ("PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT")
VISION = (
    *(_unseen(status, Fault(status), None, slow=status != "UNAVAILABLE") for status in _PASSING),
    *(_seen_at_last(f"{status}, once", Fault(status)) for status in _PASSING),
    *(_unseen(status, Fault(status), 1) for status in _LASTING),
    _unseen("no answer in time", Fault(seconds=30), 1),
    _unseen("PERMISSION_DENIED inside a success", Fault(code=7), 1),
    _unseen("UNAVAILABLE inside a success", Fault(code=14), 1),
    _seen_at_last("nothing on it"),
    # The last, because gRPC takes a while to knock again.
    Case("Vision", "connection refused", lambda house: house.doors["Vision"].shut(), photo, "media_trouble"),
)
