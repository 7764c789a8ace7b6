"""Every waiting message becomes text that the model can read; what was understood once is kept by its media id."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from html import escape
from typing import Protocol, assert_never

import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from bot.archive import Archive
from bot.budget import Budget
from bot.language import Language
from bot.media import media_keys
from bot.messages import (
    CallPermission,
    Cards,
    Content,
    Document,
    Edit,
    Form,
    Inbound,
    Location,
    Media,
    Order,
    Photo,
    Reaction,
    Record,
    Revoke,
    Sticker,
    System,
    Tap,
    Text,
    Unsupported,
    Video,
    Voice,
)
from bot.readings import Readings
from bot.senses import Sensed, Senses, Trouble
from bot.whatsapp.client import File, FileTooLarge, MediaGone, MediaRefused
from bot.whatsapp.errors import GraphError, Remedy, Unavailable
from pipelines import image

_log = structlog.get_logger()
_look: TypeAdapter[image.Sight] = TypeAdapter(image.Sight)

# As long as Meta keeps a file; the picture only as long as a turn can be tried again.
_KEEP_SECONDS = 7 * 24 * 3600
_KEEP_PICTURE_SECONDS = 900
# WhatsApp lets people send documents up to 100 MB; no catalogue or invoice is that large, and memory stays flat.
_MEDIA_BYTES = 32 * 1024 * 1024
_TRIES = 3


class Perceived(Record):
    """What one message says to the model; `words` are the person's own, as far as there are any.

    `trouble` names the phrase for the person when nothing was understood.
    """

    message: str
    kind: str
    text: str
    words: str = ""
    by: str | None = None
    trouble: str | None = None
    cost_usd: Decimal = Decimal(0)
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Sight:
    """A perceived message, the picture that goes to the model with it, and what a photo shows and where."""

    perceived: Perceived
    picture: bytes | None = None
    look: image.Sight | None = None


class Shelf(Protocol):
    """Where the files that people sent are; Meta's Graph API is one."""

    async def fetch(self, media_id: str, *, limit: int, sha256: str | None = None) -> File:
        """The file's bytes, at most `limit` of them; raises what Graph.fetch does."""
        ...


class Perception:
    def __init__(self, redis: Redis, graph: Shelf, senses: Senses, archive: Archive, budget: Budget) -> None:
        self._redis = redis
        self._budget = budget
        self._graph = graph
        self._senses = senses
        self._archive = archive

    async def perceive(
        self, conversation: str, messages: list[Inbound], language: Language | None, seconds: float
    ) -> list[Sight]:
        """All messages at once, in their order; none takes longer than `seconds`, and none fails the others."""
        return list(
            await asyncio.gather(*(self._one(conversation, message, language, seconds) for message in messages))
        )

    async def _one(self, conversation: str, message: Inbound, language: Language | None, seconds: float) -> Sight:
        started = time.perf_counter()
        content = message.content
        if isinstance(content, Media) and not isinstance(content, Sticker):
            sight = await self._media(conversation, message, content, language, seconds)
        else:
            text, trouble = _read(content)
            words = content.body if isinstance(content, Text) else ""
            sight = Sight(Perceived(message=message.id, kind=content.kind, text=text, words=words, trouble=trouble))
        spent = (time.perf_counter() - started) * 1000
        return replace(sight, perceived=sight.perceived.model_copy(update={"milliseconds": spent}))

    async def _media(
        self, conversation: str, message: Inbound, media: Media, language: Language | None, seconds: float
    ) -> Sight:
        kept = await self._kept(conversation, media.media_id)
        if kept is not None:
            return replace(kept, perceived=kept.perceived.model_copy(update={"message": message.id}))
        kind = message.content.kind
        try:
            async with asyncio.timeout(seconds):
                sensed = await self._sense(conversation, message, media, language)
        except Trouble as trouble:
            text = fenced(kind, caption=media.caption, problem=trouble.problem)
            return Sight(Perceived(message=message.id, kind=kind, text=text, trouble=trouble.phrase))
        except (TimeoutError, Unavailable, GraphError, MediaGone, MediaRefused) as error:
            _log.warning("media_not_perceived", kind=kind, error=type(error).__name__)
            text = fenced(kind, caption=media.caption, problem="it could not be looked at; ask to send it again later")
            return Sight(Perceived(message=message.id, kind=kind, text=text, trouble="media_trouble"))
        perceived = Perceived(
            message=message.id,
            kind=sensed.kind,
            text=fenced(sensed.kind, caption=media.caption, filename=_shown(media.filename), **sensed.facts),
            words=" ".join(part for part in (media.caption, sensed.words) if part),
            by=sensed.by,
            cost_usd=sensed.cost_usd,
        )
        sight = Sight(perceived, sensed.picture, sensed.sight)
        await self._keep(conversation, media.media_id, sight)
        return sight

    async def _sense(self, conversation: str, message: Inbound, media: Media, language: Language | None) -> Sensed:
        try:
            file = await self._fetch(media)
        except FileTooLarge as error:
            raise Trouble("media_large", "the file is too large") from error
        await self._archive.keep(conversation, message, media.media_id, file.data, file.mime or media.mime)
        purse = self._budget.account(conversation)
        readings = Readings(self._redis, conversation)
        match media:
            case Voice():
                return await self._senses.hear(file.data, language, purse)
            case Photo():
                return await self._senses.look(file.data, purse, readings)
            case Video():
                return await self._senses.watch(file.data, language, purse, readings)
            case _:
                return await self._senses.read(file.data, media.filename, language, purse, readings)

    async def _fetch(self, media: Media) -> File:
        tries = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=0.3, max=3),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        return await tries(self._graph.fetch, media.media_id, limit=_MEDIA_BYTES, sha256=media.sha256)

    async def _kept(self, conversation: str, media_id: str) -> Sight | None:
        raw, kept, seen = await self._redis.mget(media_keys(conversation, media_id))
        if raw is None:
            return None
        picture = base64.b64decode(kept) if kept else None
        look = replace(_look.validate_json(seen), jpeg=picture) if seen and picture else None
        return Sight(Perceived.model_validate_json(raw), picture, look)

    async def _keep(self, conversation: str, media_id: str, sight: Sight) -> None:
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
    return isinstance(error, Unavailable) or (isinstance(error, GraphError) and error.remedy is Remedy.RETRY)


def typed(message: Inbound) -> str:
    """What the person wrote: a text, or what stands below a file."""
    content = message.content
    return content.body if isinstance(content, Text) else (isinstance(content, Media) and content.caption) or ""


def glance(content: Content) -> str:
    """What a message says without a look at its file."""
    if isinstance(content, Media):
        return fenced(content.kind, caption=content.caption, filename=_shown(content.filename), note="not looked at")
    return _read(content)[0]


def unlooked_at(message: Inbound) -> Sight:
    """A message that is given up: it is known that there was one, and of what kind."""
    kind = message.content.kind
    text = fenced(kind, problem="it could not be looked at")
    return Sight(Perceived(message=message.id, kind=kind, text=text, trouble="media_trouble"))


def _shown(filename: str | None) -> str | None:
    """A file's name as a label: no folders, nothing invisible that would make it look like another."""
    name = (filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable()) or None


def fenced(tag: str, **facts: str | None) -> str:
    """Facts about what was sent, between tags that a text of others can't close: it stays data."""
    tag = _TAGS.get(tag, tag)
    inside = "".join(f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in facts.items() if value)
    return f"<{tag}>{inside}</{tag}>"


def _answers(raw: str) -> str:
    """A form's answers, each as `name: value`; what is no JSON object is read as it is."""
    try:
        given = json.loads(raw)
        lines = [
            f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for name, value in given.items()
            if name != _OF_THE_FLOW
        ]
    except (ValueError, RecursionError, AttributeError):
        return raw
    return "; ".join(lines).encode("utf-8", "replace").decode() or raw


# What a Flow sends along for machines, not for reading.
_OF_THE_FLOW = "flow_token"
# Meta could not fetch what the person sent (reference 2.6).
_LOST = 131052
# By kind. What a person types may hold none of these, or it could pass for what the system perceived.
_TAGS = {"voice": "voice_note", "cards": "contact_cards", "tap": "tapped"} | {
    tag: tag
    for tag in (
        "photo", "video", "document", "sticker", "location", "form", "order", "lost_file", "unreadable_message",
        "came_from_ad", "replying_to", "asking_about_product", "forwarded_message", "edited_caption", "tap_settled",
        "conversation",
    )
}  # fmt: skip
_FORGED = re.compile(rf"<(?=\s*/?\s*(?:{'|'.join(_TAGS.values())})\b)", re.IGNORECASE)


def unforged(text: str) -> str:
    """What a person typed, as it is, but for tags that only we write."""
    return _FORGED.sub("&lt;", text)


def _read(content: Content) -> tuple[str, str | None]:  # noqa: C901, PLR0911 - one line for each kind
    """What a message without a file says, and the phrase for the person when that is nothing."""
    match content:
        case Text():
            return unforged(content.body), None
        case Location():
            place = f"{content.latitude:.6f}, {content.longitude:.6f}"
            return fenced("location", coordinates=place, name=content.name, address=content.address), None
        case Cards():
            cards = "; ".join(
                f"{card.name or 'unnamed'}: {', '.join(card.phones) or 'no phone'}"
                + (" (the sender's own number, says WhatsApp)" if card.vouched else "")
                for card in content.cards
            )
            return fenced("cards", cards=cards), None
        case Tap():
            return fenced("tap", title=content.title), None
        case Form():
            return fenced("form", answers=_answers(content.answers)), None
        case Order():
            return fenced("order", items="; ".join(content.items), text=content.text), None
        case Sticker():
            return fenced("sticker", note="a sticker, as a gesture"), None
        case Unsupported(error=error) if error == _LOST:
            problem = f"a message of the kind {content.type!r} whose file did not arrive; ask to send it again"
            return fenced("lost_file", problem=problem), "media_lost"
        case Unsupported():
            problem = f"a message of the kind {content.type!r}, which can't be read here"
            return fenced("unreadable_message", problem=problem), "unsupported"
        case CallPermission(accepted=accepted):
            return "(allowed us to call)" if accepted else "(did not allow us to call)", None
        case Reaction() | Edit() | Revoke() | System() | Voice() | Photo() | Video() | Document():
            raise ValueError(f"{content.kind} does not come here")
        case _:
            assert_never(content)
