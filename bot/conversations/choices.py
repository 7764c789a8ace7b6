"""Choices that were offered to be tapped, in full and by their id: WhatsApp sends the shortened title back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from redis.asyncio import Redis

from bot.infra.logs import masked
from bot.infra.redis import key
from bot.messages.inbound import Inbound, Tap
from bot.messages.outbound import Buttons, Menu, Part
from bot.whatsapp.limits import distinct

# A list stays in the chat and can be tapped for as long as that is there; most are within days.
_KEEP_SECONDS = 30 * 24 * 3600
_SHORTENED = "…"


def store(pipeline: Any, conversation: str, parts: Iterable[Part]) -> None:
    """Store choices within a transaction. The first text of an id holds: the full one comes first."""
    for part in parts:
        for choice in distinct(part.choices) if isinstance(part, Buttons | Menu) else ():
            text = f"{choice.title}: {choice.description}" if choice.description else choice.title
            pipeline.set(_choice(conversation, choice.id), text, ex=_KEEP_SECONDS, nx=True)


async def with_full_titles(redis: Redis, conversations: Sequence[str], messages: list[Inbound]) -> list[Inbound]:
    """Replace the title of each tap by the full choice. An id never offered in these conversations keeps its title."""
    found = []
    for message in messages:
        tap = message.content
        if isinstance(tap, Tap):
            stored = await redis.mget([_choice(conversation, tap.id) for conversation in conversations])
            whole = next(filter(None, stored), None)
            tap = tap.model_copy(update={"title": whole or tap.title, "cut": whole is None and _SHORTENED in tap.title})
        found.append(message.model_copy(update={"content": tap}) if tap is not message.content else message)
    return found


def _choice(conversation: str, id_: str) -> str:
    return key(conversation, "choice", masked(id_))
