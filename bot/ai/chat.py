"""Requests, answers and errors of any language model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from pipelines.truncation import truncated


def tokens(text: str) -> int:
    """An estimate on the safe side: models cut Spanish at about 3.5 characters a token."""
    return len(text) * 2 // 7 + 4


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called; `arguments` is JSON that nobody has checked yet."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Instructions:
    text: str


@dataclass(frozen=True, slots=True)
class FromPerson:
    """Words of a person; `pictures` are JPEGs, for models that can see."""

    text: str
    pictures: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class FromModel:
    text: str
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class FromTool:
    call_id: str
    text: str


Line = Instructions | FromPerson | FromModel | FromTool


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool as the model sees it: `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request to one model, for bookkeeping, because a failed one can cost too."""

    asked: str
    outcome: str
    seconds: float
    served: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    # The messages as sent. They may quote people, so that logs and records leave them out.
    sent: tuple[dict[str, Any], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A text that is longer than any that people write is cut, whatever provider wrote it."""

    text: str
    calls: tuple[ToolCall, ...]
    served: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", truncated(self.text))


class ModelFailed(Exception):
    """A model gave no usable answer; `outcome` names how, `retry_after` are the seconds that it asked for."""

    def __init__(self, outcome: str, *, retryable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.retryable = retryable
        self.retry_after = retry_after


class NoModelAnswered(Exception):
    """Every model failed, or the time is up; the last failure is the cause."""


RecordAttempt = Callable[[Attempt], Awaitable[None]]


class BudgetSpent(Exception):
    """Today's budget is spent, by this `contact` or in `total`; no request was made."""

    def __init__(self, whose: Literal["contact", "total"]) -> None:
        super().__init__(f"the day's budget is spent: {whose}")
        self.whose = whose


class SpendingLimit(Protocol):
    """Budget of one person: reserved before a request, settled when its cost is known.

    `economy` names the model that goes on, at twice the limit, when the budget is spent; None if none does.
    """

    @property
    def economy(self) -> str | None: ...

    async def reserve(self, usd: Decimal, *, economy: bool = False) -> None:
        """Set a sum aside, all of it or nothing; raises BudgetSpent."""
        ...

    async def settle(self, reserved: Decimal, usd: Decimal) -> None:
        """Put back what was reserved and not spent."""
        ...


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Input of a model's answer; `deadline` is a time of the running loop's clock, in seconds.

    `may_call` is False if the model has to answer in words: it is told of the tools and asked to call none.
    Without `spending` nobody counts what it costs. `failing` are models that failed in an earlier round of the turn:
    they are asked last. `models` are asked before those of the settings; `temperature` and `max_tokens` stand in the
    place of the settings', the latter only where it is less.
    """

    lines: tuple[Line, ...]
    deadline: float
    tools: tuple[ToolOffer, ...] = ()
    may_call: bool = True
    spending: SpendingLimit | None = None
    failing: set[str] = field(default_factory=set)
    models: tuple[str, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None


class ChatModel(Protocol):
    async def answer(self, question: ModelRequest, record_attempt: RecordAttempt) -> ModelAnswer:
        """Ask the models in their order; raises NoModelAnswered, at the deadline at the latest, or BudgetSpent."""
        ...
