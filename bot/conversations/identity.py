"""Phones and BSUIDs that lead to a conversation, and the rule by which two conversations are one person's.

A BSUID is a person. A phone may be hidden, and may belong to another person later. So `one_person` never unites by a
phone alone where BSUIDs differ. The younger conversation joins the older: from that moment it takes no message, and a
worker carries its content over (bot.turns.merge). A phone that goes to another person leaves a tombstone
(bot.conversations.phone_owners).
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from typing import Any

from redis.asyncio import Redis

from bot.conversations import ledger
from bot.conversations.phone_owners import phone_owners
from bot.infra.locks import DELETE_IF_EQUAL
from bot.infra.redis import answer, key
from bot.settings import LONGEST_MEMORY_DAYS
from bot.whatsapp.phone_numbers import canonical_variant

_CONVERSATION = re.compile(r"^c_[0-9a-f]{20}$")
# Counted from the last message or update. Longer than anything else of a conversation, because a person who asks for
# their data must lead to all of it.
KEEP_SECONDS = (LONGEST_MEMORY_DAYS + 20) * 24 * 3600

Pair = tuple[str | None, str | None]


def one_person(by_bsuid: Collection[str], by_phone: Collection[str], pair: tuple[str, str]) -> bool:
    """Whether two conversations are of one person, whose BSUID and phone a signed webhook has just named together.

    `by_bsuid` and `by_phone` are the identities that lead to the BSUID's conversation and to the phone's. The phone's
    owner so far must not be known by another BSUID, and the BSUID's not by another phone: while they had that one,
    another person wrote from this one.
    """
    bsuid, phone = pair
    if owners := bsuids_of(by_phone):
        return bsuid in owners
    return all(canonical_variant(known_phone) == canonical_variant(phone) for known_phone in phones_of(by_bsuid))


def is_conversation(name: object) -> bool:
    """Whether a name that came from outside is a conversation's key."""
    return isinstance(name, str) and _CONVERSATION.match(name) is not None


def merged_into_key(conversation: str) -> str:
    """Key of the name of the conversation that this one has joined."""
    return key(conversation, "moved")


def to_merge_key(conversation: str) -> str:
    """Key of the conversations whose content has still to be merged into this one."""
    return key(conversation, "joining")


async def find(redis: Redis, phone: str | None, bsuid: str | None) -> str | None:
    """Find a person's conversation, if they ever wrote. A phone doesn't lead to that of another BSUID."""
    asked = [identity_key(name) for name in (bsuid, phone) if name]
    found: list[str | None] = await redis.mget(asked) if asked else []
    first = next((conversation for conversation in found if conversation), None)
    if first and bsuid and found[0] is None and bsuids_of(await identities_of(redis, first)):
        return None
    return first


async def identities_of(redis: Redis, conversation: str) -> set[str]:
    """The phones and BSUIDs that lead to a conversation."""
    names: set[str] = await answer(redis.smembers(identities(conversation)))
    return names


async def forget(redis: Redis, conversation: str) -> None:
    """Remove the names that lead to a conversation; those that lead elsewhere by now stay."""
    names = await identities_of(redis, conversation)
    owners, pipeline = await phone_owners(redis), redis.pipeline(transaction=False)
    for phone in phones_of(names):
        owners.add(pipeline, phone, bsuids_of(names))
    for name in names:
        pipeline.eval(DELETE_IF_EQUAL, 1, identity_key(name), conversation)
    pipeline.delete(identities(conversation))
    await pipeline.execute()


def renew(pipeline: Any, conversation: str, names: Iterable[str | None]) -> None:
    """Start the full retention of a conversation, and of the names that lead to it, anew."""
    for name in (identities(conversation), contact_key(conversation), *(identity_key(name) for name in names if name)):
        pipeline.expire(name, KEEP_SECONDS)


async def phone_contested(redis: Redis, conversation: str) -> bool:
    """Whether the person's phone was another person's before, so that it may stand for either."""
    return bool(await answer(redis.hexists(contact_key(conversation), "phone_contested")))


async def current_name(redis: Redis, conversation: str) -> str:
    """The conversation that this one has joined; itself, as a rule."""
    while (to := await redis.get(merged_into_key(conversation))) is not None:
        # The process that moved it may have died in the middle, so the move is done again.
        conversation = await unite(redis, conversation, to)
    return conversation


def contact_key(conversation: str) -> str:
    """The key of the contact, which bot.conversations.contacts owns; phone and BSUID are written here."""
    return key(conversation, "contact")


def former_phones(conversation: str) -> str:
    """Key of released phones with `since until` (Unix seconds), which tell whose phone it was when a job was made."""
    return key(conversation, "phones")


def identities(conversation: str) -> str:
    """The key of the phones and BSUIDs that lead to a conversation."""
    return key(conversation, "identities")


def keys(conversation: str) -> tuple[str, ...]:
    """Keys to delete once the conversation has joined another."""
    return identities(conversation), to_merge_key(conversation)


def identity_key(value: str) -> str:
    """The key that leads from a phone or BSUID to its conversation."""
    return f"recado:identity:{value}"


def phones_of(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.isdigit()}


def bsuids_of(names: Iterable[str]) -> set[str]:
    # Everything else is a BSUID, because Meta may spell those otherwise one day.
    return {name for name in names if not name.isdigit()}


async def assign(redis: Redis, home: str, names: Iterable[str]) -> None:
    """Let names lead to a conversation; a phone among them replaces the person's other phones."""
    phones = phones_of(names)
    await link_names(redis, home, names)
    for other in phones_of(await identities_of(redis, home)):
        if phones and all(canonical_variant(other) != canonical_variant(phone) for phone in phones):
            await release_phone(redis, home, other)
    for phone in phones:
        await mark_contested_phone(redis, home, phone)


async def mark_contested_phone(redis: Redis, home: str, phone: str) -> None:
    """Record the phone's owner. A phone that was another person's is contested: it gives no right to anything."""
    owners, pipeline = await phone_owners(redis), redis.pipeline(transaction=False)
    pipeline.smembers(identities(home))
    owners.read(pipeline, phone)
    names, had = await pipeline.execute()
    mine = bsuids_of(names)
    pipeline = redis.pipeline(transaction=False)
    if owners.contested(had, {*mine, home}):
        pipeline.hset(contact_key(home), "phone_contested", "1")
        pipeline.hsetnx(contact_key(home), "phone_since", repr(time.time()))
        pipeline.expire(contact_key(home), KEEP_SECONDS)
    else:
        pipeline.hdel(contact_key(home), "phone_contested", "phone_since")
    owners.add(pipeline, phone, mine)
    await pipeline.execute()


async def link_names(redis: Redis, home: str, names: Iterable[str]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.sadd(identities(home), name)
        pipeline.set(identity_key(name), home, ex=KEEP_SECONDS)
    pipeline.expire(identities(home), KEEP_SECONDS)
    await pipeline.execute()


async def write_facts(redis: Redis, home: str, **facts: str | None) -> None:
    pipeline = redis.pipeline(transaction=True)
    pipeline.hset(contact_key(home), mapping={name: value for name, value in facts.items() if value})
    pipeline.expire(contact_key(home), KEEP_SECONDS)
    await pipeline.execute()


async def release_phone(redis: Redis, conversation: str, phone: str) -> None:
    """Take a phone, in every spelling, from a person, and record them as a former owner."""
    names, owners = await identities_of(redis, conversation), await phone_owners(redis)
    pipeline = redis.pipeline(transaction=False)
    owners.add(pipeline, phone, bsuids_of(names) or {conversation})
    for spelling in {
        phone,
        *(name for name in phones_of(names) if canonical_variant(name) == canonical_variant(phone)),
    }:
        pipeline.eval(DELETE_IF_EQUAL, 1, identity_key(spelling), conversation)
        pipeline.srem(identities(conversation), spelling)
    pipeline.hmget(contact_key(conversation), ["phone", "phone_since"])
    *_, (stored, since) = await pipeline.execute()
    pipeline = redis.pipeline(transaction=True)
    pipeline.hset(former_phones(conversation), phone, f"{since or 0} {time.time()}")
    pipeline.expire(former_phones(conversation), KEEP_SECONDS)
    if stored is None or canonical_variant(stored) == canonical_variant(phone):
        pipeline.hdel(contact_key(conversation), "phone", "phone_contested", "phone_since")
    await pipeline.execute()


async def unite(redis: Redis, conversation: str, other: str) -> str:
    """Make the younger conversation a part of the older. Each step may be done again, and none loses a message."""
    older, younger = sorted((conversation, other))
    if older == younger:
        return older
    # First, so that no message is accepted there any more and the copy of its ledger is whole.
    await redis.set(merged_into_key(younger), older, ex=KEEP_SECONDS)
    await answer(redis.sadd(to_merge_key(older), younger))
    # Meta may deliver a message again that came before.
    await ledger.copy(redis, younger, older)
    await link_names(redis, older, await identities_of(redis, younger))
    for phone in phones_of(await identities_of(redis, older)):
        await mark_contested_phone(redis, older, phone)
    return older
