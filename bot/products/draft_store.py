"""Keeps drafts between messages, under their conversation; a turn's changes are written in one transaction."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace

from redis.asyncio import Redis

from bot.infra.redis import answer, key
from bot.messages.outbound import Part
from bot.messages.record import Record
from bot.products.draft import Draft
from pipelines.image import PhotoText

# A draft expires if nobody continues it within this time.
SESSION_SECONDS = 15 * 60
# Drafts outlive their expiry, because a person who goes on later is told that the draft expired.
_KEEP_SECONDS = 24 * 3600
# Because pictures are large, they expire when no card of the draft can be tapped any more.
_KEEP_PICTURES_SECONDS = 3600


class CapturedTurn(Record):
    """Reply of the session to a turn; `messages` are the ids of those that it handled."""

    text: str = ""
    parts: tuple[Part, ...] = ()
    messages: tuple[str, ...] = ()


class Session(Record):
    """The current draft, and the result of the last turn for a second try of it."""

    draft: str | None = None
    turn: str = ""
    captured: CapturedTurn = CapturedTurn()
    until: float = 0.0


class _Kept(Record):
    # Drafts in Redis have this name, so it stays.
    sight: PhotoText
    jpeg: str


@dataclass(slots=True)
class DraftChange:
    """Changes of a turn: drafts by id, and the texts of new photos by draft and message."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    photo_texts: dict[str, dict[str, PhotoText]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafts:
    """Drafts in Redis; a writer holds the conversation's lease."""

    redis: Redis

    async def session(self, conversation: str) -> Session:
        raw = await answer(self.redis.get(_session_key(conversation)))
        return Session.model_validate_json(raw) if raw else Session()

    async def get(self, conversation: str, draft: str) -> Draft | None:
        raw = await answer(self.redis.get(_draft_key(conversation, draft)))
        return Draft.model_validate_json(raw) if raw else None

    async def photo_texts(self, conversation: str, draft: Draft) -> list[PhotoText]:
        """Texts of the draft's photos in order; expired ones are left out."""
        if not draft.photos:
            return []
        kept = await answer(self.redis.hmget(_photos_key(conversation, draft.id), list(draft.photos)))
        found = [_Kept.model_validate_json(raw) for raw in kept if raw]
        return [replace(kept.sight, jpeg=base64.b64decode(kept.jpeg)) for kept in found]

    async def write(self, conversation: str, changes: DraftChange, session: Session | None = None) -> None:
        pipeline = self.redis.pipeline(transaction=True)
        for draft in changes.drafts.values():
            pipeline.set(_draft_key(conversation, draft.id), draft.model_dump_json(), ex=_KEEP_SECONDS)
            pipeline.expire(_photos_key(conversation, draft.id), _KEEP_PICTURES_SECONDS)
        for name, photo_texts in changes.photo_texts.items():
            pipeline.hset(
                _photos_key(conversation, name),
                mapping={message: _kept(photo_text) for message, photo_text in photo_texts.items()},
            )
            pipeline.expire(_photos_key(conversation, name), _KEEP_PICTURES_SECONDS)
        if session is not None:
            pipeline.set(_session_key(conversation), session.model_dump_json(), ex=_KEEP_SECONDS)
        await pipeline.execute()


def _kept(photo_text: PhotoText) -> str:
    kept = _Kept(sight=replace(photo_text, jpeg=b""), jpeg=base64.b64encode(photo_text.jpeg).decode())
    return kept.model_dump_json()


def _session_key(conversation: str) -> str:
    return key(conversation, "capture")


def _draft_key(conversation: str, draft: str) -> str:
    return key(conversation, "draft", draft)


def _photos_key(conversation: str, draft: str) -> str:
    return key(conversation, "draft", draft, "sights")
