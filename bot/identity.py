"""Whose message it is: the phone and the BSUID that lead to one conversation, and what happens when they change.

A BSUID is a person; a phone is what a person has, may be hidden, and may belong to somebody else later
(reference 2.7). Where a phone alone and a BSUID alone turn out to be one person, the younger conversation joins
the older one: from that moment it takes no message, and a worker carries over what it holds (bot.joining).
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable

from redis.asyncio import Redis

from bot import ledger
from bot.messages import Inbound, System
from bot.redis import answer, key
from bot.settings import BSUID

_CONVERSATION = re.compile(r"^c_[0-9a-f]{20}$")
_CHANGES = frozenset({"user_changed_number", "user_changed_user_id", "customer_changed_number"})

_FORGET = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"

Pair = tuple[str | None, str | None]


def is_conversation(name: object) -> bool:
    """Whether a name that came from outside is a conversation's key."""
    return isinstance(name, str) and _CONVERSATION.match(name) is not None


def is_bsuid(value: str) -> bool:
    return BSUID.match(value) is not None


def moved(conversation: str) -> str:
    """The key that says which conversation this one has become a part of."""
    return key(conversation, "moved")


def joining(conversation: str) -> str:
    """The key of the conversations that have still to be carried over into this one."""
    return key(conversation, "joining")


async def conversations_of(redis: Redis, messages: list[Inbound]) -> list[str]:
    """The conversations of the messages' senders, made where they write for the first time."""
    pairs: list[Pair] = [(message.bsuid, message.phone) for message in messages]
    changes = {pair: message for pair, message in zip(pairs, messages, strict=True) if _changes_identity(message)}
    asked = list(dict.fromkeys(_identity(one) for pair in pairs for one in pair if one))
    known = dict(zip(asked, await redis.mget(asked), strict=True))
    await _create(redis, [pair for pair in pairs if pair not in changes], known)
    homes: dict[Pair, str] = {}
    for pair in dict.fromkeys(pairs):
        led_to = {known[_identity(one)] for one in pair if one}
        if pair in changes:
            homes[pair] = await _rekey_by(redis, changes[pair])
        elif len(led_to) == 1 and None not in led_to:
            homes[pair] = str(led_to.pop())
        else:
            homes[pair] = await _settle(redis, pair)
    return [homes[pair] for pair in pairs]


async def conversation_for(redis: Redis, phone: str | None, bsuid: str | None) -> str:
    """The conversation of somebody of whom news came that is no message."""
    known = {_identity(one): await redis.get(_identity(one)) for one in (bsuid, phone) if one}
    await _create(redis, [(bsuid, phone)], known)
    return await _settle(redis, (bsuid, phone))


async def find(redis: Redis, phone: str | None, bsuid: str | None) -> str | None:
    """The conversation of somebody, if they ever wrote."""
    asked = [_identity(one) for one in (bsuid, phone) if one]
    return next((one for one in await redis.mget(asked) if one), None) if asked else None


async def identities_of(redis: Redis, conversation: str) -> set[str]:
    """The phones and BSUIDs that led to a conversation."""
    names: set[str] = await answer(redis.smembers(identities(conversation)))
    return names


async def forget(redis: Redis, conversation: str) -> None:
    """Let none of a conversation's phones and BSUIDs lead to it any more; those that lead elsewhere by now stay."""
    for one in await identities_of(redis, conversation):
        await answer(redis.eval(_FORGET, 1, _identity(one), conversation))
    await redis.delete(identities(conversation))


async def rekey(redis: Redis, old: Pair, new: Pair) -> str:
    """Whoever was `old` (BSUID, phone) is `new` from now on, in the same conversation; an old phone is let go."""
    before, after = await find(redis, old[1], old[0]), await find(redis, new[1], new[0])
    if before and after and before != after:
        home = await _unite(redis, before, after)
    else:
        home = before or after or _new()
    await _lead(redis, home, (one for one in (*new, old[0]) if one))
    if new[1] and old[1] and old[1] != new[1]:
        await _let_go(redis, home, old[1])
    facts = {"bsuid": new[0], "phone": new[1]}
    await answer(redis.hset(key(home, "contact"), mapping={name: value for name, value in facts.items() if value}))
    return home


async def home_of(redis: Redis, conversation: str) -> str:
    """The conversation that this one has become a part of; itself, as a rule."""
    while (to := await redis.get(moved(conversation))) is not None:
        # Whoever moved it may have died in the middle: all of it can be done again.
        conversation = await _unite(redis, conversation, to)
    return conversation


def _new() -> str:
    # Its time comes first, so that of two conversations all processes take the same one for the older; the rest is
    # random: nothing of the person can be read from it, in logs or job data.
    return f"c_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"


def _identity(value: str) -> str:
    return f"recado:identity:{value}"


def identities(conversation: str) -> str:
    """The key of the phones and BSUIDs that lead to a conversation."""
    return key(conversation, "identities")


async def _create(redis: Redis, pairs: list[Pair], known: dict[str, str | None]) -> None:
    """New conversations for those of whom nothing is known, in one round trip; `known` is completed."""
    fresh: dict[str, str] = {}
    for pair in pairs:
        names = [_identity(one) for one in pair if one]
        if any(known[name] for name in names):
            continue
        chosen = next((fresh[name] for name in names if name in fresh), None) or _new()
        for name in names:
            fresh.setdefault(name, chosen)
    if not fresh:
        return
    pipeline = redis.pipeline(transaction=False)
    for name, chosen in fresh.items():
        pipeline.set(name, chosen, nx=True, get=True)
    for name, chosen in fresh.items():
        pipeline.sadd(identities(chosen), name.removeprefix(_identity("")))
    # Another process may have been first; then its answer is the one, and nobody would find what is kept here.
    beaten = redis.pipeline(transaction=False)
    for (name, chosen), earlier in zip(fresh.items(), await pipeline.execute(), strict=False):
        known[name] = earlier or chosen
        if known[name] != chosen:
            beaten.srem(identities(chosen), name.removeprefix(_identity("")))
    await beaten.execute()


async def _settle(redis: Redis, pair: Pair) -> str:
    """One conversation for a BSUID and a phone that lead nowhere, to one, or to two."""
    bsuid, phone = pair
    if bsuid is None or phone is None:
        return str(await redis.get(_identity(str(bsuid or phone))))
    by_bsuid, by_phone = await redis.mget(_identity(bsuid), _identity(phone))
    if by_phone is not None and by_phone != by_bsuid and await _has_another_bsuid(redis, by_phone, bsuid):
        # Numbers are given to new people. What the former one said must not reach whoever has it now.
        await _let_go(redis, by_phone, phone)
        by_phone = None
    if by_bsuid is None and by_phone is None:
        known: dict[str, str | None] = {_identity(bsuid): None, _identity(phone): None}
        await _create(redis, [pair], known)
        by_bsuid, by_phone = known[_identity(bsuid)], known[_identity(phone)]
    if by_bsuid and by_phone and by_bsuid != by_phone:
        return await _unite(redis, by_bsuid, by_phone)
    home = str(by_bsuid or by_phone)
    await _lead(redis, home, (bsuid, phone))
    return home


async def _has_another_bsuid(redis: Redis, conversation: str, bsuid: str) -> bool:
    names: set[str] = await answer(redis.smembers(identities(conversation)))
    # Whatever is no phone is a BSUID, even if Meta should spell those otherwise one day.
    return bsuid not in names and not all(map(str.isdigit, names))


async def _lead(redis: Redis, home: str, names: Iterable[str]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for one in names:
        pipeline.sadd(identities(home), one)
        pipeline.set(_identity(one), home)
    await pipeline.execute()


async def _let_go(redis: Redis, conversation: str, phone: str) -> None:
    pipeline = redis.pipeline(transaction=False)
    pipeline.eval(_FORGET, 1, _identity(phone), conversation)
    pipeline.srem(identities(conversation), phone)
    pipeline.hget(key(conversation, "contact"), "phone")
    *_, kept = await pipeline.execute()
    if kept == phone:
        await answer(redis.hdel(key(conversation, "contact"), "phone"))


async def _unite(redis: Redis, one: str, other: str) -> str:
    """Make the younger conversation a part of the older. Each step may be done again, and none loses a message."""
    stays, goes = sorted((one, other))
    if stays == goes:
        return stays
    # First: from now on no message is accepted there, so that the copy of its ledger is whole.
    await redis.set(moved(goes), stays)
    await answer(redis.sadd(joining(stays), goes))
    # A message that came before has to be known when it is delivered again.
    await ledger.copy(redis, goes, stays)
    names: set[str] = await answer(redis.smembers(identities(goes)))
    await _lead(redis, stays, names)
    return stays


def _changes_identity(message: Inbound) -> bool:
    content = message.content
    return isinstance(content, System) and content.event in _CHANGES and bool(content.phone or content.bsuid)


async def _rekey_by(redis: Redis, message: Inbound) -> str:
    """Follow a system message about a new number or BSUID, once: the old number may have a new owner by now."""
    if not isinstance(message.content, System):  # pragma: no cover - narrowed by the caller
        raise TypeError("not news about a contact")
    new: Pair = (message.content.bsuid, message.content.phone)
    after = await find(redis, new[1], new[0])
    if after and await ledger.knows(redis, after, message.id):
        return after
    return await rekey(redis, (message.bsuid, message.phone), new)
