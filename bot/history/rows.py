"""Rows of the tables, as entries give them."""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from typing import Any

from bot.history.entries import CardConfirmed, PartSent, StatusNoted, TurnTraced
from bot.history.state import Author
from bot.history.texts import body_of, words_of
from bot.messages.inbound import Content, Edit, Inbound, Reaction, Revoke
from bot.messages.outbound import Part, Reply
from bot.messages.rating import Rating

# A turn's name at the beginning of its replies' names: `t_0123456789ab`, `t_0123456789ab-1-still`.
_TURN = re.compile(r"t_[0-9a-f]{1,32}(?:-\d{1,4})?(?=[-.]|$)")
# Names from Meta are shorter.
LONGEST_NAME = 200
_ON_TIME = timedelta(seconds=10)
# Fields of contents that have columns of their own, or mean nothing to a reader.
_ELSEWHERE = {"kind", "body"}


def author_of_inbound(message: Inbound) -> Author:
    if message.content.kind == "system":
        return "system"
    return "customer" if message.author == "person" else "operator"


def author_of_reply(reply: Reply) -> tuple[Author, str | None]:
    """The author of a reply: an operator by name, the assistant in a turn, or another system by a notification."""
    if reply.operator is not None:
        return "operator", reply.operator
    return ("assistant" if turn_of(reply.id) else "system"), None


def turn_of(name: str) -> str | None:
    """The turn of a reply, by the reply's name."""
    found = _TURN.match(name)
    return found[0] if found else None


def time_of(message: Inbound) -> datetime:
    """The time that a message has in its conversation.

    Meta's has whole seconds, by which an answer could come before its question. So ours counts, but for messages that
    were long on their way.
    """
    late = message.received_at - message.sent_at
    return message.received_at if timedelta(0) <= late < _ON_TIME else message.sent_at


def is_change(content: Content) -> bool:
    """Whether a message is about another one, and no message of its own."""
    return isinstance(content, Reaction | Edit | Revoke)


def message_row(conversation: str, message: Inbound, author: Author, state: str) -> dict[str, Any]:
    content = message.content
    payload = content.model_dump(mode="json", exclude_none=True, exclude=_ELSEWHERE)
    about: dict[str, Any] = {
        "forwarded": message.forwarded or None,
        "product": message.product,
        "before": message.before,
    }
    if message.referral:
        about |= {"referral": message.referral.model_dump(mode="json", exclude_none=True)}
    return {
        "conversation": conversation,
        "name": message.id[:LONGEST_NAME],
        "at": time_of(message),
        "author": author,
        "kind": content.kind,
        "body": body_of(content),
        "payload": payload | {name: value for name, value in about.items() if value},
        "quoted": message.quoted and message.quoted[:LONGEST_NAME],
        "state": state,
    }


def part_row(conversation: str, name: str, at: Any, part: Part, template: str | None) -> dict[str, Any]:
    return {
        "conversation": conversation,
        "name": name,
        "at": at,
        "kind": part.kind,
        "body": words_of(part, template),
        "payload": part.model_dump(mode="json", exclude_none=True, exclude=_ELSEWHERE),
        "quoted": (getattr(part, "quote", None) or "")[:LONGEST_NAME] or None,
    }


def change_row(conversation: str, message: Inbound, author: Author) -> dict[str, Any]:
    content = message.content
    value = content.emoji if isinstance(content, Reaction) else content.body if isinstance(content, Edit) else None
    target = content.message_id if isinstance(content, Reaction | Edit | Revoke) else ""
    return {
        "conversation": conversation,
        "name": message.id[:LONGEST_NAME],
        "at": message.sent_at,
        "target": target[:LONGEST_NAME],
        "kind": content.kind,
        "author": author,
        "value": value,
    }


def rating_row(conversation: str, message: Inbound, rating: Rating) -> dict[str, Any]:
    """The rating of a question: only its first one counts, because each has the question's name."""
    return {
        "conversation": conversation,
        "name": rating.question,
        "at": message.sent_at,
        "target": f"{rating.question}.0",
        "kind": "rating",
        "author": "customer",
        "value": rating.grade,
    }


def sent_row(conversation: str, entry: PartSent) -> dict[str, Any]:
    failed = entry.at if entry.wamid is None else None
    wamid = entry.wamid and entry.wamid[:LONGEST_NAME]
    row = {"conversation": conversation, "name": entry.id, "at": entry.at, "wamid": wamid}
    return row | {"failed_at": failed, "error": entry.error, "why": entry.why}


def status_row(conversation: str, entry: StatusNoted) -> dict[str, Any]:
    price_type, price_category = entry.pricing or (None, None)
    row = {"conversation": conversation, "name": entry.id, "at": entry.at, "wamid": entry.wamid[:LONGEST_NAME]}
    prices = {"price_type": price_type and price_type[:64], "price_category": price_category and price_category[:64]}
    return row | {"error": entry.error} | prices


def turn_row(conversation: str, entry: TurnTraced) -> dict[str, Any]:
    trace = entry.trace
    requests = trace.get("requests") or []
    return {
        "conversation": conversation,
        "id": entry.id,
        "at": entry.at,
        "outcome": trace.get("outcome"),
        "why": trace.get("why"),
        "release": entry.release,
        "cost_usd": trace.get("cost_usd") or 0,
        "tokens": sum(request.get("prompt_tokens", 0) + request.get("completion_tokens", 0) for request in requests),
        "trace": trace,
        "asked": base64.b64decode(entry.asked) if entry.asked else None,
    }


def card_row(conversation: str, entry: CardConfirmed) -> dict[str, Any]:
    return {
        "product": entry.product,
        "version": entry.product_version,
        "conversation": conversation,
        "at": entry.at,
        "fields": entry.fields,
        "previous": entry.previous,
        "photos": list(entry.photos),
    }
