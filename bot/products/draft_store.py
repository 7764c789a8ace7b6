"""Where drafts are kept between messages: below their conversation, all changes of a turn in one step."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace

from redis.asyncio import Redis

from bot.infra.redis import answer, key
from bot.messages.outbound import Part
from bot.messages.record import Record
from bot.products.draft import Draft
from pipelines.image import PhotoText

# Known for longer than they are good, so that whoever goes on is told that they expired.
_KEEP_SECONDS = 24 * 3600
# Pictures are large: they go when no card of the draft can be tapped any more.
_KEEP_PICTURES_SECONDS = 3600


class CapturedTurn(Record):
    """What the session made of a turn; `messages` are those that were its business."""

    text: str = ""
    parts: tuple[Part, ...] = ()
    messages: tuple[str, ...] = ()


class Session(Record):
    """The draft that is talked about, and what the last turn came to, for a second try of that turn."""

    draft: str | None = None
    turn: str = ""
    captured: CapturedTurn = CapturedTurn()
    until: float = 0.0


class _Kept(Record):
    sight: PhotoText
    jpeg: str


@dataclass(slots=True)
class DraftChange:
    """What a turn changes."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    sights: dict[str, dict[str, PhotoText]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafts:
    """The conversation's lease has to be held by whoever writes."""

    redis: Redis

    async def session(self, conversation: str) -> Session:
        raw = await answer(self.redis.get(_session(conversation)))
        return Session.model_validate_json(raw) if raw else Session()

    async def get(self, conversation: str, draft: str) -> Draft | None:
        raw = await answer(self.redis.get(_draft(conversation, draft)))
        return Draft.model_validate_json(raw) if raw else None

    async def sights(self, conversation: str, draft: Draft) -> list[PhotoText]:
        """What the draft's photos show, in its order; those whose pictures are gone are left out."""
        if not draft.photos:
            return []
        kept = await answer(self.redis.hmget(_sights(conversation, draft.id), list(draft.photos)))
        found = [_Kept.model_validate_json(raw) for raw in kept if raw]
        return [replace(one.sight, jpeg=base64.b64decode(one.jpeg)) for one in found]

    async def write(self, conversation: str, changes: DraftChange, session: Session | None = None) -> None:
        pipeline = self.redis.pipeline(transaction=True)
        for draft in changes.drafts.values():
            pipeline.set(_draft(conversation, draft.id), draft.model_dump_json(), ex=_KEEP_SECONDS)
            pipeline.expire(_sights(conversation, draft.id), _KEEP_PICTURES_SECONDS)
        for name, sights in changes.sights.items():
            pipeline.hset(_sights(conversation, name), mapping={one: _kept(sight) for one, sight in sights.items()})
            pipeline.expire(_sights(conversation, name), _KEEP_PICTURES_SECONDS)
        if session is not None:
            pipeline.set(_session(conversation), session.model_dump_json(), ex=_KEEP_SECONDS)
        await pipeline.execute()


def _kept(sight: PhotoText) -> str:
    kept = _Kept(sight=replace(sight, jpeg=b""), jpeg=base64.b64encode(sight.jpeg).decode())
    return kept.model_dump_json()


def _session(conversation: str) -> str:
    return key(conversation, "capture")


def _draft(conversation: str, draft: str) -> str:
    return key(conversation, "draft", draft)


def _sights(conversation: str, draft: str) -> str:
    return key(conversation, "draft", draft, "sights")
