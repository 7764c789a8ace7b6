"""Messages of operators to customers: through the outbox, as the assistant's, each once for its key."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from redis.asyncio import Redis

from bot.console.conversation_actions import Actor
from bot.console.files import SentFile, part_of
from bot.console.history_recorder import HistoryRecorder
from bot.conversations import identity, ledger, memory, tombstones
from bot.conversations.assignment import Assignments, NoConversation, assignment_key
from bot.conversations.contacts import Contact
from bot.conversations.memory import HistoryEntry, Memory
from bot.delivery import reply_queue
from bot.delivery.policy import SendPermission, SendPolicy, may_send
from bot.delivery.statuses import DUE, DeliveryStatuses
from bot.history import stream
from bot.history.entries import ReplyQueued
from bot.history.reader import HistoryReader
from bot.infra.queues import JobScheduler
from bot.infra.redis import answer, key
from bot.messages.outbound import Buttons, Choice, Part, Reply, Say, Template
from bot.messages.prompt_text import part_text
from bot.storage.files import Files
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.limits import fit
from bot.whatsapp.rendering import read_mark
from bot.whatsapp.templates.registry import Templates

# Stores a reply once for its key, and only of the operator who has the conversation. KEYS 1 sent, 2 erased, 3 moved,
# 4 assignment, 5 due, 6 outbox, 7 memory, 8 history. ARGV 1 digest of the content, 2 operator, 3 reply, 4 entry of the
# memory, 5 entry of the history, 6 now, 7 conversation, 8 seconds to keep the memory. Gives what became of it, and the
# entry of the history.
_PUT = f"""
local sent, history, noted = KEYS[1], KEYS[8], ARGV[5]
local digest, entry = unpack(redis.call('HMGET', sent, 'digest', 'entry'))
if digest then return {{digest == ARGV[1] and 'known' or 'other', entry}} end
if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return {{'gone', ''}} end
if redis.call('HGET', KEYS[4], 'operator') ~= ARGV[2] then return {{'not_yours', ''}} end
redis.call('HSET', sent, 'digest', ARGV[1], 'entry', noted)
redis.call('EXPIRE', sent, {ledger.KEEP_SECONDS})
redis.call('ZADD', KEYS[5], ARGV[6], ARGV[7])
redis.call('RPUSH', KEYS[6], ARGV[3])
redis.call('RPUSH', KEYS[7], ARGV[4])
redis.call('EXPIRE', KEYS[7], ARGV[8])
{stream.APPEND_SCRIPT}
return {{'new', noted}}
"""


_TYPING_SECONDS = 20
_LOOKED_AT = 20
_log = structlog.get_logger()


class NotYours(Exception):
    """The conversation is not assigned to whoever writes."""


class WindowOver(Exception):
    """The customer last wrote over 24 hours ago."""


class OptedOut(Exception):
    """The customer wants no messages of this kind."""


class KeyUsed(Exception):
    """The key is that of another message."""


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """A message that is in the outbox; `is_new` unless its key was known."""

    entry: ReplyQueued
    is_new: bool


@dataclass(frozen=True, slots=True)
class OperatorMessages:
    redis: Redis
    assignments: Assignments
    policy: SendPolicy
    templates: Templates
    files: Files
    memory: Memory
    recorder: HistoryRecorder

    async def text(
        self, conversation: str, by: Actor, key_: str, text: str, quote: str | None = None
    ) -> WrittenMessage:
        """Send a text, in several messages where it is long.

        Raises NotYours, WindowOver, OptedOut, KeyUsed, NoConversation, as all sending does.
        """
        say = Say.model_construct(body=text, quote=quote and await self._wamid(conversation, quote))
        return await self._put(conversation, by, (say,), _Content(key_, f"text {quote or ''} {text}"))

    async def buttons(
        self, conversation: str, by: Actor, key_: str, text: str, titles: Sequence[str]
    ) -> WrittenMessage:
        """Send a text with things to tap below it. What is tapped comes back as a message like any other."""
        name = _reply_id(conversation, key_)
        choices = tuple(Choice(id=f"said.{name}.{number}", title=title) for number, title in enumerate(titles))
        content = _Content(key_, f"buttons {json.dumps(list(titles))} {text}")
        return await self._put(conversation, by, (Buttons(body=text, choices=choices),), content)

    async def template(self, conversation: str, by: Actor, key_: str, part: Template) -> WrittenMessage:
        """Send a template, also outside the window. Raises TemplateNotSendable, GraphError, MetaUnavailable too."""
        contact = await self.policy.contact(conversation)
        prepared = await self.templates.prepare(part, contact.language)
        content = _Content(key_, part.model_dump_json(), prepared.words, prepared.category)
        return await self._put(conversation, by, (part,), content)

    async def file(self, conversation: str, by: Actor, key_: str, file: SentFile) -> WrittenMessage:
        """Send a file, which is stored first. Raises FileNotSendable, StorageFailed too."""
        content = _Content(key_, f"file {hashlib.sha256(file.data).hexdigest()} {file.caption or ''}")
        if known := await self._known(conversation, content):
            return known
        await self._require_own(conversation, by)
        part = part_of(file)
        stored_key = await self.files.keep(conversation, part.file.filename or file.name, part.file.mime, file.data)
        part = part.model_copy(update={"file": part.file.model_copy(update={"key": stored_key})})
        return await self._put(conversation, by, (part,), content)

    async def show_typing(self, conversation: str, by: Actor, graph: Graph, history: HistoryReader) -> None:
        """Show dots below the customer's last message, which also marks it as read. Without success nothing happens."""
        assigned = await self.assignments.of(conversation)
        if assigned is None or assigned.operator != by.who:
            return
        # Meta keeps the dots for 25 seconds.
        typed = key(conversation, "typing")
        if not await self.redis.set(typed, "1", nx=True, ex=_TYPING_SECONDS):
            return
        newest = reversed((await history.messages(conversation, limit=_LOOKED_AT)).messages)
        wamid = next((message.row["name"] for message in newest if message.row["author"] == "customer"), "")
        if wamid.startswith("wamid."):
            try:
                await graph.mark_read(read_mark(wamid, typing=True), "")
            except (GraphError, MetaUnavailable) as error:
                _log.debug("typing_not_shown", error=str(error))

    async def _known(self, conversation: str, content: _Content) -> WrittenMessage | None:
        """The message that has this key already, so that no file is stored for it. Raises KeyUsed."""
        sent = _sent_key(conversation, _reply_id(conversation, content.key))
        digest, entry = await answer(self.redis.hmget(sent, ["digest", "entry"]))
        if digest is None:
            return None
        if digest != content.digest:
            raise KeyUsed
        return WrittenMessage(ReplyQueued.model_validate_json(entry), is_new=False)

    async def _require_own(self, conversation: str, by: Actor) -> None:
        assigned = await self.assignments.of(conversation)
        if assigned is None or assigned.operator != by.who:
            raise NotYours

    async def _put(self, conversation: str, by: Actor, parts: tuple[Part, ...], content: _Content) -> WrittenMessage:
        contact = await self.policy.contact(conversation)
        reply = Reply(
            id=_reply_id(conversation, content.key),
            parts=fit(parts),
            operator=by.who,
            phone=contact.phone,
            bsuid=contact.bsuid,
        )
        now = datetime.now(UTC)
        entry = ReplyQueued(id=reply.id, conversation=conversation, at=now, reply=reply, words=content.words)
        said = content.words or "\n".join(map(part_text, reply.parts))
        remembered = HistoryEntry(role="assistant", text=said, at=now)
        names = (
            *(_sent_key(conversation, reply.id), tombstones.erased(conversation)),
            *(identity.merged_into_key(conversation), assignment_key(conversation), DUE),
            *(reply_queue.replies_key(conversation), memory.recent_key(conversation), stream.HISTORY),
        )
        arguments = (
            *(content.digest, by.who, reply.model_dump_json(exclude_none=True), remembered.model_dump_json()),
            *(stream.packed(entry), repr(time.time()), conversation, str(self.memory.ttl_seconds)),
        )
        if not await answer(self.redis.exists(names[0])):
            await self._require_sendable(conversation, by, parts[0], contact, content.category)
        found: list[Any] = await answer(cast("Any", self.redis.eval(_PUT, len(names), *names, *arguments)))
        outcome, stored = found
        match outcome:
            case "gone":
                raise NoConversation
            case "not_yours":
                raise NotYours
            case "other":
                raise KeyUsed
        written = ReplyQueued.model_validate_json(stored)
        if outcome == "new":
            await self.recorder.show(written)
            event = {"type": "message", "conversation": conversation, "author": "operator", "operator": by.who}
            await self.recorder.events.publish(event | {"message": f"{reply.id}.0", "at": now.isoformat()})
        return WrittenMessage(written, outcome == "new")

    async def _require_sendable(
        self, conversation: str, by: Actor, part: Part, contact: Contact, category: str
    ) -> None:
        await self._require_own(conversation, by)
        verdict = may_send(part, contact, category, datetime.now(UTC))
        if verdict is SendPermission.WINDOW_CLOSED:
            raise WindowOver
        if verdict is SendPermission.OPTED_OUT:
            raise OptedOut

    async def _wamid(self, conversation: str, message: str) -> str | None:
        """Meta's name for a message: the customer's have it already, ours since Meta took them."""
        if message.startswith("wamid."):
            return message
        record = await DeliveryStatuses(self.redis, self.recorder.events).get(conversation, f"{conversation}.{message}")
        return record.get("wamid")


@dataclass(frozen=True, slots=True)
class _Content:
    """Key and content of a message; `words` and `category` are a template's."""

    key: str
    content: str
    words: str | None = None
    category: str = "service"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content.encode("utf-8", "surrogatepass")).hexdigest()


def ask_for_sending(scheduler: JobScheduler, written: WrittenMessage) -> None:
    """Ask a worker to send a new message; if the job is lost, the sweep adds it again."""
    if written.is_new:
        scheduler.turn(written.entry.conversation, f"{written.entry.conversation}-{written.entry.id}")


def shown(written: WrittenMessage) -> dict[str, Any]:
    """The message as the list of messages shows it; a long text has several."""
    entry = written.entry
    messages = [
        {
            "id": f"{entry.reply.id}.{index}",
            "at": entry.at.isoformat(),
            "author": "operator",
            "author_name": entry.reply.operator,
            "kind": part.kind,
            "text": entry.words or _words(part),
            "status": "queued",
        }
        for index, part in enumerate(entry.reply.parts)
    ]
    return messages[0] | {"messages": messages}


def _words(part: Part) -> str | None:
    found = json.loads(part.model_dump_json())
    words: str | None = found.get("body", found.get("caption"))
    return words


def _reply_id(conversation: str, key_: str) -> str:
    return f"o_{hashlib.sha256(f'{conversation} {key_}'.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _sent_key(conversation: str, reply_id: str) -> str:
    return key(conversation, "written", reply_id)
