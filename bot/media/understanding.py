"""Turns each waiting message into text for the model; the result is kept by media id, so a file is read once."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol, assert_never

import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from bot.conversations.budget import Budget
from bot.media.archive import Archive
from bot.media.cache import ReadingCache, media_keys
from bot.media.readers import MediaError, MediaReaders, ReadMedia
from bot.messages.inbound import Document, Inbound, Media, Photo, Sticker, Text, Video, Voice
from bot.messages.language import Language
from bot.messages.prompt_text import content_text, display_filename, tagged
from bot.messages.record import Record
from bot.whatsapp.client import File, FileTooLarge, MediaGone, MediaRefused
from bot.whatsapp.errors import GraphError, MetaUnavailable, Remedy
from pipelines.byte_budget import ByteReservation, for_files
from pipelines.image import PhotoText

_log = structlog.get_logger()
_photo_text: TypeAdapter[PhotoText] = TypeAdapter(PhotoText)

# Files that are read; a sticker is told without a look at it.
_Readable = Voice | Photo | Video | Document

# Meta keeps a file as long; the picture is kept only while a turn can be tried again.
_KEEP_SECONDS = 7 * 24 * 3600
_KEEP_PICTURE_SECONDS = 900
# Because one person may send twenty files, so many of a conversation are in memory at once, and others don't wait.
_AT_ONCE = 2
# WhatsApp lets people send documents up to 100 MB; no catalogue or invoice is that large, and memory stays flat.
_MEDIA_BYTES = 32 * 1024 * 1024
_TRIES = 3
_NOT_KEPT = "no: the space for this person's files is used up, so it can't be sent back later"


class Perceived(Record):
    """Text of one message for the model; `words` are the person's own, typed or spoken.

    `trouble` names the phrase for the person when nothing was understood. `kept` is False when the person's files
    have used up their space.
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
    """A perceived message, the picture that goes to the model with it, and the text and codes of a photo."""

    perceived: Perceived
    picture: bytes | None = None
    photo_text: PhotoText | None = None


@dataclass(frozen=True, slots=True)
class _ReadingLimits:
    """Time limit, by the loop's clock, and concurrency for reading the files of one turn."""

    until: float
    slots: asyncio.Semaphore


class MediaStore(Protocol):
    """Source of the files that people sent, such as Meta's Graph API."""

    async def fetch(
        self, media_id: str, *, limit: int, reservation: ByteReservation | None = None, sha256: str | None = None
    ) -> File:
        """Fetch at most `limit` bytes into memory that `reservation` holds; raises what Graph.fetch does."""
        ...


class MediaPerception:
    def __init__(
        self, redis: Redis, store: MediaStore, readers: MediaReaders, archive: Archive, budget: Budget
    ) -> None:
        self._redis = redis
        self._budget = budget
        self._store = store
        self._readers = readers
        self._archive = archive

    async def perceive(
        self, conversation: str, messages: list[Inbound], language: Language | None, seconds: float
    ) -> list[PerceivedMessage]:
        """Perceive all messages in order; each takes at most `seconds`, waits included, and fails no other."""
        if not any(isinstance(message.content, Media) for message in messages):
            return [_understood(message) for message in messages]
        limits = _ReadingLimits(asyncio.get_running_loop().time() + seconds, asyncio.Semaphore(_AT_ONCE))
        return list(await asyncio.gather(*(self._one(conversation, message, language, limits) for message in messages)))

    async def _one(
        self, conversation: str, message: Inbound, language: Language | None, limits: _ReadingLimits
    ) -> PerceivedMessage:
        content = message.content
        if not isinstance(content, Media) or isinstance(content, Sticker):
            return _understood(message)
        started = time.perf_counter()
        result = await self._media(conversation, message, content, language, limits)
        spent = (time.perf_counter() - started) * 1000
        return replace(result, perceived=result.perceived.model_copy(update={"milliseconds": spent}))

    async def _media(
        self, conversation: str, message: Inbound, media: _Readable, language: Language | None, limits: _ReadingLimits
    ) -> PerceivedMessage:
        kept = await self._kept(conversation, media.media_id)
        if kept is not None:
            return replace(kept, perceived=kept.perceived.model_copy(update={"message": message.id}))
        stored = True
        try:
            async with asyncio.timeout_at(limits.until), limits.slots, ByteReservation(for_files()) as reservation:
                file = await self._fetch(media, reservation)
                mime = file.mime or media.mime
                stored = await self._archive.keep(conversation, message, media.media_id, file.data, mime)
                read_media = await self._read(conversation, media, file.data, language)
        except MediaError as error:
            return _not_understood(message, error.phrase, error.problem, caption=media.caption, kept=stored)
        except (TimeoutError, MetaUnavailable, GraphError, MediaGone, MediaRefused) as error:
            _log.warning("media_not_perceived", kind=message.content.kind, error=type(error).__name__)
            problem = "it could not be looked at; ask to send it again later"
            return _not_understood(message, "media_trouble", problem, caption=media.caption, kept=stored)
        result = PerceivedMessage(
            _perceived(message, media, read_media, stored=stored), read_media.picture, read_media.photo_text
        )
        await self._keep(conversation, media.media_id, result)
        return result

    async def _read(self, conversation: str, media: _Readable, data: bytes, language: Language | None) -> ReadMedia:
        spending = self._budget.account(conversation)
        readings = ReadingCache(self._redis, conversation)
        match media:
            case Voice():
                return await self._readers.read_audio(data, language, spending)
            case Photo():
                return await self._readers.read_photo(data, spending, readings)
            case Video():
                return await self._readers.read_video(data, language, spending, readings)
            case Document():
                return await self._readers.read_document(data, media.filename, language, spending, readings)
            case _:
                assert_never(media)

    async def _fetch(self, media: Media, reservation: ByteReservation) -> File:
        tries = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=0.3, max=3),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        try:
            return await tries(
                self._store.fetch, media.media_id, limit=_MEDIA_BYTES, reservation=reservation, sha256=media.sha256
            )
        except FileTooLarge as error:
            raise MediaError("media_large", "the file is too large") from error

    async def _kept(self, conversation: str, media_id: str) -> PerceivedMessage | None:
        perceived, encoded, kept_text = await self._redis.mget(media_keys(conversation, media_id))
        if perceived is None:
            return None
        picture = base64.b64decode(encoded) if encoded else None
        photo_text = replace(_photo_text.validate_json(kept_text), jpeg=picture) if kept_text and picture else None
        return PerceivedMessage(Perceived.model_validate_json(perceived), picture, photo_text)

    async def _keep(self, conversation: str, media_id: str, result: PerceivedMessage) -> None:
        pipeline = self._redis.pipeline(transaction=True)
        # Because a reading is paid for once, a retry finds it without cost.
        free = result.perceived.model_copy(update={"cost_usd": Decimal(0)})
        perceived, picture, photo_text = media_keys(conversation, media_id)
        pipeline.set(perceived, free.model_dump_json(), ex=_KEEP_SECONDS)
        if result.picture:
            pipeline.set(picture, base64.b64encode(result.picture).decode(), ex=_KEEP_PICTURE_SECONDS)
        if result.photo_text:
            without_picture = _photo_text.dump_json(replace(result.photo_text, jpeg=b""))
            pipeline.set(photo_text, without_picture, ex=_KEEP_PICTURE_SECONDS)
        await pipeline.execute()


def _understood(message: Inbound) -> PerceivedMessage:
    """A message that needs no reading of a file."""
    content = message.content
    text, trouble = content_text(content)
    words = content.body if isinstance(content, Text) else ""
    return PerceivedMessage(Perceived(message=message.id, kind=content.kind, text=text, words=words, trouble=trouble))


def unperceived(message: Inbound) -> PerceivedMessage:
    """Stand-in for a message that is given up: the model learns its kind alone."""
    return _not_understood(message, "media_trouble", "it could not be looked at")


def _not_understood(
    message: Inbound, phrase: str, problem: str, *, caption: str | None = None, kept: bool = True
) -> PerceivedMessage:
    kind = message.content.kind
    text = tagged(kind, caption=caption, problem=problem)
    return PerceivedMessage(Perceived(message=message.id, kind=kind, text=text, trouble=phrase, kept=kept))


def _perceived(message: Inbound, media: Media, read_media: ReadMedia, *, stored: bool) -> Perceived:
    facts = read_media.facts | {"kept": None if stored else _NOT_KEPT}
    return Perceived(
        message=message.id,
        kind=read_media.kind,
        text=tagged(read_media.kind, caption=media.caption, filename=display_filename(media.filename), **facts),
        words=" ".join(part for part in (media.caption, read_media.words) if part),
        by=read_media.by,
        kept=stored,
        cost_usd=read_media.cost_usd,
    )


def _may_pass(error: BaseException) -> bool:
    """Whether Meta may give the file when it is asked again: nobody else tries again."""
    return isinstance(error, MetaUnavailable) or (isinstance(error, GraphError) and error.remedy is Remedy.RETRY)
