"""Whose message it is: the phone and the BSUID that lead to one conversation, and what happens when they change.

A BSUID is a person; a phone is what a person has, may be hidden, and may belong to somebody else later
(reference 2.7). `one_person` is the rule by which two conversations are united: never by a phone alone where BSUIDs
differ. The younger one joins the older: from that moment it takes no message, and a worker carries over what it holds
(bot.turns.merge). A phone that goes to somebody else leaves a tombstone (bot.conversations.phone_owners).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Collection, Iterable
from typing import Any

from redis.asyncio import Redis

from bot.conversations import ledger
from bot.conversations.phone_owners import phone_owners
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound, System
from bot.settings import LONGEST_MEMORY_DAYS
from bot.whatsapp.phone_numbers import kin, variants

_CONVERSATION = re.compile(r"^c_[0-9a-f]{20}$")
_NUMBER_CHANGES = frozenset({"user_changed_number", "customer_changed_number"})
_CHANGES = _NUMBER_CHANGES | {"user_changed_user_id"}
# After the last message or news. Longer than anything else of a conversation is kept: as long as something is, whoever
# asks for it to be shown or erased leads to it.
KEEP_SECONDS = (LONGEST_MEMORY_DAYS + 20) * 24 * 3600

_FORGET = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"

Pair = tuple[str | None, str | None]


def one_person(by_bsuid: Collection[str], by_phone: Collection[str], pair: tuple[str, str]) -> bool:
    """Whether two conversations are of one person, whose BSUID and phone a signed webhook has just named together.

    `by_bsuid` and `by_phone` are the identities that lead to the BSUID's conversation and to the phone's. The phone's
    owner so far must not be known by another BSUID, and the BSUID's not by another phone: while they had that one,
    somebody else wrote from this one.
    """
    bsuid, phone = pair
    if owners := _bsuids(by_phone):
        return bsuid in owners
    return all(kin(one) == kin(phone) for one in _phones(by_bsuid))


def is_conversation(name: object) -> bool:
    """Whether a name that came from outside is a conversation's key."""
    return isinstance(name, str) and _CONVERSATION.match(name) is not None


def moved(conversation: str) -> str:
    """The key that says which conversation this one has become a part of."""
    return key(conversation, "moved")


def joining(conversation: str) -> str:
    """The key of the conversations that have still to be carried over into this one."""
    return key(conversation, "joining")


async def conversations_of(redis: Redis, messages: list[Inbound]) -> list[str]:
    """The conversations of the messages' senders, made where they write for the first time."""
    pairs: list[Pair] = [(message.bsuid, message.phone) for message in messages]
    homes: dict[Pair, str] = {}
    # News first: what somebody writes from their new number may lie in the same batch.
    for message in messages:
        if _changes_identity(message):
            homes[message.bsuid, message.phone] = await _follow(redis, message)
    rest = [pair for pair in dict.fromkeys(pairs) if pair not in homes]
    asked = list(dict.fromkeys(_identity(one) for pair in rest for one in pair if one))
    known = dict(zip(asked, await redis.mget(asked), strict=True)) if asked else {}
    await _create(redis, rest, known)
    for pair in rest:
        led_to = {known[_identity(one)] for one in pair if one}
        if len(led_to) == 1 and None not in led_to:
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
    """The conversation of somebody, if they ever wrote. A phone doesn't lead to that of another BSUID."""
    asked = [_identity(one) for one in (bsuid, phone) if one]
    found: list[str | None] = await redis.mget(asked) if asked else []
    first = next((one for one in found if one), None)
    if first and bsuid and found[0] is None and _bsuids(await identities_of(redis, first)):
        return None
    return first


async def identities_of(redis: Redis, conversation: str) -> set[str]:
    """The phones and BSUIDs that lead to a conversation."""
    names: set[str] = await answer(redis.smembers(identities(conversation)))
    return names


async def forget(redis: Redis, conversation: str) -> None:
    """Let none of a conversation's phones and BSUIDs lead to it any more; those that lead elsewhere by now stay."""
    names = await identities_of(redis, conversation)
    owners, pipeline = await phone_owners(redis), redis.pipeline(transaction=False)
    for phone in _phones(names):
        owners.note(pipeline, phone, _bsuids(names))
    for one in names:
        pipeline.eval(_FORGET, 1, _identity(one), conversation)
    pipeline.delete(identities(conversation))
    await pipeline.execute()


def renew(pipeline: Any, conversation: str, names: Iterable[str | None]) -> None:
    """Keep a conversation, and what leads to it, for its whole time from now on."""
    for name in (identities(conversation), contact_key(conversation), *(_identity(one) for one in names if one)):
        pipeline.expire(name, KEEP_SECONDS)


async def phone_contested(redis: Redis, conversation: str) -> bool:
    """Whether the person's phone was another person's before, so that it may stand for either."""
    return bool(await answer(redis.hexists(contact_key(conversation), "phone_contested")))


async def home_of(redis: Redis, conversation: str) -> str:
    """The conversation that this one has become a part of; itself, as a rule."""
    while (to := await redis.get(moved(conversation))) is not None:
        # Whoever moved it may have died in the middle: all of it can be done again.
        conversation = await _unite(redis, conversation, to)
    return conversation


async def renamed(redis: Redis, previous: str, current: str, phone: str | None) -> str | None:
    """Follow the news that a person has another BSUID; None where the previous one is nobody's that we know.

    Meta names both, so that what leads to them is united. The phone alone would prove nothing.
    """
    before, after = await redis.mget(_identity(previous), _identity(current))
    if before is None:
        return None
    home = await _unite(redis, before, after) if after else before
    await _lead(redis, home, (previous, current))
    await _write(redis, home, bsuid=current)
    if phone:
        return await _settle(redis, (current, phone))
    for known in _phones(await identities_of(redis, home)):
        await _weigh(redis, home, known)
    return home


def contact_key(conversation: str) -> str:
    """The key of the contact, which bot.conversations.contacts owns; phone and BSUID are written here."""
    return key(conversation, "contact")


def former_phones(conversation: str) -> str:
    """The key of the phones that were let go: `since until`, Unix seconds, so that it is known whose a job was."""
    return key(conversation, "phones")


def identities(conversation: str) -> str:
    """The key of the phones and BSUIDs that lead to a conversation."""
    return key(conversation, "identities")


def keys(conversation: str) -> tuple[str, ...]:
    """The keys that a conversation leaves behind when it has become a part of another."""
    return identities(conversation), joining(conversation)


def _new() -> str:
    # Its time comes first, so that of two conversations all processes take the same one for the older; the rest is
    # random: nothing of the person can be read from it, in logs or job data.
    return f"c_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"


def _identity(value: str) -> str:
    return f"recado:identity:{value}"


def _phones(names: Iterable[str]) -> set[str]:
    return {one for one in names if one.isdigit()}


def _bsuids(names: Iterable[str]) -> set[str]:
    # Whatever is no phone is a BSUID, even if Meta should spell those otherwise one day.
    return {one for one in names if not one.isdigit()}


def _newcomers(pairs: list[Pair], known: dict[str, str | None]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Names of whom nothing is known, with new conversations; and their phones, with the BSUIDs seen together.

    Of pairs that contradict each other (a phone with two BSUIDs) only the first counts; `_settle` has the others.
    """
    fresh: dict[str, str] = {}
    together: dict[str, str] = {}
    phones: dict[str, set[str]] = {}
    for bsuid, phone in pairs:
        names = [one for one in (bsuid, phone) if one]
        if any(known[_identity(one)] for one in names):
            continue
        if bsuid and phone and (together.setdefault(bsuid, phone), together.setdefault(phone, bsuid)) != (phone, bsuid):
            continue
        chosen = next((fresh[one] for one in names if one in fresh), None) or _new()
        fresh |= {one: chosen for one in names if one not in fresh}
        if phone:
            phones.setdefault(phone, set()).update({bsuid} if bsuid else ())
    return fresh, phones


async def _create(redis: Redis, pairs: list[Pair], known: dict[str, str | None]) -> None:
    """New conversations for those of whom nothing is known, in one round trip; `known` is completed."""
    fresh, phones = _newcomers(pairs, known)
    if not fresh:
        return
    pipeline = redis.pipeline(transaction=False)
    for name, chosen in fresh.items():
        pipeline.set(_identity(name), chosen, nx=True, get=True, ex=KEEP_SECONDS)
    owners = await phone_owners(redis)
    for phone, bsuids in phones.items():
        owners.ask(pipeline, phone, bsuids)
    led: dict[str, list[str]] = {}
    for name, chosen in fresh.items():
        led.setdefault(chosen, []).append(name)
    for chosen, names in led.items():
        pipeline.sadd(identities(chosen), *names)
        pipeline.expire(identities(chosen), KEEP_SECONDS)
    results = await pipeline.execute()
    # Another process may have been first; then its answer is the one, and nobody would find what is kept here.
    beaten = redis.pipeline(transaction=False)
    for (name, chosen), earlier in zip(fresh.items(), results, strict=False):
        known[_identity(name)] = earlier or chosen
        if earlier and earlier != chosen:
            beaten.srem(identities(chosen), name)
    await beaten.execute()
    asked = zip(phones, results[len(fresh) :], strict=False)
    for phone in [phone for phone, had in asked if owners.contested(had, phones[phone])]:
        await _weigh(redis, str(known[_identity(phone)]), phone)
        for bsuid in phones[phone]:
            # Who had it may still have it, in another spelling.
            await _settle(redis, (bsuid, phone))


async def _settle(redis: Redis, pair: Pair) -> str:
    """The conversation of a BSUID and a phone that lead nowhere, to one, or to several."""
    bsuid, phone = pair
    if bsuid is None or phone is None:
        found: str | None = await redis.get(_identity(str(bsuid or phone)))
        return found or await conversation_for(redis, phone, bsuid)
    home, *holders = await redis.mget([_identity(one) for one in (bsuid, *variants(phone))])
    for holder in dict.fromkeys(holders):
        if holder is None or holder == home:
            continue
        theirs, mine = await identities_of(redis, holder), await identities_of(redis, home) if home else set()
        if one_person(mine, theirs, (bsuid, phone)):
            home = await _unite(redis, home, holder) if home else holder
        else:
            # Numbers are given to new people. What the former one said must not reach whoever has it now.
            await _let_go(redis, holder, phone)
    if home is None:
        known: dict[str, str | None] = {_identity(bsuid): None, _identity(phone): None}
        await _create(redis, [pair], known)
        home, holder = known[_identity(bsuid)], known[_identity(phone)]
        if home != holder:
            # Another process was first with one of them.
            return await _settle(redis, pair)
    await _belongs(redis, str(home), (bsuid, phone))
    return str(home)


async def _belongs(redis: Redis, home: str, names: Iterable[str]) -> None:
    """Lead to a conversation from these names. Its phone is the only one that its person has now."""
    phones = _phones(names)
    await _lead(redis, home, names)
    for other in _phones(await identities_of(redis, home)):
        if phones and all(kin(other) != kin(phone) for phone in phones):
            await _let_go(redis, home, other)
    for phone in phones:
        await _weigh(redis, home, phone)


async def _weigh(redis: Redis, home: str, phone: str) -> None:
    """Note whose phone it is, and whether it was somebody else's: then it gives no right to anything."""
    owners, pipeline = await phone_owners(redis), redis.pipeline(transaction=False)
    pipeline.smembers(identities(home))
    owners.ask(pipeline, phone)
    names, had = await pipeline.execute()
    mine = _bsuids(names)
    pipeline = redis.pipeline(transaction=False)
    if owners.contested(had, {*mine, home}):
        pipeline.hset(contact_key(home), "phone_contested", "1")
        pipeline.hsetnx(contact_key(home), "phone_since", repr(time.time()))
        pipeline.expire(contact_key(home), KEEP_SECONDS)
    else:
        pipeline.hdel(contact_key(home), "phone_contested", "phone_since")
    owners.note(pipeline, phone, mine)
    await pipeline.execute()


async def _lead(redis: Redis, home: str, names: Iterable[str]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for one in names:
        pipeline.sadd(identities(home), one)
        pipeline.set(_identity(one), home, ex=KEEP_SECONDS)
    pipeline.expire(identities(home), KEEP_SECONDS)
    await pipeline.execute()


async def _write(redis: Redis, home: str, **facts: str | None) -> None:
    pipeline = redis.pipeline(transaction=True)
    pipeline.hset(contact_key(home), mapping={name: value for name, value in facts.items() if value})
    pipeline.expire(contact_key(home), KEEP_SECONDS)
    await pipeline.execute()


async def _let_go(redis: Redis, conversation: str, phone: str) -> None:
    """A phone, however it is spelled, is this person's no longer; that they had it is remembered."""
    names, owners = await identities_of(redis, conversation), await phone_owners(redis)
    pipeline = redis.pipeline(transaction=False)
    owners.note(pipeline, phone, _bsuids(names) or {conversation})
    for one in {phone, *(one for one in _phones(names) if kin(one) == kin(phone))}:
        pipeline.eval(_FORGET, 1, _identity(one), conversation)
        pipeline.srem(identities(conversation), one)
    pipeline.hmget(contact_key(conversation), ["phone", "phone_since"])
    *_, (kept, since) = await pipeline.execute()
    pipeline = redis.pipeline(transaction=True)
    pipeline.hset(former_phones(conversation), phone, f"{since or 0} {time.time()}")
    pipeline.expire(former_phones(conversation), KEEP_SECONDS)
    if kept is None or kin(kept) == kin(phone):
        pipeline.hdel(contact_key(conversation), "phone", "phone_contested", "phone_since")
    await pipeline.execute()


async def _unite(redis: Redis, one: str, other: str) -> str:
    """Make the younger conversation a part of the older. Each step may be done again, and none loses a message."""
    stays, goes = sorted((one, other))
    if stays == goes:
        return stays
    # First: from now on no message is accepted there, so that the copy of its ledger is whole.
    await redis.set(moved(goes), stays, ex=KEEP_SECONDS)
    await answer(redis.sadd(joining(stays), goes))
    # A message that came before has to be known when it is delivered again.
    await ledger.copy(redis, goes, stays)
    await _lead(redis, stays, await identities_of(redis, goes))
    for phone in _phones(await identities_of(redis, stays)):
        await _weigh(redis, stays, phone)
    return stays


def _changes_identity(message: Inbound) -> bool:
    content = message.content
    if not isinstance(content, System) or content.event not in _CHANGES:
        return False
    return bool(content.bsuid or (content.phone and content.event in _NUMBER_CHANGES))


async def _follow(redis: Redis, message: Inbound) -> str:
    """Follow a system message about a new number or BSUID, once: the old number may have a new owner by now."""
    if not isinstance(message.content, System):  # pragma: no cover - narrowed by the caller
        raise TypeError("not news about a contact")
    followed = f"recado:followed:{hashlib.sha256(message.id.encode()).hexdigest()[:32]}"
    home: str | None = await redis.get(followed)
    if home is None:
        content = message.content
        old, new = (message.bsuid, message.phone), (content.bsuid, content.phone)
        if content.event in _NUMBER_CHANGES:
            home = await _renumbered(redis, old, new)
        elif message.bsuid and content.bsuid:
            home = await renamed(redis, message.bsuid, content.bsuid, message.phone)
        home = home or await conversation_for(redis, None, content.bsuid)
        await redis.set(followed, home, ex=ledger.KEEP_SECONDS)
    return home


async def _renumbered(redis: Redis, old: Pair, new: Pair) -> str:
    """Whoever was `old` has another number, and with it another BSUID. Unites nobody, because the new number may have
    been another person's until now.
    """
    home = await conversation_for(redis, old[1], old[0])
    bsuid, phone = new
    holder = await find(redis, None if bsuid else phone, bsuid)
    if holder not in (None, home):
        # Somebody has written under it before: two people, or one who was faster than the news. Two they stay.
        mine: Pair = (None, None)
    else:
        mine = new
        if bsuid:
            await _lead(redis, home, [bsuid])
    if mine[0] and mine[1]:
        await _settle(redis, mine)
    elif mine[1]:
        await _belongs(redis, home, [mine[1]])
    if mine != (None, None):
        await _write(redis, home, bsuid=mine[0], phone=mine[1])
    left = old[1]
    if left and (phone is None or kin(left) != kin(phone)) and await redis.get(_identity(left)) == home:
        await _let_go(redis, home, left)
    return home
