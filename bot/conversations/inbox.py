"""Inbox: stores each message once, to wait for its turn. The waiting list holds the truth, a job only starts a turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any, Literal

import structlog
from redis.asyncio import Redis

from bot.conversations import contacts, identity, identity_resolution, ledger, thread_owner, tombstones
from bot.conversations.lease import epoch_key
from bot.conversations.phone_owners import PhoneOwners, phone_owners
from bot.conversations.waiting_list import OPEN, waiting_key
from bot.history import stream
from bot.infra.batch_scripts import BatchScript, Item
from bot.infra.crash_points import passing
from bot.infra.logs import masked
from bot.infra.metrics import MESSAGES_ENDED, MESSAGES_RECEIVED
from bot.messages.inbound import GivenBack, Inbound
from bot.messages.rating import rating_of

_log = structlog.get_logger()
_BEING_ERASED = -2
# Nobody reads more messages than this. Without a limit, one sender could fill Redis and slow the others.
MOST_WAITING = 200
FLOOD = "refused: too many messages"
_SYSTEM = "ignored: system"

# Senders whose conversation one process remembers, in a few megabytes.
_MOST_REMEMBERED = 10_000

# Puts a message into the ledger and on the waiting list, or into neither. The index comes first, because a listed
# conversation with nothing waiting is harmless, and an unlisted one with a message is not. Gives whether the message is
# new, how many wait, the conversation's epoch, and whether a new message was refused as too many. Makes a newcomer's
# conversation first. Ends the batch at a sender whose conversation is another one, because messages must keep their
# order.
_STORE = BatchScript(
    f"""
    if redis.call('ZSCORE', erased_messages, message_digest) then return {{0, 0, '0', 0}} end
    if sender_is == 'new' then
      {identity_resolution.CREATE_SCRIPT}
    elseif sender_is == 'remembered' then
      if redis.call('GET', bsuid) ~= conversation or redis.call('GET', phone) ~= conversation then return end
    end
    if redis.call('EXISTS', erased, moved) > 0 then
      if redis.call('EXISTS', erased) == 1 then return {{{_BEING_ERASED}, 0, '0', 0}} end
      return
    end
    local count = redis.call('LLEN', waiting)
    local flood = message ~= '' and count >= tonumber(most_waiting)
    if flood then {ledger.flooded(FLOOD)} end
    if message ~= '' then redis.call('ZADD', open, now, conversation) end
    {thread_owner.MESSAGE_SCRIPT}
    {ledger.OPEN_SCRIPT}
    if not known and message ~= '' and not flood then count = redis.call('RPUSH', waiting, message) end
    local shown, ended = message, flood and '{FLOOD}' or 'open'
    if system_message ~= '' then shown, ended = system_message, '{_SYSTEM}' end
    if not known and shown ~= '' then
      {stream.RECEIVED_SCRIPT}
    end
    return {{known and 0 or 1, count, redis.call('GET', epoch) or '0', flood and not known and 1 or 0}}
    """,
    shared_keys=("open", "erased_messages", "history"),
    shared_arguments=("now", "most_waiting"),
    keys=(
        "bsuid",
        "phone",
        "ledger",
        "ledger_order",
        "waiting",
        "epoch",
        "moved",
        "erased",
        "thread",
        "identities",
        "owners",
    ),
    arguments=(
        "conversation",
        "sender_is",
        "owner",
        "message_id",
        "message_digest",
        "entry",
        "message",
        "thread_owner",
        "sent_at",
        "thread_until",
        "system_message",
    ),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """The conversation of a message, how it is known, and for a newcomer what JOIN_SCRIPT needs."""

    conversation: str
    sender_is: Literal["remembered", "new", "looked up"]
    owners: str = ""
    owner: str = ""


Ask = Callable[[str, str], None]

_received = cache(MESSAGES_RECEIVED.labels)
_ended = cache(MESSAGES_ENDED.labels)

# End states of messages that change the memory, which needs the conversation's lease but no model.
_REMEMBERED = {
    "reaction": "ignored: reaction, remembered",
    "edit": "ignored: edit, applied",
    "revoke": "ignored: revoke, applied",
    "call_permission": "ignored: call permission, kept",
}


def why_ignored(message: Inbound) -> str | None:
    """The end state of a message that ends where it comes in; None when it waits for a worker."""
    if message.group_id:
        return "ignored: group"
    return _SYSTEM if message.content.kind == "system" else None


def why_unanswered(message: Inbound) -> str | None:
    """The end state of a message that joins the memory alone; None when it starts a turn."""
    if isinstance(message.content, GivenBack) and not message.content.unanswered:
        return "ignored: given back, remembered"
    if rating_of(message.content) is not None:
        return "ignored: rating, counted"
    return f"ignored: {message.aside}, remembered" if message.aside else _REMEMBERED.get(message.content.kind)


class Inbox:
    """Inbox for webhooks; calls `ask(conversation, job id)` where a turn is due."""

    def __init__(
        self,
        redis: Redis,
        ask: Ask,
        *,
        echo_pause: timedelta = timedelta(0),
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._ask = ask
        self._echo_pause = echo_pause
        self._most_waiting = most_waiting
        self._clock = clock
        # Last known conversations of senders. The script checks each of them, because other processes change them.
        self._known_conversations: dict[identity.Pair, str] = {}

    async def accept(self, messages: list[Inbound]) -> list[bool | Exception]:
        """Store messages: True for a new one, False for a known one, or the error that prevented it."""
        outcomes = await self._store_at_once(messages)
        if len(outcomes) < len(messages):
            outcomes += await self._store_of_looked_up(messages[len(outcomes) :])
        # Every later line about these messages has the same ids, up to the reply.
        accepted = [masked(message.id) for message, new in zip(messages, outcomes, strict=True) if new is True]
        if accepted:
            _log.info("messages_accepted", messages=accepted)
        return outcomes

    async def _store_at_once(self, messages: list[Inbound]) -> list[bool | Exception]:
        """Outcomes of the first messages, up to one whose conversation is neither the remembered one nor new.

        Who is not remembered is taken for a newcomer, because the script that stores notices it otherwise.
        """
        # Because an identity change may redirect other messages of the batch, all are looked up.
        if any(map(identity_resolution.changes_identity, messages)):
            return []
        owners = await phone_owners(self._redis)
        places: dict[identity.Pair, _Place] = {}
        for message in messages:
            pair = (message.bsuid, message.phone)
            if pair not in places:
                places[pair] = self._remembered(pair) or _newcomer(pair, owners)
        outcomes = await self._store(messages, [places[message.bsuid, message.phone] for message in messages])
        new = [message for message, outcome in zip(messages, outcomes, strict=False) if outcome is True]
        self._remember(new, [places[message.bsuid, message.phone].conversation for message in new])
        return outcomes

    async def _store_of_looked_up(self, messages: list[Inbound]) -> list[bool | Exception]:
        # Before the conversations, because none may be made for a person who was erased.
        gone = await tombstones.among(self._redis, [message.id for message in messages])
        unerased = [message for message in messages if message.id not in gone]
        conversations = await identity_resolution.conversations_of(self._redis, unerased)
        self._remember(unerased, conversations)
        outcomes = await self._store(unerased, _looked_up(conversations))
        while (done := len(outcomes)) < len(unerased):
            # The conversation has joined another one meanwhile.
            conversations[done:] = [
                await identity.current_name(self._redis, conversation) for conversation in conversations[done:]
            ]
            outcomes += await self._store(unerased[done:], _looked_up(conversations[done:]))
        taken = iter(outcomes)
        return [False if message.id in gone else next(taken) for message in messages]

    def _remembered(self, pair: identity.Pair) -> _Place | None:
        conversation = self._known_conversations.get(pair)
        return None if conversation is None else _Place(conversation, "remembered")

    def _remember(self, messages: list[Inbound], conversations: list[str]) -> None:
        if len(self._known_conversations) > _MOST_REMEMBERED:
            self._known_conversations.clear()
        for message, conversation in zip(messages, conversations, strict=True):
            if not identity_resolution.changes_identity(message):
                self._known_conversations[message.bsuid, message.phone] = conversation

    async def request_turn(self, conversation: str) -> None:
        """Ask for a turn where something other than a message changed."""
        await self._redis.zadd(OPEN, {conversation: time.time()})
        self._ask(conversation, f"{conversation}-{time.time_ns()}")

    async def _store(self, messages: list[Inbound], places: list[_Place]) -> list[bool | Exception]:
        """Outcomes of the first messages, up to one whose conversation has moved."""
        items = [_item(message, place) for message, place in zip(messages, places, strict=True)]
        shared = (repr(self._clock()), str(self._most_waiting))
        stored = await _STORE.run(
            self._redis, items, keys=(OPEN, tombstones.MESSAGES, stream.HISTORY), arguments=shared
        )
        conversations = [place.conversation for place in places]
        await self._pause_for_echoes(messages, conversations, stored)
        passing("webhook: stored, no job asked for")
        return [
            self._outcome(message, conversation, result)
            for message, conversation, result in zip(messages, conversations, stored, strict=False)
        ]

    async def _pause_for_echoes(self, messages: list[Inbound], conversations: list[str], stored: list[Any]) -> None:
        """Silence the bot at once where a colleague wrote, because a model may be making an answer now."""
        echoes = [
            (message, conversation)
            for message, conversation, result in zip(messages, conversations, stored, strict=False)
            if message.aside == "echo" and not isinstance(result, Exception) and result[0] != _BEING_ERASED
        ]
        if echoes:
            pipeline = self._redis.pipeline(transaction=False)
            for message, conversation in echoes:
                contacts.pause(pipeline, conversation, message.sent_at + self._echo_pause)
            await pipeline.execute()

    def _outcome(self, message: Inbound, conversation: str, stored: Any) -> bool | Exception:
        if isinstance(stored, Exception):
            return stored
        new, waiting, epoch, flood = stored
        if new == _BEING_ERASED:
            return tombstones.BeingErased()
        if waiting:
            self._ask(conversation, f"{conversation}-{epoch}")
        if new:
            _received(message.aside or message.content.kind).inc()
            if why_ignored(message):
                _ended("ignored").inc()
            elif flood:
                _ended("refused").inc()
        return bool(new)


def _newcomer(pair: identity.Pair, owners: PhoneOwners) -> _Place:
    bsuid, phone = pair
    return _Place(identity_resolution.new_conversation(), "new", *owners.to_join(phone, bsuid))


def _looked_up(conversations: list[str]) -> list[_Place]:
    return [_Place(conversation, "looked up") for conversation in conversations]


def _item(message: Inbound, place: _Place) -> Item:
    ignored, raw = why_ignored(message), message.model_dump_json(exclude_none=True)
    return Item(
        (*_keys(message.bsuid, message.phone, place.conversation), place.owners),
        (
            place.conversation,
            place.sender_is,
            place.owner,
            message.id,
            tombstones.digest(message.id),
            ledger.entry(message.content.kind, message.received_at, ignored or "open"),
            "" if ignored else raw,
            _thread_owner(message),
            str(message.sent_at.timestamp()),
            str(int((message.sent_at + thread_owner.IDLE).timestamp())),
            raw if ignored == _SYSTEM else "",
        ),
    )


def _thread_owner(message: Inbound) -> str:
    """The owner of the thread, as far as a message tells: only the person's own, in their chat with us."""
    if message.author != "person" or message.group_id or message.aside == "echo":
        return ""
    return thread_owner.OTHER if message.aside == "standby" else thread_owner.US


# Cached, because people write several messages in a row.
@lru_cache(maxsize=1000)
def _keys(bsuid: str | None, phone: str | None, conversation: str) -> tuple[str, ...]:
    """Names of the script's keys; a sender of one name alone has it in both places."""
    return (
        identity.identity_key(bsuid or phone or ""),
        identity.identity_key(phone or bsuid or ""),
        *ledger.keys(conversation),
        waiting_key(conversation),
        epoch_key(conversation),
        identity.merged_into_key(conversation),
        tombstones.erased(conversation),
        thread_owner.thread_key(conversation),
        identity.identities(conversation),
    )
