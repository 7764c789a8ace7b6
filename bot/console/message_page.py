"""A page of a conversation's messages as the console shows it: with links to files, notes and hand-overs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.history.reader import HistoryReader


async def message_page(history: HistoryReader, conversation: str, before: str | None, limit: int) -> dict[str, Any]:
    """The messages, oldest first; the cursor of older ones; notes and hand-overs of all times. Raises WrongCursor."""
    page = (await history.messages(conversation, before=before, limit=limit)).as_json()
    return {
        "messages": [_with_link(conversation, message) for message in page["messages"]],
        "before": page["before"],
        "next": page["before"],
        "notes": await history.notes(conversation),
        "handovers": await history.handovers(conversation),
    }


def _with_link(conversation: str, message: dict[str, Any]) -> dict[str, Any]:
    """The message with the address of its file, which the console itself serves."""
    media = message["media"]
    if media is None:
        return message
    url = f"/console/api/conversations/{conversation}/media/{quote(message['id'], safe='')}" if media["key"] else None
    shown = {name: value for name, value in media.items() if name not in ("key", "media_id")}
    return message | {"media": shown | {"url": url}}
