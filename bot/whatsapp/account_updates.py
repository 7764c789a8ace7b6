"""Changes of people in Meta's webhooks: consent to marketing, a new BSUID, a hand-over to another bot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from bot.whatsapp.lenient_json import digits, items, mapping, number, text

Raw = dict[str, Any]
_WANTED = {"stop": False, "resume": True, "signup": True}


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
    """

    phone: str | None
    bsuid: str | None
    to: str
    move: Move | None


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


def handover(value: Raw) -> Handover:
    """Read all shapes that were seen, because Meta documents hardly one (docs/whatsapp.md, Incoming messages)."""
    sender, kind = mapping(value.get("sender")), text(value.get("type"))
    move = next((one for one in _MOVES if one == kind), None)
    # The type decides; the object's key stands in where the type is missing.
    move = move or next((one for one in _MOVES if one in value and kind is None), None)
    control = mapping(value.get(move or kind or ""))
    phone = digits(sender.get("phone_number")) or digits(sender.get("wa_id"))
    to = text(control.get("new_owner_role")) or text(control.get("new_owner_app_role")) or "unknown"
    return Handover(phone, text(sender.get("user_id")), to, move)


def _time(value: Any, now: datetime) -> datetime:
    seconds = number(value)
    try:
        at = datetime.fromtimestamp(seconds, UTC) if seconds is not None else now
    except (OverflowError, ValueError, OSError):
        return now
    # Because a choice from the future would override all later ones, the time is capped at now.
    return min(at, now)
