"""What changes the memory and starts no turn: reactions, edits, revocations, and copies of what was said past us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog
from pydantic import ConfigDict, TypeAdapter
from redis.asyncio import Redis

from bot.conversations import contacts, ledger, memory, waiting_list
from bot.conversations.inbox import why_unanswered
from bot.conversations.lease import ConversationLeases, Lease
from bot.conversations.memory import History, HistoryEntry, Memory
from bot.infra.queries import Query, gathered
from bot.infra.redis import key
from bot.media.archive import Archive
from bot.media.cache import forget_media, media_key
from bot.messages.inbound import CallPermission, Content, Edit, Inbound, Media, Reaction, Revoke, Text
from bot.messages.prompt_text import tagged, text_without_file, without_our_tags
from bot.storage.storage import StorageFailed
from bot.turns import trace

_log = structlog.get_logger()
# Meta tells everything within 7 days: news of a message may be here before the message.
_AHEAD_SECONDS = 7 * 24 * 3600
_QUOTE_LENGTH = 120
_EMOJI_LENGTH = 16
_DELETED = "(this message was deleted by its sender)"

_change: TypeAdapter[Edit | Revoke] = TypeAdapter(Edit | Revoke, config=ConfigDict(hide_input_in_errors=True))


@dataclass(frozen=True, slots=True)
class MessageBatch:
    """Waiting messages, sorted out: `speech` asks for an answer and is as its senders left it, `ends` are of the rest.

    `taken` is how many lie at the front of the waiting list, `said` are texts of earlier messages, `media` the files of
    revoked ones, `traces` the turns that tell of those.
    """

    taken: int
    all: list[Inbound]
    speech: list[Inbound]
    ends: dict[str, dict[str, str]]
    changes: dict[str, Edit | Revoke]
    said: dict[str, str] = field(default_factory=dict)
    media: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """News of messages that came before the messages themselves, by id; and texts of earlier messages."""

    changes: dict[str, Edit | Revoke]
    said: dict[str, str]


class MessageRevisions:
    def __init__(self, redis: Redis, leases: ConversationLeases, memory: Memory, archive: Archive) -> None:
        self._redis = redis
        self._leases = leases
        self.memory = memory
        self._archive = archive

    @staticmethod
    def query(conversation: str, waiting: list[Inbound], earlier: tuple[str, ...] = ()) -> Query[Known]:
        """What is known of these messages already, and of those that they refer to."""
        wamids = [message.id for message in waiting if not isinstance(message.content, Edit | Revoke)]
        asked = {message.quoted for message in waiting} | {_target(message.content) for message in waiting}
        ahead: Query[dict[str, Edit | Revoke]] = Query(
            (("MGET", *(_ahead(conversation, wamid) for wamid in wamids)),) if wamids else (),
            lambda found: _told_ahead(wamids, found[0] if found else ()),
        )
        parts = gathered(ahead, memory.quoted(conversation, [wamid for wamid in asked if wamid], earlier))
        return Query(parts.commands, lambda found: Known(*parts.read(found)))

    async def sort_out(
        self, conversation: str, waiting: list[Inbound], known: Known, earlier: tuple[str, ...] = ()
    ) -> MessageBatch:
        """Apply to each other what waits, in the order in which it was sent, and what was told ahead."""
        messages = sorted(waiting, key=lambda message: message.sent_at)
        ids = {message.id for message in messages}
        changes = {wamid: change for wamid, change in known.changes.items() if wamid in ids}
        for message in messages:
            content = message.content
            if isinstance(content, Edit | Revoke) and not isinstance(changes.get(content.message_id), Revoke):
                changes[content.message_id] = content
        revised = [_revised(message, changes.get(message.id)) for message in messages]
        revoked = [wamid for wamid, change in changes.items() if isinstance(change, Revoke)]
        media, traces = await self._left_by(conversation, revoked, earlier)
        return MessageBatch(
            taken=len(waiting),
            all=messages,
            speech=[one for one in revised if one is not None and why_unanswered(one) is None],
            ends={
                message.id: _end(message, state)
                for message, left in zip(messages, revised, strict=True)
                if (state := why_unanswered(message) or (None if left else "ignored: revoked"))
            },
            changes=changes,
            said=known.said,
            media=media,
            traces=traces,
        )

    def lines(self, batch: MessageBatch, heard: Mapping[str, str]) -> list[HistoryEntry]:
        """What all of it says, one line a message; `heard` holds the texts of `speech`."""
        found = []
        said = batch.said | dict(heard)
        for message in batch.all:
            revised = _revised(message, batch.changes.get(message.id))
            text = _line(revised, said, heard) if revised else ""
            if text:
                role: Literal["user", "assistant"] = "user" if message.author == "person" else "assistant"
                found.append(HistoryEntry(role=role, text=text, at=message.received_at, wamid=message.id))
        return found

    def write(self, pipeline: Any, conversation: str, batch: MessageBatch, before: History) -> History:
        """Change what is kept, within a transaction that also ends the messages; returns the memory as it then is."""
        here = {message.id for message in batch.all}
        known = {item.wamid: item.text for item in (*before.fallen, *before.recent) if item.wamid}
        for wamid, change in batch.changes.items():
            pipeline.set(_ahead(conversation, wamid), change.model_dump_json(), ex=_AHEAD_SECONDS)
            if isinstance(change, Revoke):
                memory.forget_quotes(pipeline, conversation, [wamid])
            elif wamid in batch.said and wamid not in here:
                text = _edited(batch.said[wamid], change)
                memory.quotable(pipeline, conversation, wamid, text, self.memory.ttl_seconds)
        forget_media(pipeline, conversation, batch.media)
        for told in batch.traces:
            trace.forget(pipeline, conversation, told)
        for message in batch.all:
            if isinstance(message.content, CallPermission):
                contacts.allow_calls(pipeline, conversation, allowed=message.content.accepted)
            copied = _revised(message, batch.changes.get(message.id)) if message.aside else None
            if copied and _target(copied.content) is None:
                memory.quotable(
                    pipeline, conversation, copied.id, text_without_file(copied.content), self.memory.ttl_seconds
                )
        ledger.end(pipeline, conversation, batch.ends)
        waiting_list.drop(pipeline, conversation, batch.taken)
        news = {
            wamid: _DELETED if isinstance(change, Revoke) else _edited(known[wamid], change)
            for wamid, change in batch.changes.items()
            if wamid in known
        }
        return self.memory.amend(pipeline, conversation, before, news)

    async def keep(self, lease: Lease, batch: MessageBatch, before: History, *, done_with: tuple[str, ...]) -> bool:
        """Close what holds nothing to answer and delete these keys, in one step. True when a summary is due."""
        due = False

        def write(pipeline: Any) -> None:
            nonlocal due
            after = self.write(pipeline, lease.conversation, batch, before)
            due = self.memory.extend(pipeline, lease.conversation, after, self.lines(batch, {}))
            pipeline.delete(*done_with)

        await self._leases.commit(lease, write)
        ledger.ended(batch.ends)
        return due

    async def _erase_files(self, conversation: str, wamids: list[str]) -> None:
        for wamid in wamids:
            try:
                await self._archive.erase_message(conversation, wamid)
            except StorageFailed as error:
                # Nobody's answer waits for a disk; the file's place stays known, so that erasing the contact finds it.
                _log.error("revoked_file_not_erased", why=str(error), fix="see the storage; then erase the contact")

    async def _left_by(
        self, conversation: str, revoked: list[str], earlier: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The files that revoked messages brought, and the traces of turns that repeat their words."""
        if not revoked:
            return (), ()
        for one in (conversation, *earlier):
            await self._erase_files(one, revoked)
        if earlier:
            # Doing it twice is doing it once, so it needs no lease.
            pipeline = self._redis.pipeline(transaction=False)
            for one in earlier:
                memory.forget_quotes(pipeline, one, revoked)
            await pipeline.execute()
        media = await self._redis.mget([media_key(conversation, wamid) for wamid in revoked])
        traces = await trace.raw_about(self._redis, conversation, revoked)
        return tuple(one for one in media if one), traces


def _told_ahead(wamids: list[str], found: Sequence[str | None]) -> dict[str, Edit | Revoke]:
    return {wamid: _change.validate_json(raw) for wamid, raw in zip(wamids, found, strict=True) if raw}


def line_of(message: Inbound, text: str, said: Mapping[str, str]) -> str:
    """What a message says, with what it refers to: a quote, a product, an ad; others' words stay between tags."""
    lines = []
    if message.referral:
        ad = message.referral
        lines.append(tagged("came_from_ad", source=ad.source, headline=ad.headline, text=ad.body, url=ad.url))
    if message.quoted and message.quoted in said:
        lines.append(tagged("replying_to", text=said[message.quoted]))
    if message.product:
        lines.append(tagged("asking_about_product", product=message.product))
    if message.forwarded and isinstance(message.content, Text):
        text = tagged("forwarded_message", text=message.content.body)
    elif message.forwarded:
        lines.append("(forwarded:)")
    return "\n".join((*lines, text))


def _line(message: Inbound, said: Mapping[str, str], heard: Mapping[str, str]) -> str:
    match message.content:
        case Edit() | Revoke():
            return ""
        case Reaction(message_id=target, emoji=emoji):
            return _reaction(emoji, said.get(target))
        case content:
            return line_of(message, heard[message.id] if message.id in heard else text_without_file(content), said)


def _reaction(emoji: str | None, target: str | None) -> str:
    """The quote is cut and loses its line breaks, so that it can't look like more than a quote."""
    short = " ".join((target or "").split())
    short = f"{short[:_QUOTE_LENGTH]}…" if len(short) > _QUOTE_LENGTH else short
    what = f": «{short}»" if short else " an earlier message"
    if emoji is None:
        return f"(took back the reaction to{what})"
    return f"(reacted {without_our_tags(emoji[:_EMOJI_LENGTH])} to{what})"


def _revised(message: Inbound, change: Edit | Revoke | None) -> Inbound | None:
    """The message as its sender left it; None when it was taken back."""
    if isinstance(change, Revoke):
        return None
    content: Content = message.content
    if isinstance(change, Edit) and isinstance(content, Text):
        return message.model_copy(update={"content": content.model_copy(update={"body": change.body})})
    if isinstance(change, Edit) and isinstance(content, Media):
        return message.model_copy(update={"content": content.model_copy(update={"caption": change.body})})
    return message


def _edited(text: str, change: Edit) -> str:
    # What was seen in the file stays; the old caption stays too, because nobody knows where it ends.
    return f"{text}\n{tagged('edited_caption', text=change.body)}" if change.caption else without_our_tags(change.body)


def _target(content: Content) -> str | None:
    return content.message_id if isinstance(content, Reaction | Edit | Revoke) else None


def _end(message: Inbound, state: str) -> dict[str, str]:
    return {"state": state, "type": message.content.kind, "received_at": message.received_at.isoformat()}


def _ahead(conversation: str, wamid: str) -> str:
    return key(conversation, "changed", wamid)
