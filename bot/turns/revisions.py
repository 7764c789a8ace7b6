"""Messages that change the memory and ask for no answer: reactions, edits, revocations, and copies of a colleague's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, assert_never

import structlog
from pydantic import ConfigDict, TypeAdapter
from redis.asyncio import Redis

from bot.conversations import contacts, ledger, quotable, waiting_list
from bot.conversations.inbox import why_unanswered
from bot.conversations.lease import ConversationLeases, Lease
from bot.conversations.memory import History, HistoryEntry, Memory
from bot.history import stream
from bot.history.entries import MessageRead, TurnClosed
from bot.infra.queries import Query, gathered
from bot.infra.redis import key
from bot.media.archive import Archive
from bot.media.cache import forget_media, media_key
from bot.messages.inbound import (
    CallPermission,
    ContactCards,
    Content,
    Document,
    Edit,
    Form,
    GivenBack,
    Inbound,
    Location,
    Media,
    Order,
    Photo,
    Reaction,
    Revoke,
    Sticker,
    System,
    Tap,
    Text,
    Unsupported,
    Video,
    Voice,
)
from bot.messages.prompt_text import tagged, text_without_file, without_our_tags
from bot.storage.storage import StorageFailed
from bot.turns import trace

_log = structlog.get_logger()
# Meta delivers a webhook within 7 days, so an edit may come that long before its message.
_AHEAD_SECONDS = 7 * 24 * 3600
_QUOTE_LENGTH = 120
_EMOJI_LENGTH = 16
_DELETED = "(this message was deleted by its sender)"

_change: TypeAdapter[Edit | Revoke] = TypeAdapter(Edit | Revoke, config=ConfigDict(hide_input_in_errors=True))


@dataclass(frozen=True, slots=True)
class MessageBatch:
    """Waiting messages after edits and revocations: `to_answer` ask for an answer, `ends` are end states of the rest.

    `taken` is their number at the front of the waiting list. `earlier_texts` are texts of earlier messages by id.
    `media` are the files of revoked messages.
    """

    taken: int
    all: list[Inbound]
    to_answer: list[Inbound]
    ends: dict[str, dict[str, str]]
    changes: dict[str, Edit | Revoke]
    earlier_texts: dict[str, str] = field(default_factory=dict)
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """Edits and revocations that came before their messages, by message id; and texts of earlier messages."""

    changes: dict[str, Edit | Revoke]
    earlier_texts: dict[str, str]


class MessageRevisions:
    def __init__(self, redis: Redis, leases: ConversationLeases, memory: Memory, archive: Archive) -> None:
        self._redis = redis
        self._leases = leases
        self.memory = memory
        self._archive = archive

    def query(self, conversation: str, waiting: list[Inbound], earlier: tuple[str, ...] = ()) -> Query[Known]:
        """Edits that came before these messages, and texts of the messages that they refer to."""
        wamids = [message.id for message in waiting if not isinstance(message.content, Edit | Revoke)]
        referenced = {message.quoted for message in waiting} | {_target(message.content) for message in waiting}
        early_changes: Query[dict[str, Edit | Revoke]] = Query(
            (("MGET", *(_early_change_key(conversation, wamid) for wamid in wamids)),) if wamids else (),
            lambda found: _early_changes(wamids, found[0] if found else ()),
        )
        asked = [wamid for wamid in referenced if wamid]
        texts = quotable.query(conversation, asked, earlier, ttl_seconds=self.memory.ttl_seconds)
        parts = gathered(early_changes, texts)
        return Query(parts.commands, lambda found: Known(*parts.read(found)))

    async def apply_changes(
        self, conversation: str, waiting: list[Inbound], known: Known, earlier: tuple[str, ...] = ()
    ) -> MessageBatch:
        """Apply the edits and revocations among the messages, in their order, and those that came early."""
        messages = sorted(waiting, key=lambda message: message.sent_at)
        ids = {message.id for message in messages}
        changes = {wamid: change for wamid, change in known.changes.items() if wamid in ids}
        for message in messages:
            content = message.content
            if isinstance(content, Edit | Revoke) and not isinstance(changes.get(content.message_id), Revoke):
                changes[content.message_id] = content
        revised = [_revised(message, changes.get(message.id)) for message in messages]
        revoked = [wamid for wamid, change in changes.items() if isinstance(change, Revoke)]
        media = await self._left_by(conversation, revoked, earlier)
        return MessageBatch(
            taken=len(waiting),
            all=messages,
            to_answer=[message for message in revised if message is not None and why_unanswered(message) is None],
            ends={
                message.id: _end(message, state)
                for message, left in zip(messages, revised, strict=True)
                if (state := why_unanswered(message) or (None if left else "ignored: revoked"))
            },
            changes=changes,
            earlier_texts=known.earlier_texts,
            media=media,
        )

    def lines(self, batch: MessageBatch, perceived_texts: Mapping[str, str]) -> list[HistoryEntry]:
        """Entries of the memory, one a message; `perceived_texts` are the texts of `to_answer`."""
        found = []
        earlier_texts = batch.earlier_texts | dict(perceived_texts)
        for message in batch.all:
            revised = _revised(message, batch.changes.get(message.id))
            text = _line(revised, earlier_texts, perceived_texts) if revised else ""
            if text:
                by_person = message.author == "person" or message.is_ours
                role: Literal["user", "assistant"] = "user" if by_person else "assistant"
                found.append(HistoryEntry(role=role, text=text, at=message.received_at, wamid=message.id))
        return found

    def write(self, pipeline: Any, conversation: str, batch: MessageBatch, history: History) -> History:
        """Apply the batch to the stored data, in a transaction that also ends the messages; returns the new memory."""
        here = {message.id for message in batch.all}
        known = {item.wamid: item.text for item in (*history.unsummarised, *history.recent) if item.wamid}
        for wamid, change in batch.changes.items():
            pipeline.set(_early_change_key(conversation, wamid), change.model_dump_json(), ex=_AHEAD_SECONDS)
            if isinstance(change, Revoke):
                quotable.forget(pipeline, conversation, [wamid])
            elif wamid in batch.earlier_texts and wamid not in here:
                text = _edited(batch.earlier_texts[wamid], change)
                quotable.replace(pipeline, conversation, wamid, text, self.memory.ttl_seconds)
        forget_media(pipeline, conversation, batch.media)
        if any(isinstance(change, Revoke) for change in batch.changes.values()):
            trace.forget_stored(pipeline, conversation)
        for message in batch.all:
            if isinstance(message.content, CallPermission):
                contacts.allow_calls(pipeline, conversation, allowed=message.content.accepted)
            copied = _revised(message, batch.changes.get(message.id)) if message.aside else None
            if copied and _target(copied.content) is None:
                quotable.store(
                    pipeline, conversation, copied.id, text_without_file(copied.content), self.memory.ttl_seconds
                )
        ledger.end(pipeline, conversation, batch.ends)
        noted = {
            wamid: MessageRead(state=fields["state"])
            for wamid, fields in batch.ends.items()
            if fields["type"] not in ("reaction", "edit", "revoke")
        }
        if noted:
            entry = TurnClosed(id=min(noted), conversation=conversation, at=datetime.now(UTC), messages=noted)
            stream.append(pipeline, entry)
        waiting_list.drop(pipeline, conversation, batch.taken)
        revised_texts = {
            wamid: _DELETED if isinstance(change, Revoke) else _edited(known[wamid], change)
            for wamid, change in batch.changes.items()
            if wamid in known
        }
        return self.memory.amend(pipeline, conversation, history, revised_texts)

    async def end_unanswered(
        self, lease: Lease, batch: MessageBatch, history: History, *, done_with: tuple[str, ...]
    ) -> bool:
        """End messages that ask for no answer, and delete these keys, in one step. True when a summary is due."""
        summary_due = False

        def write(pipeline: Any) -> None:
            nonlocal summary_due
            after = self.write(pipeline, lease.conversation, batch, history)
            summary_due = self.memory.extend(pipeline, lease.conversation, after, self.lines(batch, {}))
            pipeline.delete(*done_with)

        await self._leases.commit(lease, write)
        ledger.ended(batch.ends)
        return summary_due

    async def _erase_files(self, conversation: str, wamids: list[str]) -> None:
        for wamid in wamids:
            try:
                await self._archive.erase_message(conversation, wamid)
            except StorageFailed as error:
                # No answer waits for a disk. The file's place stays known, so that erasing the contact finds the file.
                _log.error("revoked_file_not_erased", why=str(error), fix="see the storage; then erase the contact")

    async def _left_by(self, conversation: str, revoked: list[str], earlier: tuple[str, ...]) -> tuple[str, ...]:
        """The files of revoked messages."""
        if not revoked:
            return ()
        for name in (conversation, *earlier):
            await self._erase_files(name, revoked)
        if earlier:
            # No lease is needed, because a repetition changes nothing.
            pipeline = self._redis.pipeline(transaction=False)
            for name in earlier:
                quotable.forget(pipeline, name, revoked)
            await pipeline.execute()
        media = await self._redis.mget([media_key(conversation, wamid) for wamid in revoked])
        return tuple(file for file in media if file)


def _early_changes(wamids: list[str], found: Sequence[str | None]) -> dict[str, Edit | Revoke]:
    return {wamid: _change.validate_json(raw) for wamid, raw in zip(wamids, found, strict=True) if raw}


def line_of(message: Inbound, text: str, earlier_texts: Mapping[str, str]) -> str:
    """The text of a message with its quote, product or ad; words of other people stay between tags."""
    lines = []
    if message.before:
        lines.append(tagged("happened_before", summary=message.before))
    if message.referral:
        ad = message.referral
        lines.append(tagged("came_from_ad", source=ad.source, headline=ad.headline, text=ad.body, url=ad.url))
    if message.quoted and message.quoted in earlier_texts:
        lines.append(tagged("replying_to", text=earlier_texts[message.quoted]))
    if message.product:
        lines.append(tagged("asking_about_product", product=message.product))
    if message.forwarded and isinstance(message.content, Text):
        text = tagged("forwarded_message", text=message.content.body)
    elif message.forwarded:
        lines.append("(forwarded:)")
    return "\n".join((*lines, text))


def _line(message: Inbound, earlier_texts: Mapping[str, str], perceived_texts: Mapping[str, str]) -> str:
    match message.content:
        case Edit() | Revoke():
            return ""
        case Reaction(message_id=target, emoji=emoji):
            return _reaction(emoji, earlier_texts.get(target))
        case (
            Text()
            | Voice()
            | Photo()
            | Video()
            | Document()
            | Sticker()
            | Location()
            | ContactCards()
            | Tap()
            | Form()
            | Order()
            | CallPermission()
            | System()
            | GivenBack()
            | Unsupported()
        ):
            perceived_text = perceived_texts.get(message.id)
            text = text_without_file(message.content) if perceived_text is None else perceived_text
            return line_of(message, text, earlier_texts)
        case _:
            assert_never(message.content)


def _reaction(emoji: str | None, target: str | None) -> str:
    """The quote is cut and loses its line breaks, so that it can't pass for more than a quote."""
    short = " ".join((target or "").split())
    short = f"{short[:_QUOTE_LENGTH]}…" if len(short) > _QUOTE_LENGTH else short
    what = f": «{short}»" if short else " an earlier message"
    if emoji is None:
        return f"(took back the reaction to{what})"
    return f"(reacted {without_our_tags(emoji[:_EMOJI_LENGTH])} to{what})"


def _revised(message: Inbound, change: Edit | Revoke | None) -> Inbound | None:
    """The message after its edit; None after its revocation."""
    if isinstance(change, Revoke):
        return None
    content: Content = message.content
    if isinstance(change, Edit) and isinstance(content, Text):
        return message.model_copy(update={"content": content.model_copy(update={"body": change.body})})
    if isinstance(change, Edit) and isinstance(content, Media):
        return message.model_copy(update={"content": content.model_copy(update={"caption": change.body})})
    return message


def _edited(text: str, change: Edit) -> str:
    # The file's perceived text stays. So does the old caption, because its end in the text is unknown.
    return f"{text}\n{tagged('edited_caption', text=change.body)}" if change.caption else without_our_tags(change.body)


def _target(content: Content) -> str | None:
    return content.message_id if isinstance(content, Reaction | Edit | Revoke) else None


def _end(message: Inbound, state: str) -> dict[str, str]:
    return {"state": state, "type": message.content.kind, "received_at": message.received_at.isoformat()}


def _early_change_key(conversation: str, wamid: str) -> str:
    return key(conversation, "changed", wamid)
