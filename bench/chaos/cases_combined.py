"""Failures that meet in one turn, and models that may run until the deadline: the use of the turn's seconds."""

from __future__ import annotations

from bench.chaos.cases import FailureCase, burst, document, text, voice
from bench.chaos.cases_meta import meta_unreachable_beyond_the_deadline
from bench.chaos.in_process import ANSWER, InProcessRecado
from sandbox.simulators.openrouter import ScriptedAnswer, calls, fails
from sandbox.simulators.whisper import ScriptedTranscription

LONG_TIMES = {"LLM_TIMEOUT_SECONDS": "30"}
_FAILED = "failed: no model answered"
_ORDER = {"name": "Luis", "order": "A-1", "total": "$10"}
_SEND = calls(
    ("send_template", {"to": "5215500000001", "template": "order_confirmation", "parameters": _ORDER}),
)


def _answers_after(seconds: float) -> ScriptedAnswer:
    return ScriptedAnswer({"role": "assistant", "content": ANSWER}, delay=seconds)


def _whisper_hangs(recado: InProcessRecado) -> None:
    recado.whisper.will(*[ScriptedTranscription(delay=30)] * 3)


def _whisper_and_models_hang(recado: InProcessRecado) -> None:
    _whisper_hangs(recado)
    recado.models.will(*[_answers_after(30)] * 3)


def _whisper_and_one_model_hang(recado: InProcessRecado) -> None:
    _whisper_hangs(recado)
    recado.models.will(_answers_after(30), model=recado.default)


def _whisper_hangs_and_the_model_is_slow(recado: InProcessRecado) -> None:
    _whisper_hangs(recado)
    recado.models.will(_answers_after(0.3), model=recado.default)


def _whisper_is_slow_and_models_hang(recado: InProcessRecado) -> None:
    recado.whisper.will(ScriptedTranscription(delay=2, body='{"text": "Hola, quiero saber a qué hora abren."}'))
    recado.models.will(*[_answers_after(30)] * 3)


def _one_model_hangs_in_every_round(recado: InProcessRecado) -> None:
    recado.models.will(*[_answers_after(30)] * 3, model=recado.default)
    recado.models.will(calls(("business_hours", {})), calls(("business_hours", {})), model=recado.fallback)


def _all_models_want_patience(recado: InProcessRecado) -> None:
    recado.models.will(*[fails(429, Retry_After="30")] * 4)


def _one_file_is_gone(recado: InProcessRecado) -> None:
    recado.meta.will_refuse(100, call="media")


async def _the_tool_hangs(recado: InProcessRecado) -> None:
    await _forget_templates(recado)
    recado.meta.will_delay(30, 9, "templates")
    recado.models.will(_SEND, model=recado.default)


async def _forget_templates(recado: InProcessRecado) -> None:
    names = [name async for name in recado.redis.scan_iter("recado:{templates}*")]
    if names:
        await recado.redis.delete(*names)


def _the_tool_acts_and_models_fail(recado: InProcessRecado) -> None:
    recado.models.will(_SEND, fails(402), model=recado.default)
    recado.models.will(fails(402), model=recado.fallback)


async def _the_model_is_slow_and_meta_away(recado: InProcessRecado) -> None:
    recado.models.will(_answers_after(1.4), model=recado.default)
    await meta_unreachable_beyond_the_deadline(recado)


TOGETHER = (
    FailureCase(
        "several at once",
        "models think until the deadline",
        lambda recado: recado.models.will(*[_answers_after(30)] * 3),
        sees="no_answer",
        state=_FAILED,
        asks={"default": 1, "fallback": 1},
        language="en",
    ),
    FailureCase(
        "several at once",
        "the default model hangs, and the next one calls tools in two rounds",
        _one_model_hangs_in_every_round,
        asks={"default": 1, "fallback": 3},
    ),
    FailureCase(
        "several at once",
        "all models ask for 30 s of patience",
        _all_models_want_patience,
        sees="no_answer",
        state=_FAILED,
        asks={"default": 1, "fallback": 1},
    ),
    FailureCase(
        "several at once",
        "a voice note and a text; Whisper and all models hang",
        _whisper_and_models_hang,
        burst(voice, text),
        "no_answer",
        _FAILED,
        {"whisper": 1, "default": 1, "fallback": 1},
        language="en",
    ),
    FailureCase(
        "several at once",
        "a voice note and a text; Whisper and the default model hang",
        _whisper_and_one_model_hang,
        burst(voice, text),
        asks={"whisper": 1, "default": 1, "fallback": 1},
    ),
    FailureCase(
        "several at once",
        "a voice note and a text; Whisper hangs, the model takes a while",
        _whisper_hangs_and_the_model_is_slow,
        burst(voice, text),
        asks={"whisper": 1, "default": 1},
        slow=True,
    ),
    FailureCase(
        "several at once",
        "a voice note; Whisper takes its time, all models hang",
        _whisper_is_slow_and_models_hang,
        voice,
        "no_answer",
        _FAILED,
        {"whisper": 1, "default": 1, "fallback": 1},
        slow=True,
    ),
    FailureCase(
        "several at once",
        "two files and a text, one of the files is gone",
        _one_file_is_gone,
        burst(document, document, text),
        asks={"default": 1, "download": 1},
    ),
    FailureCase(
        "several at once",
        "a tool that hangs until the deadline",
        _the_tool_hangs,
        asks={"default": 2},
        staff=True,
    ),
    FailureCase(
        "several at once",
        "a tool acts, then no model answers",
        _the_tool_acts_and_models_fail,
        sees="acted",
        state=_FAILED,
        asks={"default": 2, "fallback": 1},
        staff=True,
        language="en",
    ),
    FailureCase(
        "several at once",
        "a slow model, and Meta is away beyond the deadline",
        _the_model_is_slow_and_meta_away,
        asks={"default": 1},
        late=True,
        slow=True,
    ),
)
