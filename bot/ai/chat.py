"""The words for talking with any language model: what is said to it, what it answers, how it can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol


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
    """What a person said; `pictures` are JPEGs, shown to models that can see."""

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
    """One request to one model, for the books: also a failed one can cost."""

    asked: str
    outcome: str
    seconds: float
    served: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    calls: tuple[ToolCall, ...]
    served: str


class ModelFailed(Exception):
    """A model gave no usable answer; `outcome` names how, `retry_after` are the seconds that it asked for."""

    def __init__(self, outcome: str, *, retryable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.retryable = retryable
        self.retry_after = retry_after


class NoModelAnswered(Exception):
    """Every model failed, or the time is up; the last failure is the cause."""


Book = Callable[[Attempt], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Question:
    """All that a model needs to answer; `deadline` is a time of the running loop's clock, in seconds.

    `may_call` is False where the model has to answer in words: it is told of the tools and asked to call none.
    """

    lines: tuple[Line, ...]
    deadline: float
    tools: tuple[ToolOffer, ...] = ()
    may_call: bool = True


class ChatModel(Protocol):
    async def answer(self, question: Question, book: Book) -> Answer:
        """Ask the models in their order; raises NoModelAnswered, at the deadline at the latest."""
        ...
