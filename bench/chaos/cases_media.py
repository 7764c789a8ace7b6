"""Failures of Whisper and Google Vision: a voice note without transcript, a photo without text."""

from __future__ import annotations

import json

from bench.chaos.cases import Arm, FailureCase, photo, voice
from sandbox.simulators.vision import VisionFault
from sandbox.simulators.whisper import ScriptedTranscription

_ALWAYS = 20
_HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
_TEXT = json.dumps({"text": "Hola, quiero saber a qué hora abren.", "language": "spanish"})


def _error(status: int, **headers: str) -> ScriptedTranscription:
    body = json.dumps({"error": {"message": "as ordered", "type": "server_error"}})
    return ScriptedTranscription(
        status, body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def _transcribed(*answers: ScriptedTranscription) -> Arm:
    return lambda recado: recado.whisper.will(*answers)


def _photo_read(*faults: VisionFault) -> Arm:
    return lambda recado: recado.vision.will(*faults)


def _untranscribed(failure: str, answer: ScriptedTranscription, tries: int, sees: str = "media_trouble") -> FailureCase:
    """Whisper always answers so: the person gets advice, and no model is asked."""
    return FailureCase("Whisper", failure, _transcribed(*[answer] * _ALWAYS), voice, sees, asks={"whisper": tries})


def _transcribed_at_last(failure: str, *answers: ScriptedTranscription) -> FailureCase:
    asks = {"whisper": len(answers) + 1, "default": 1}
    return FailureCase("Whisper", failure, _transcribed(*answers, ScriptedTranscription(body=_TEXT)), voice, asks=asks)


WHISPER = (
    FailureCase(
        "Whisper", "connection refused", lambda recado: recado.proxies["Whisper"].block(), voice, "media_trouble"
    ),
    _untranscribed("time-out", ScriptedTranscription(delay=30), 1),
    _untranscribed("a body that drips", ScriptedTranscription(body=_TEXT, drip=0.5), 1),
    _untranscribed("a cut connection", ScriptedTranscription(cut=True), 3),
    _untranscribed("401", _error(401), 1),
    _untranscribed("413", _error(413), 1),
    _untranscribed("429", _error(429), 3),
    _untranscribed("429, Retry-After 0.1 s", _error(429, Retry_After="0.1"), 3),
    _untranscribed("429, Retry-After beyond the deadline", _error(429, Retry_After="60"), 1),
    _untranscribed("500", _error(500), 3),
    _untranscribed("HTML 502", ScriptedTranscription(502, _HTML, "text/html"), 3),
    _untranscribed("HTML 200", ScriptedTranscription(200, _HTML, "text/html"), 3),
    _untranscribed("broken JSON", ScriptedTranscription(200, '{"text": "Ho'), 3),
    _untranscribed("empty text", ScriptedTranscription(200, '{"text": ""}'), 1, "voice_unintelligible"),
    _transcribed_at_last("429, Retry-After 0.1 s, once", _error(429, Retry_After="0.1")),
    _transcribed_at_last("503, once", _error(503)),
    _transcribed_at_last("a cut connection, once", ScriptedTranscription(cut=True)),
)


def _photo_unread(failure: str, fault: VisionFault, tries: int | None, *, slow: bool = False) -> FailureCase:
    """Vision always fails so; without `tries`, as often as the time allows."""
    uncounted = ("vision",) if tries is None else ()
    asks = {} if tries is None else {"vision": tries}
    arm = _photo_read(*[fault] * _ALWAYS)
    return FailureCase("Vision", failure, arm, photo, "media_trouble", asks=asks, uncounted=uncounted, slow=slow)


def _photo_read_at_last(failure: str, *faults: VisionFault) -> FailureCase:
    asks = {"vision": len(faults) + 1, "default": 1}
    return FailureCase("Vision", failure, _photo_read(*faults, VisionFault(empty=True)), photo, asks=asks)


_PASSING = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
_LASTING = ("PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT")
VISION = (
    *(_photo_unread(status, VisionFault(status), None, slow=status != "UNAVAILABLE") for status in _PASSING),
    *(_photo_read_at_last(f"{status}, once", VisionFault(status)) for status in _PASSING),
    *(_photo_unread(status, VisionFault(status), 1) for status in _LASTING),
    _photo_unread("no answer in time", VisionFault(seconds=30), 1),
    _photo_unread("PERMISSION_DENIED inside a success", VisionFault(code=7), 1),
    _photo_unread("UNAVAILABLE inside a success", VisionFault(code=14), 1),
    _photo_read_at_last("nothing on it"),
    # The last case, because gRPC takes a while to reconnect.
    FailureCase(
        "Vision", "connection refused", lambda recado: recado.proxies["Vision"].block(), photo, "media_trouble"
    ),
)
