"""Every waiting message becomes text that the model can read; what was understood once is kept by its media id."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from bot.conversations.budget import Budget
from bot.media.archive import Archive
from bot.media.cache import media_keys
from bot.media.readers import MediaError, MediaReaders, ReadMedia
from bot.media.readings import ReadingCache
from bot.messages.inbound import Inbound, Media, Photo, Sticker, Text, Video, Voice
from bot.messages.language import Language
from bot.messages.prompt_text import display_filename, read, tagged
from bot.messages.record import Record
from bot.whatsapp.client import File, FileTooLarge, MediaGone, MediaRefused
from bot.whatsapp.errors import GraphError, MetaUnavailable, Remedy
from pipelines import image
from pipelines.byte_budget import Room, for_files

_log = structlog.get_logger()
_look: TypeAdapter[image.PhotoText] = TypeAdapter(image.PhotoText)

# As long as Meta keeps a file; the picture only as long as a turn can be tried again.
_KEEP_SECONDS = 7 * 24 * 3600
_KEEP_PICTURE_SECONDS = 900
# As many files of one conversation are in memory at once: whoever sends twenty waits for their own, and others don't.
_AT_ONCE = 2
# WhatsApp lets people send documents up to 100 MB; no catalogue or invoice is that large, and memory stays flat.
_MEDIA_BYTES = 32 * 1024 * 1024
_TRIES = 3
_NOT_KEPT = "no: the space for this person's files is used up, so it can't be sent back later"


class Perceived(Record):
    """What one message says to the model; `words` are the person's own, as far as there are any.

    `trouble` names the phrase for the person when nothing was understood. `kept` is False where their files take all
    the space that they may.
    """

    message: str
    kind: str
    text: str
    words: str = ""
    by: str | None = None
    trouble: str | None = None
    kept: bool = True
    cost_usd: Decimal = Decimal(0)
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PerceivedMessage:
    """A perceived message, the picture that goes to the model with it, and what a photo shows and where."""

    perceived: Perceived
    picture: bytes | None = None
    look: image.PhotoText | None = None


@dataclass(frozen=True, slots=True)
class _Deadline:
    """Until when, by the loop's clock, the files of one turn may be looked at, and how many at once."""

    until: float
    turns: asyncio.Semaphore


class MediaStore(Protocol):
    """Where the files that people sent are; Meta's Graph API is one."""

    async def fetch(self, media_id: str, *, limit: int, room: Room | None = None, sha256: str | None = None) -> File:
        """The file's bytes, at most `limit` of them, in memory that `room` holds; raises what Graph.fetch does."""
        ...


class MediaPerception:
    def __init__(self, redis: Redis, graph: MediaStore, senses: MediaReaders, archive: Archive, budget: Budget) -> None:
        self._redis = redis
        self._budget = budget
        self._graph = graph
        self._senses = senses
        self._archive = archive

    async def perceive(
        self, conversation: str, messages: list[Inbound], language: Language | None, seconds: float
    ) -> list[PerceivedMessage]:
        """All messages, in their order; none takes longer than `seconds`, waits included, and none fails the others."""
        deadline = _Deadline(asyncio.get_running_loop().time() + seconds, asyncio.Semaphore(_AT_ONCE))
        return list(
            await asyncio.gather(*(self._one(conversation, message, language, deadline) for message in messages))
        )

    async def _one(
        self, conversation: str, message: Inbound, language: Language | None, deadline: _Deadline
    ) -> PerceivedMessage:
        started = time.perf_counter()
        content = message.content
        if isinstance(content, Media) and not isinstance(content, Sticker):
            sight = await self._media(conversation, message, content, language, deadline)
        else:
            text, trouble = read(content)
            words = content.body if isinstance(content, Text) else ""
            sight = PerceivedMessage(
                Perceived(message=message.id, kind=content.kind, text=text, words=words, trouble=trouble)
            )
        spent = (time.perf_counter() - started) * 1000
        return replace(sight, perceived=sight.perceived.model_copy(update={"milliseconds": spent}))

    async def _media(
        self, conversation: str, message: Inbound, media: Media, language: Language | None, deadline: _Deadline
    ) -> PerceivedMessage:
        kept = await self._kept(conversation, media.media_id)
        if kept is not None:
            return replace(kept, perceived=kept.perceived.model_copy(update={"message": message.id}))
        kind, stored = message.content.kind, True
        try:
            async with asyncio.timeout_at(deadline.until), deadline.turns, Room(for_files()) as room:
                file = await self._fetch(media, room)
                mime = file.mime or media.mime
                stored = await self._archive.keep(conversation, message, media.media_id, file.data, mime)
                sensed = await self._sense(conversation, media, file.data, language)
        except MediaError as trouble:
            text = tagged(kind, caption=media.caption, problem=trouble.problem)
            return PerceivedMessage(
                Perceived(message=message.id, kind=kind, text=text, trouble=trouble.phrase, kept=stored)
            )
        except (TimeoutError, MetaUnavailable, GraphError, MediaGone, MediaRefused) as error:
            _log.warning("media_not_perceived", kind=kind, error=type(error).__name__)
            text = tagged(kind, caption=media.caption, problem="it could not be looked at; ask to send it again later")
            return PerceivedMessage(
                Perceived(message=message.id, kind=kind, text=text, trouble="media_trouble", kept=stored)
            )
        facts = sensed.facts | {"kept": None if stored else _NOT_KEPT}
        perceived = Perceived(
            message=message.id,
            kind=sensed.kind,
            text=tagged(sensed.kind, caption=media.caption, filename=display_filename(media.filename), **facts),
            words=" ".join(part for part in (media.caption, sensed.words) if part),
            by=sensed.by,
            kept=stored,
            cost_usd=sensed.cost_usd,
        )
        sight = PerceivedMessage(perceived, sensed.picture, sensed.sight)
        await self._keep(conversation, media.media_id, sight)
        return sight

    async def _sense(self, conversation: str, media: Media, data: bytes, language: Language | None) -> ReadMedia:
        spending = self._budget.account(conversation)
        readings = ReadingCache(self._redis, conversation)
        match media:
            case Voice():
                return await self._senses.hear(data, language, spending)
            case Photo():
                return await self._senses.look(data, spending, readings)
            case Video():
                return await self._senses.watch(data, language, spending, readings)
            case _:
                return await self._senses.read(data, media.filename, language, spending, readings)

    async def _fetch(self, media: Media, room: Room) -> File:
        tries = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=0.3, max=3),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        try:
            return await tries(self._graph.fetch, media.media_id, limit=_MEDIA_BYTES, room=room, sha256=media.sha256)
        except FileTooLarge as error:
            raise MediaError("media_large", "the file is too large") from error

    async def _kept(self, conversation: str, media_id: str) -> PerceivedMessage | None:
        raw, kept, seen = await self._redis.mget(media_keys(conversation, media_id))
        if raw is None:
            return None
        picture = base64.b64decode(kept) if kept else None
        look = replace(_look.validate_json(seen), jpeg=picture) if seen and picture else None
        return PerceivedMessage(Perceived.model_validate_json(raw), picture, look)

    async def _keep(self, conversation: str, media_id: str, sight: PerceivedMessage) -> None:
        pipeline = self._redis.pipeline(transaction=True)
        # What was paid is paid once: a retry finds it free.
        free = sight.perceived.model_copy(update={"cost_usd": Decimal(0)})
        perceived, picture, look = media_keys(conversation, media_id)
        pipeline.set(perceived, free.model_dump_json(), ex=_KEEP_SECONDS)
        if sight.picture:
            pipeline.set(picture, base64.b64encode(sight.picture).decode(), ex=_KEEP_PICTURE_SECONDS)
        if sight.look:
            pipeline.set(look, _look.dump_json(replace(sight.look, jpeg=b"")), ex=_KEEP_PICTURE_SECONDS)
        await pipeline.execute()


def _may_pass(error: BaseException) -> bool:
    """Whether Meta may give a file when it is asked again; nobody else asks, and the person would have to."""
    return isinstance(error, MetaUnavailable) or (isinstance(error, GraphError) and error.remedy is Remedy.RETRY)


def unlooked_at(message: Inbound) -> PerceivedMessage:
    """A message that is given up: it is known that there was one, and of what kind."""
    kind = message.content.kind
    text = tagged(kind, problem="it could not be looked at")
    return PerceivedMessage(Perceived(message=message.id, kind=kind, text=text, trouble="media_trouble"))
