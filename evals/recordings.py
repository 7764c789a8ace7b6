"""Recorded answers of models, beside each case: played again without a model, stale once the request changes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.ai.chat import Attempt, ChatModel, ModelAnswer, ModelRequest, NoModelAnswered, RecordAttempt, ToolCall
from bot.media.understanding import Perceived
from bot.messages.record import Record
from bot.prompting.release_gate import CASES
from evals.fingerprint import hashed

_FOLDER = "recordings"
# Authors of answers that no model gave.
EXAMPLE, STAND_IN = "example", "sandbox-stand-in"


class NotRecorded(Exception):
    """A recording can't be written; the message names the file and the reason."""


class RecordedAnswer(Record):
    """Answer of a model, with cost and duration."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    served: str = ""
    seconds: float = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


class Verdict(Record):
    """Judgement of a model about a reply; `asked` is a hash of the rubric and the reply."""

    asked: str
    passes: bool
    why: str = ""


class RecordedTurn(Record):
    """`sent` and `asked` are hashes of the turn's message, and of what its answers depend on.

    `perceived` holds the content of its file. A case that its examples answer has neither `asked` nor `answers`.
    """

    sent: str = ""
    asked: str = ""
    perceived: Perceived | None = None
    answers: tuple[RecordedAnswer, ...] = ()
    verdict: Verdict | None = None


class Recording(Record):
    """`by` names the author: a model's id, `example` (written by hand in the case) or `sandbox-stand-in`."""

    by: str
    at: str = ""
    turns: tuple[RecordedTurn, ...]

    @property
    def by_model(self) -> bool:
        """Whether a model answered, and not the case's examples or the stand-in."""
        return not is_scripted(self.by)

    @property
    def cost_usd(self) -> Decimal:
        return sum((answer.cost_usd for turn in self.turns for answer in turn.answers), Decimal(0))


def is_scripted(by: str) -> bool:
    """Whether these authors, with commas, are the examples and the stand-in."""
    return {EXAMPLE, STAND_IN}.issuperset(by.split(", "))


def load(folder: Path, case: str) -> Recording | None:
    """Recording of a case of PROMPTS_DIR; None if none can be read."""
    try:
        return Recording.model_validate_json(_path(folder, case).read_bytes())
    except (OSError, ValidationError):
        return None


def save(folder: Path, case: str, by: Iterable[str], turns: Iterable[RecordedTurn]) -> None:
    """Write a case's recording; raises NotRecorded."""
    recording = Recording(by=", ".join(dict.fromkeys(by)), at=f"{datetime.now(UTC):%Y-%m-%d}", turns=tuple(turns))
    path = _path(folder, case)
    content = recording.model_dump(mode="json", exclude_defaults=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise NotRecorded(f"{path} can't be written: {error.strerror}") from error


def _path(folder: Path, case: str) -> Path:
    return folder / CASES / _FOLDER / f"{case}.json"


def verdict_key(rubric: str, reply: str) -> str:
    """Hash of a judge's request."""
    return hashed(f"{rubric}\0{reply}")


class RecordingEnded(NoModelAnswered):
    """A recording has no answer left, because it was made of another conversation."""


class Playback:
    """ChatModel that gives recorded answers in their order. Raises RecordingEnded when none is left."""

    def __init__(self, answers: Iterable[RecordedAnswer]) -> None:
        self._left = deque(answers)

    async def answer(self, question: ModelRequest, book: RecordAttempt) -> ModelAnswer:  # noqa: ARG002 - a ChatModel's signature
        if not self._left:
            raise RecordingEnded("the recording ends before the conversation does")
        said = self._left.popleft()
        cost = (said.prompt_tokens, said.completion_tokens, said.cost_usd)
        await book(Attempt(said.served, "ok", said.seconds, said.served, *cost))
        calls = tuple(ToolCall(str(number), name, given) for number, (name, given) in enumerate(said.calls))
        return ModelAnswer(said.text, calls, said.served)


class Recorder:
    """ChatModel that asks another one, and keeps the answers in `answers`."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.answers: list[RecordedAnswer] = []

    async def answer(self, question: ModelRequest, book: RecordAttempt) -> ModelAnswer:
        attempts: list[Attempt] = []

        async def both(attempt: Attempt) -> None:
            attempts.append(attempt)
            await book(attempt)

        answer = await self._model.answer(question, both)
        self.answers.append(
            RecordedAnswer(
                text=answer.text,
                calls=tuple((call.name, call.arguments) for call in answer.calls),
                served=answer.served,
                seconds=round(sum(attempt.seconds for attempt in attempts), 3),
                prompt_tokens=sum(attempt.prompt_tokens for attempt in attempts),
                completion_tokens=sum(attempt.completion_tokens for attempt in attempts),
                cost_usd=sum((attempt.cost_usd for attempt in attempts), Decimal(0)),
            )
        )
        return answer
