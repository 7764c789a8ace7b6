"""How OpenRouter and its models fail: one of them, so that the next one answers, or all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench.chaos.cases import Arm, Case
from bench.chaos.house import ANSWER, House
from sandbox.simulators.openrouter import Scripted, calls, fails, says

# More than any turn asks.
_ALWAYS = 12
_HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
_BODY = json.dumps({"model": "m", "choices": [{"message": {"content": ANSWER}}]})
_COMMENTS = ": OPENROUTER PROCESSING\n\n" * 3
_HALF = {"role": "assistant", "content": f"{ANSWER} Los sáb"}


def _inside(code: int) -> Scripted:
    return Scripted(body=json.dumps({"error": {"code": code, "message": "Provider returned error"}}))


# What goes wrong, and how often a model is asked before the next one is.
_FAILURES: dict[str, tuple[Scripted, int]] = {
    "time-out": (Scripted({"content": "tarde"}, delay=30), 1),
    "a body that drips": (Scripted({"content": "tarde"}, drip=0.05), 1),
    "a cut body": (Scripted({"content": "tarde"}, cut=True), 2),
    "HTML 502": (Scripted(status=502, body=_HTML), 2),
    "HTML 200": (Scripted(body=_HTML), 1),
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
    "content filter": (Scripted({"content": "No"}, finish="content_filter"), 1),
    "length, nothing said yet": (Scripted({"content": ""}, finish="length"), 1),
    "length, in the middle of a call": (calls(("send_link", '{"text": "Tu')), 1),
    "a tool that there is not, for ever": (calls(("sell_everything", {})), 7),
    "tool calls for ever": (calls(("business_hours", {})), 7),
}


def models_say(*answers: Scripted, both: bool = False) -> Arm:
    """Let the default model answer so, or both of them."""

    def arm(house: House) -> None:
        house.models.will(*answers, model=house.default)
        if both:
            house.models.will(*answers, model=house.fallback)

    return arm


def _all() -> Iterator[Case]:
    for failure, (answer, tries) in _FAILURES.items():
        always = [answer] * _ALWAYS
        asks = {"default": tries, "fallback": 1}
        yield Case("OpenRouter", f"{failure}: the default model", models_say(*always), asks=asks)
    for failure, (answer, tries) in _FAILURES.items():
        # In the last round the next model is asked, once.
        asks = {"default": tries, "fallback": 1 if tries == 7 else tries}
        arm = models_say(*[answer] * _ALWAYS, both=True)
        state = "failed: no model answered"
        yield Case("OpenRouter", f"{failure}: all", arm, sees="no_answer", state=state, asks=asks, language="en")


def _good(name: str, answer: Scripted) -> Case:
    return Case("OpenRouter", name, models_say(answer), asks={"default": 1})


_PASSING: dict[str, tuple[Scripted, ...]] = {
    "a tool that there is not, once": (calls(("sell_everything", {})),),
    "arguments of wrong types, once": (calls(("offer_choices", {"text": 7, "choices": "x"})),),
    "arguments missing, once": (calls(("offer_choices", {})),),
    "500, once": (fails(500),),
}
OPENROUTER = (
    Case(
        "OpenRouter",
        "connection refused",
        lambda house: house.doors["OpenRouter"].shut(),
        sees="no_answer",
        state="failed: no model answered",
    ),
    *_all(),
    *(Case("OpenRouter", name, models_say(*one), asks={"default": 2}) for name, one in _PASSING.items()),
    _good("length, in the middle of a sentence", Scripted(_HALF, finish="length")),
    _good("comment lines before the body", Scripted(body=_COMMENTS + _BODY)),
)
