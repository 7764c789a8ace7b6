"""Entries of the history about parts of replies: which left, and which never will."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bot.delivery.sender import OutgoingMessage
from bot.history.entries import PartSent
from bot.messages.outbound import Reply

_CODE = re.compile(r"^Meta's error (\d{1,9}):")


def sent_entry(outgoing: OutgoingMessage, index: int, wamid: str | None, why: str | None) -> PartSent:
    """A part that was handed to Meta: accepted, or refused because of `why`.

    What leaves in another reply's place was never queued itself, so that its words go along.
    """
    reply = outgoing.reply
    code = _CODE.match(why or "")
    return PartSent(
        id=f"{reply.id}.{index}",
        conversation=outgoing.conversation,
        at=datetime.now(UTC),
        part=outgoing.part if reply.id.endswith(("-fallback", "-settled")) else None,
        wamid=wamid,
        why=why,
        error=int(code[1]) if code else None,
    )


def unsent_entry(conversation: str, reply: Reply, index: int, why: str) -> PartSent:
    """A part that will never leave."""
    return PartSent(id=f"{reply.id}.{index}", conversation=conversation, at=datetime.now(UTC), why=why)
