"""The trace of a turn for operators: perceived media, requests, tool calls, costs and durations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.agent.loop import ToolResult
from bot.ai.chat import Attempt
from bot.history.entries import TurnTraced
from bot.history.packed_requests import pack
from bot.infra.metrics import COST, LLM_REQUESTS, LLM_TOKENS
from bot.infra.redis import key
from bot.media.understanding import Perceived
from bot.prompting.prompts import Rendered


@dataclass(frozen=True, slots=True)
class PromptRendering:
    """Values and number of lines of the turn's prompt, and the names of the contact's tools: a replay needs them."""

    values: dict[str, Any]
    lines: int
    tools: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"values": self.values, "lines": self.lines, "tools": self.tools}


@dataclass(slots=True)
class Trace:
    turn: str
    conversation: str
    messages: list[str] = field(default_factory=list)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    perceived: list[Perceived] = field(default_factory=list)
    prompt: Rendered | None = None
    rendering: PromptRendering | None = None
    attempts: list[Attempt] = field(default_factory=list)
    tools: list[ToolResult] = field(default_factory=list)
    reply: list[str] = field(default_factory=list)
    taps: tuple[dict[str, Any], ...] = ()
    outcome: str | None = None
    why: str = ""
    error: str | None = None
    release: str = ""
    _stations: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def station(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._stations[name] = self._stations.get(name, 0) + (time.perf_counter() - started) * 1000

    def note_duration(self, name: str, since: float) -> None:
        """Record the duration of a station that goes on, since a time of time.perf_counter."""
        self._stations[name] = (time.perf_counter() - since) * 1000

    async def record_attempt(self, attempt: Attempt) -> None:
        """Record and count a request to a model of this turn."""
        self.attempts.append(attempt)
        await count(attempt)

    def note_perceived(self, perceived: list[Perceived]) -> None:
        self.perceived = perceived
        for item in perceived:
            if item.cost_usd:
                COST.labels("transcription" if item.kind in ("voice", "video") else "vision").inc(float(item.cost_usd))

    @property
    def cost_usd(self) -> Decimal:
        models = sum((attempt.cost_usd for attempt in self.attempts), Decimal(0))
        return models + sum((item.cost_usd for item in self.perceived), Decimal(0))

    def event(self) -> dict[str, Any]:
        """The turn as JSON, for the event stream and the record."""
        return {
            "type": "turn",
            "turn": self.turn,
            "conversation": self.conversation,
            "state": "closed" if self.outcome else "thinking",
            "outcome": self.outcome,
            "why": self.why,
            "started_at": self.started_at.isoformat(),
            "messages": self.messages,
            "perceived": [_perceived(item) for item in self.perceived],
            "prompt": {"name": self.prompt.name, "version": self.prompt.version} if self.prompt else None,
            "requests": [attempt_as_json(attempt) for attempt in self.attempts],
            "tools": [_tool(done) for done in self.tools],
            "taps": list(self.taps),
            "stations": [{"station": name, "ms": round(ms, 1)} for name, ms in self._stations.items()],
            "reply": self.reply,
            "cost_usd": f"{self.cost_usd:f}",
            "error": self.error,
        }

    def asked(self) -> list[dict[str, Any]]:
        """The messages sent to models, for the history.

        The history forgets them when a message is deleted; no other record may outlive a revocation.
        """
        requests: list[dict[str, Any]] = [
            {"asked": attempt.asked, "messages": [_shown(message) for message in attempt.sent]}
            for attempt in self.attempts
        ]
        if requests and self.rendering:
            requests[0]["rendering"] = self.rendering.as_json()
        return requests


def history_entry(trace: Trace, event: dict[str, Any]) -> TurnTraced:
    """The whole turn for the history, which forgets what was asked when a message is deleted."""
    requests = trace.asked()
    return TurnTraced(
        id=trace.turn,
        conversation=trace.conversation,
        at=trace.started_at,
        trace=event,
        release=trace.release,
        asked=pack(requests) if requests else None,
    )


def forget_stored(pipeline: Any, conversation: str) -> None:
    """Delete the traces that earlier versions of Recado stored for a day beside the history."""
    pipeline.delete(key(conversation, "turns"))


def asked_event(entry: TurnTraced) -> dict[str, Any]:
    """The messages to models for the event stream, packed as in the history: they are most of a turn's bytes."""
    return {"type": "asked", "turn": entry.id, "conversation": entry.conversation, "packed": entry.asked}


async def count(attempt: Attempt) -> None:
    """Count a request to a model, also a failed one, because it can cost too."""
    model = attempt.served or attempt.asked
    LLM_REQUESTS.labels(attempt.asked, attempt.outcome).inc()
    LLM_TOKENS.labels(model, "prompt").inc(attempt.prompt_tokens)
    LLM_TOKENS.labels(model, "completion").inc(attempt.completion_tokens)
    COST.labels("llm").inc(float(attempt.cost_usd))


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    """A message without the bytes of its images."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [{"type": "image_url"} if part.get("type") == "image_url" else part for part in content]
    return message | {"content": parts}


def _perceived(item: Perceived) -> dict[str, Any]:
    return {
        "message": item.message,
        "kind": item.kind,
        "text": item.text,
        "by": item.by,
        "ms": round(item.milliseconds, 1),
        "error": item.trouble,
    }


def attempt_as_json(attempt: Attempt) -> dict[str, Any]:
    """A request to a model, as a turn's trace and a replay show it."""
    return {
        "asked": attempt.asked,
        "served": attempt.served,
        "outcome": attempt.outcome,
        "ms": round(attempt.seconds * 1000, 1),
        "prompt_tokens": attempt.prompt_tokens,
        "completion_tokens": attempt.completion_tokens,
        "cost_usd": f"{attempt.cost_usd:f}",
    }


def _tool(done: ToolResult) -> dict[str, Any]:
    return {
        "name": done.name,
        "arguments": done.arguments,
        "result": done.result,
        "outcome": done.outcome,
        "ms": round(done.milliseconds, 1),
        "sources": [source.model_dump() for source in done.sources],
    }
