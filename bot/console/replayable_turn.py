"""A turn as the history kept it, read into the parts from which its request to the model is made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.ai.chat import FromModel, FromPerson, Instructions, Line
from bot.history.views import TurnShown
from bot.messages.language import Language, language_from


class NotReplayable(Exception):
    """The history has no messages of this turn any more, or from before replays."""


@dataclass(frozen=True, slots=True)
class ReplayableTurn:
    """`values` rendered the prompt, `offered` names the tools that the contact had, and `calls` are those it made.

    `messages` are the conversation as the model got it, in the format of OpenAI's chat API and without the prompt's own
    lines. `photos` are the wamids of the turn's photos. `reply` is the text that was sent.
    """

    conversation: str
    values: Mapping[str, Any]
    offered: tuple[str, ...]
    messages: Sequence[Mapping[str, Any]]
    calls: Sequence[dict[str, Any]]
    photos: tuple[str, ...]
    reply: str

    @classmethod
    def of(cls, turn: TurnShown) -> ReplayableTurn:
        """Read a turn of the history. Raises NotReplayable."""
        trace, request = turn.trace or {}, turn.asked[0] if turn.asked else {}
        rendering, messages = request.get("rendering"), request.get("messages")
        if not rendering or not messages:
            raise NotReplayable
        perceived = trace.get("perceived") or []
        return cls(
            conversation=turn.conversation,
            values=rendering["values"],
            offered=tuple(rendering["tools"]),
            messages=messages[rendering["lines"] :],
            calls=trace.get("tools") or [],
            photos=tuple(message["message"] for message in perceived if message["kind"] == "photo"),
            reply="\n\n".join(filter(None, trace.get("reply") or [])),
        )

    @property
    def language(self) -> Language:
        return language_from(str(self.values.get("language")), "es")

    @property
    def picture_count(self) -> int:
        """Number of pictures in the messages; the history keeps their places, not their bytes."""
        return sum(_picture_count(message) for message in self.messages)

    def lines(self, pictures: tuple[bytes, ...]) -> list[Line]:
        """The conversation as lines for a model; the last one, which is the turn's own, gets the pictures."""
        lines = [_line(message) for message in self.messages]
        if lines and isinstance(lines[-1], FromPerson):
            lines[-1] = replace(lines[-1], pictures=pictures)
        return lines


def _line(message: Mapping[str, Any]) -> Line:
    content = message.get("content") or ""
    text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content).strip()
    match message["role"]:
        case "system":
            return Instructions(text)
        case "assistant":
            return FromModel(text)
        case _:
            return FromPerson(text)


def _picture_count(message: Mapping[str, Any]) -> int:
    content = message.get("content")
    return sum(part.get("type") == "image_url" for part in content) if isinstance(content, list) else 0
