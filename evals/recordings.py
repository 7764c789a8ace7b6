"""What models answered in a case, kept beside it: played again without a model; stale once other things are asked."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.agent.tool import Tool
from bot.ai.chat import Attempt, Book, ChatModel, ModelAnswer, ModelRequest, NoModelAnswered, ToolCall
from bot.ai.chat_completions import message
from bot.media.understanding import Perceived
from bot.messages.record import Record
from bot.prompting.release_gate import CASES

_FOLDER = "recordings"


class RecordedAnswer(Record):
    """One answer of a model, what it cost and how long it took."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    served: str = ""
    seconds: float = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


class Verdict(Record):
    """What a model judged of a reply; `asked` is a hash of both the rubric and the reply."""

    asked: str
    passes: bool
    why: str = ""


class RecordedTurn(Record):
    """`asked` is a hash of what a model was asked in this turn's first round; `perceived` what its file said."""

    asked: str
    perceived: Perceived | None = None
    answers: tuple[RecordedAnswer, ...]
    verdict: Verdict | None = None


class Recording(Record):
    """`by` says who answered: a model's id, `example` (written by hand in the case) or `sandbox-stand-in`."""

    by: str
    at: str = ""
    turns: tuple[RecordedTurn, ...]


def load(folder: Path, case: str) -> Recording | None:
    """The recording of a case of PROMPTS_DIR; None where there is none that can be read."""
    try:
        return Recording.model_validate_json(_path(folder, case).read_bytes())
    except (OSError, ValidationError):
        return None


def save(folder: Path, case: str, by: Iterable[str], turns: Iterable[RecordedTurn]) -> None:
    recording = Recording(by=", ".join(dict.fromkeys(by)), at=f"{datetime.now(UTC):%Y-%m-%d}", turns=tuple(turns))
    path = _path(folder, case)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = recording.model_dump(mode="json", exclude_defaults=True)
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _path(folder: Path, case: str) -> Path:
    return folder / CASES / _FOLDER / f"{case}.json"


def fingerprint(question: ModelRequest, tools: Iterable[Tool[Any]]) -> str:
    """A hash of all that decides about the answer, but for the settings' models and the pictures' bytes."""
    asked = {
        "messages": [message(line, sees=False) for line in question.lines],
        "tools": [(one.name, one.offer.description, one.offer.parameters) for one in tools],
        "model": [question.models, question.temperature, question.max_tokens],
    }
    return _hashed(json.dumps(asked, ensure_ascii=False, sort_keys=True))


def judged(rubric: str, reply: str) -> str:
    """A hash of what a judge is asked."""
    return _hashed(f"{rubric}\0{reply}")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Playback:
    """A ChatModel that gives recorded answers in their order. Raises NoModelAnswered when there is none left."""

    def __init__(self, answers: Iterable[RecordedAnswer]) -> None:
        self._left = deque(answers)

    async def answer(self, question: ModelRequest, book: Book) -> ModelAnswer:  # noqa: ARG002 - a ChatModel's signature
        if not self._left:
            raise NoModelAnswered("the recording ends before the conversation does")
        said = self._left.popleft()
        cost = (said.prompt_tokens, said.completion_tokens, said.cost_usd)
        await book(Attempt(said.served, "ok", said.seconds, said.served, *cost))
        calls = tuple(ToolCall(str(number), name, given) for number, (name, given) in enumerate(said.calls))
        return ModelAnswer(said.text, calls, said.served)


class Recorder:
    """A ChatModel that asks another one, and keeps what it answers in `said`."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.said: list[RecordedAnswer] = []

    async def answer(self, question: ModelRequest, book: Book) -> ModelAnswer:
        spent: list[Attempt] = []

        async def both(attempt: Attempt) -> None:
            spent.append(attempt)
            await book(attempt)

        answer = await self._model.answer(question, both)
        self.said.append(
            RecordedAnswer(
                text=answer.text,
                calls=tuple((call.name, call.arguments) for call in answer.calls),
                served=answer.served,
                seconds=round(sum(one.seconds for one in spent), 3),
                prompt_tokens=sum(one.prompt_tokens for one in spent),
                completion_tokens=sum(one.completion_tokens for one in spent),
                cost_usd=sum((one.cost_usd for one in spent), Decimal(0)),
            )
        )
        return answer
