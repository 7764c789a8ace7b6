"""Where it is kept which file a message brought, and what was understood of the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.infra.redis import key
from bot.messages.inbound import Inbound, Media

# WhatsApp lets people delete a message for everyone within about two days; a month is on the safe side.
_KEEP_MEDIA_ID_SECONDS = 30 * 24 * 3600


def media_keys(conversation: str, media_id: str) -> tuple[str, str, str]:
    """Where what was understood of a file is kept, the picture for the model, and what the photo shows and where."""
    perceived, picture, look = (key(conversation, part, media_id) for part in ("perceived", "picture", "look"))
    return perceived, picture, look


def media_key(conversation: str, wamid: str) -> str:
    """Where it is kept which file a message brought."""
    return key(conversation, "media", wamid)


def note_media(pipeline: Any, conversation: str, message: Inbound) -> None:
    """Remember which file a message brought, as long as it may be revoked, within a transaction."""
    if isinstance(message.content, Media):
        pipeline.set(media_key(conversation, message.id), message.content.media_id, ex=_KEEP_MEDIA_ID_SECONDS)


def forget_media(pipeline: Any, conversation: str, media_ids: Iterable[str]) -> None:
    """Drop all that was understood of files which their senders took back, within a transaction."""
    for media_id in media_ids:
        pipeline.delete(*media_keys(conversation, media_id))
