"""Failures of OpenRouter and its models: of one, so that the next one answers, or of all."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench.chaos.cases import Arm, FailureCase
from bench.chaos.in_process import ANSWER, InProcessRecado
from sandbox.simulators.openrouter import ScriptedAnswer, calls, fails, says

# More requests than any turn makes.
_ALWAYS = 12
_HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
_BODY = json.dumps({"model": "m", "choices": [{"message": {"content": ANSWER}}]})
_COMMENTS = ": OPENROUTER PROCESSING\n\n" * 3
_HALF = {"role": "assistant", "content": f"{ANSWER} Los sáb"}


def _inside(code: int) -> ScriptedAnswer:
    return ScriptedAnswer(body=json.dumps({"error": {"code": code, "message": "Provider returned error"}}))


# The failure, and the requests to a model before the next one is asked.
_FAILURES: dict[str, tuple[ScriptedAnswer, int]] = {
    "time-out": (ScriptedAnswer({"content": "tarde"}, delay=30), 1),
    "a body that drips": (ScriptedAnswer({"content": "tarde"}, drip=0.05), 1),
    "a cut body": (ScriptedAnswer({"content": "tarde"}, cut=True), 2),
    "HTML 502": (ScriptedAnswer(status=502, body=_HTML), 2),
    "HTML 200": (ScriptedAnswer(body=_HTML), 1),
    "401": (fails(401), 1),
    "402": (fails(402), 1),
    "408": (fails(408), 2),
    "429": (fails(429), 2),
    "429, Retry-After 0.2 s": (fails(429, Retry_After="0.2"), 2),
    "429, Retry-After beyond the deadline": (fails(429, Retry_After="60"), 1),
    "500": (fails(500), 2),
    "503, Retry-After beyond the deadline": (fails(503, Retry_After="60"), 1),
    "200 with an error 502 inside": (_inside(502), 2),
    "200 with an error 402 inside": (_inside(402), 1),
    "empty content": (says(""), 1),
    "arguments that are not JSON": (calls(("business_hours", '{"day": "mon')), 1),
    "arguments that are no object": (calls(("business_hours", "[1]")), 1),
    "content filter": (ScriptedAnswer({"content": "No"}, finish="content_filter"), 1),
    "length, nothing said yet": (ScriptedAnswer({"content": ""}, finish="length"), 1),
    "length, in the middle of a call": (calls(("send_link", '{"text": "Tu')), 1),
    "a tool that there is not, for ever": (calls(("sell_everything", {})), 7),
    "tool calls for ever": (calls(("business_hours", {})), 7),
}


def models_say(*answers: ScriptedAnswer, both: bool = False) -> Arm:
    """Let the default model answer so, or both models."""

    def arm(recado: InProcessRecado) -> None:
        recado.models.will(*answers, model=recado.default)
        if both:
            recado.models.will(*answers, model=recado.fallback)

    return arm


def _all() -> Iterator[FailureCase]:
    for failure, (answer, tries) in _FAILURES.items():
        always = [answer] * _ALWAYS
        asks = {"default": tries, "fallback": 1}
        yield FailureCase("OpenRouter", f"{failure}: the default model", models_say(*always), asks=asks)
    for failure, (answer, tries) in _FAILURES.items():
        # In the last round the next model gets one request.
        asks = {"default": tries, "fallback": 1 if tries == 7 else tries}
        arm = models_say(*[answer] * _ALWAYS, both=True)
        state = "failed: no model answered"
        yield FailureCase("OpenRouter", f"{failure}: all", arm, sees="no_answer", state=state, asks=asks, language="en")


def _good(name: str, answer: ScriptedAnswer) -> FailureCase:
    return FailureCase("OpenRouter", name, models_say(answer), asks={"default": 1})


_PASSING: dict[str, tuple[ScriptedAnswer, ...]] = {
    "a tool that there is not, once": (calls(("sell_everything", {})),),
    "arguments of wrong types, once": (calls(("offer_choices", {"text": 7, "choices": "x"})),),
    "arguments missing, once": (calls(("offer_choices", {})),),
    "500, once": (fails(500),),
}
OPENROUTER = (
    FailureCase(
        "OpenRouter",
        "connection refused",
        lambda recado: recado.proxies["OpenRouter"].block(),
        sees="no_answer",
        state="failed: no model answered",
    ),
    *_all(),
    *(FailureCase("OpenRouter", name, models_say(*answers), asks={"default": 2}) for name, answers in _PASSING.items()),
    _good("length, in the middle of a sentence", ScriptedAnswer(_HALF, finish="length")),
    _good("comment lines before the body", ScriptedAnswer(body=_COMMENTS + _BODY)),
)
