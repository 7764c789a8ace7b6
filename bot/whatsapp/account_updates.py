"""Changes of people in Meta's webhooks: consent to marketing, a new BSUID, a hand-over to another bot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from bot.whatsapp.lenient_json import digits, items, mapping, number, text

Raw = dict[str, Any]
_WANTED = {"stop": False, "resume": True, "signup": True}
# A history of another app joins the memory as one text.
_MOST_MESSAGES, _LONGEST_HISTORY = 40, 2000


@dataclass(frozen=True, slots=True)
class Preference:
    """A person's choice about marketing, in WhatsApp's own menu."""

    phone: str | None
    bsuid: str | None
    wanted: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class NewBsuid:
    phone: str | None
    previous: str
    current: str


Move = Literal["control_passed", "control_taken"]
_MOVES: tuple[Move, ...] = get_args(Move)


@dataclass(frozen=True, slots=True)
class Handover:
    """A new owner of a person's thread, between us and another bot or app; `to` is the new owner's role.

    `move` says that the former owner passed the thread on or that the new one took it; None for an unknown move.
    `ours` says that we own the thread now, None that nobody can tell. `reason` and `summary` are the former owner's.
    """

    phone: str | None
    bsuid: str | None
    to: str
    move: Move | None
    ours: bool | None
    at: datetime
    reason: str | None = None
    summary: str | None = None


# Roles of Meta's own agent.
_AGENTS = frozenset({"mba", "ai_agent"})
_UNKNOWN = "unknown"


def preferences(value: Raw, now: datetime) -> Iterator[Preference]:
    for item in map(mapping, items(value.get("user_preferences"))):
        phone, bsuid = digits(item.get("wa_id")), text(item.get("user_id"))
        wanted = _WANTED.get(text(item.get("value")) or "")
        ours = text(item.get("category")) in (None, "marketing_messages")
        if wanted is not None and ours and (phone or bsuid):
            yield Preference(phone, bsuid, wanted, _time(item.get("timestamp"), now))


def new_bsuids(value: Raw) -> Iterator[NewBsuid]:
    for item in map(mapping, items(value.get("user_id_update"))):
        ids = mapping(item.get("user_id"))
        previous, current = text(ids.get("previous")), text(ids.get("current"))
        if previous and current:
            yield NewBsuid(digits(item.get("wa_id")), previous, current)


def actions(value: Raw) -> Iterator[str]:
    """Names of actions, such as `marketing_messages_link_click` or `landing_page_view`."""
    for item in map(mapping, items(value.get("user_actions"))):
        yield text(item.get("action_type")) or "unknown"


def handover(value: Raw, now: datetime) -> Handover:
    """Read all shapes that were seen, because Meta documents hardly one (docs/whatsapp.md, Conversation Routing)."""
    sender, kind = mapping(value.get("sender")), text(value.get("type"))
    move = next((known for known in _MOVES if known == kind), None)
    # The type decides; the object's key stands in where the type is missing.
    move = move or next((known for known in _MOVES if known in value and kind is None), None)
    control = mapping(value.get(move or kind or ""))
    to = _role(control, value, "new_owner")
    return Handover(
        phone=digits(sender.get("phone_number")) or digits(sender.get("wa_id")),
        bsuid=text(sender.get("user_id")),
        to=to,
        move=move,
        ours=_is_ours(move, to, _role(control, value, "previous_owner")),
        at=_time(value.get("timestamp"), now),
        reason=_words(control.get("metadata")) or _words(value.get("metadata")),
        summary=context_summary(control) or context_summary(value),
    )


def context_summary(raw: Raw) -> str | None:
    """Summary of the conversation by another app, or its last messages: that app's words, and mostly a model's."""
    context = mapping(raw.get("conversation_context"))
    return text(mapping(context.get("summary")).get("text")) or _context_history(context.get("history"))


def _context_history(history: Any) -> str | None:
    """The end of a history as lines; its shape isn't documented, so that several are read."""
    lines: list[str] = []
    length = 0
    for message in reversed((items(history) or items(mapping(history).get("messages")))[-_MOST_MESSAGES:]):
        read = mapping(message)
        body = text(read.get("text")) or text(mapping(read.get("text")).get("body")) or text(read.get("body"))
        if not body:
            continue
        author = text(read.get("role")) or text(read.get("author"))
        line = f"{author}: {body}" if author else body
        if lines and length + len(line) > _LONGEST_HISTORY:
            break
        lines.append(line[:_LONGEST_HISTORY])
        length += len(line) + 1
    return "\n".join(reversed(lines)) or None


def _role(control: Raw, value: Raw, whose: str) -> str:
    places = ((place, name) for place in (control, value) for name in (f"{whose}_role", f"{whose}_app_role"))
    return next((role for place, name in places if (role := text(place.get(name)))), _UNKNOWN)


def _is_ours(move: Move | None, to: str, before: str) -> bool | None:
    """Whether we own the thread now: Meta tells the new owner what was passed, and the former one what was taken."""
    if move is None:
        return None
    if to in _AGENTS:
        return False
    # A thread that was taken from Meta's agent was never ours, so that we are told as its new owner.
    return move == "control_passed" or before in _AGENTS


def _words(raw: Any) -> str | None:
    return text(raw) if isinstance(raw, str) else None


def _time(value: Any, now: datetime) -> datetime:
    seconds = number(value)
    try:
        at = datetime.fromtimestamp(seconds, UTC) if seconds is not None else now
    except (OverflowError, ValueError, OSError):
        return now
    # Because a choice from the future would override all later ones, the time is capped at now.
    return min(at, now)
