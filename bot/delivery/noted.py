"""Entries of the history about parts of replies: which left, and which never will."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.delivery.sender import OutgoingMessage
from bot.delivery.sent_wamids import note_wamid
from bot.history import stream
from bot.history.entries import PartSent
from bot.messages.outbound import Reply

_CODE = re.compile(r"^Meta's error (\d{1,9}):")


def note_sent(pipeline: Any, outgoing: OutgoingMessage, index: int, wamid: str | None, errors: Sequence[str]) -> None:
    """Note a part that was handed to Meta: accepted, or refused for the last of the errors.

    What leaves in another reply's place was never queued itself, so that its words go along.
    """
    reply, why = outgoing.reply, errors[-1] if errors and wamid is None else None
    code = _CODE.match(why or "")
    entry = PartSent(
        id=f"{reply.id}.{index}",
        conversation=outgoing.conversation,
        at=datetime.now(UTC),
        part=outgoing.part if reply.id.endswith(("-fallback", "-settled")) else None,
        wamid=wamid,
        why=why,
        error=int(code[1]) if code else None,
    )
    stream.append(pipeline, entry)
    if wamid is not None:
        note_wamid(pipeline, wamid, outgoing.callback)


def note_unsent(pipeline: Any, conversation: str, reply: Reply, why: str) -> None:
    """Note a reply that will never leave."""
    for index in range(len(reply.parts)):
        entry = PartSent(id=f"{reply.id}.{index}", conversation=conversation, at=datetime.now(UTC), why=why)
        stream.append(pipeline, entry)
