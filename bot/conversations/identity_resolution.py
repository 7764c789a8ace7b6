"""Conversations of senders: looked up by phone and BSUID, made for newcomers, and followed when an identity changes."""

from __future__ import annotations

import hashlib
import secrets
import time

from redis.asyncio import Redis

from bot.conversations import identity, ledger
from bot.conversations.identity import KEEP_SECONDS, Pair, identities, identities_of, identity_key
from bot.conversations.phone_owners import JOIN_SCRIPT, phone_owners
from bot.messages.inbound import Inbound, System
from bot.whatsapp.phone_numbers import canonical_variant, variants

_NUMBER_CHANGES = frozenset({"user_changed_number", "customer_changed_number"})
_CHANGES = _NUMBER_CHANGES | {"user_changed_user_id"}

# In Lua, positions begin with 1.
_NAME_AT = len(identity_key("")) + 1

# Part of the inbox's script: makes a newcomer's conversation. Returns where it is not as simple as that: a name leads
# elsewhere, or another person had the phone. Its variables: `bsuid`, `phone` (keys; twice the same for a sender of one
# name), `identities` (key), `conversation`, and those of JOIN_SCRIPT.
CREATE_SCRIPT = f"""
local led_to = redis.call('MGET', bsuid, phone)
if not led_to[1] and not led_to[2] then
  {JOIN_SCRIPT}
  redis.call('SET', bsuid, conversation, 'EX', {KEEP_SECONDS})
  redis.call('SET', phone, conversation, 'EX', {KEEP_SECONDS})
  redis.call('SADD', identities, string.sub(bsuid, {_NAME_AT}), string.sub(phone, {_NAME_AT}))
  redis.call('EXPIRE', identities, {KEEP_SECONDS})
elseif led_to[1] ~= conversation or led_to[2] ~= conversation then
  return
end
"""


def changes_identity(message: Inbound) -> bool:
    """Whether a message says that its sender has another phone or BSUID."""
    content = message.content
    if not isinstance(content, System) or content.event not in _CHANGES:
        return False
    return bool(content.bsuid or (content.phone and content.event in _NUMBER_CHANGES))


async def conversations_of(redis: Redis, messages: list[Inbound]) -> list[str]:
    """Find or make the conversations of the messages' senders."""
    pairs: list[Pair] = [(message.bsuid, message.phone) for message in messages]
    homes: dict[Pair, str] = {}
    # Identity changes first, because a message from the new number may be in the same batch.
    for message in messages:
        if changes_identity(message):
            homes[message.bsuid, message.phone] = await _follow_once(redis, message)
    rest = [pair for pair in dict.fromkeys(pairs) if pair not in homes]
    asked = list(dict.fromkeys(identity_key(name) for pair in rest for name in pair if name))
    known = dict(zip(asked, await redis.mget(asked), strict=True)) if asked else {}
    await _create(redis, rest, known)
    for pair in rest:
        led_to = {known[identity_key(name)] for name in pair if name}
        if len(led_to) == 1 and None not in led_to:
            homes[pair] = str(led_to.pop())
        else:
            homes[pair] = await _resolve(redis, pair)
    return [homes[pair] for pair in pairs]


async def conversation_for(redis: Redis, phone: str | None, bsuid: str | None) -> str:
    """Find or make the conversation of a person who sent no message."""
    known = {identity_key(name): await redis.get(identity_key(name)) for name in (bsuid, phone) if name}
    await _create(redis, [(bsuid, phone)], known)
    return await _resolve(redis, (bsuid, phone))


async def follow_new_bsuid(redis: Redis, previous: str, current: str, phone: str | None) -> str | None:
    """Follow an update of a person's BSUID; None if the previous one is unknown.

    Meta names both, so we unite their conversations. The phone alone would prove nothing.
    """
    before, after = await redis.mget(identity_key(previous), identity_key(current))
    if before is None:
        return None
    home = await identity.unite(redis, before, after) if after else before
    await identity.link_names(redis, home, (previous, current))
    await identity.write_facts(redis, home, bsuid=current)
    if phone:
        return await _resolve(redis, (current, phone))
    for known in identity.phones_of(await identities_of(redis, home)):
        await identity.mark_contested_phone(redis, home, known)
    return home


def _newcomers(pairs: list[Pair], known: dict[str, str | None]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Newcomers' names with new conversations; and their phones, with the BSUIDs seen together.

    Of pairs that contradict each other (a phone with two BSUIDs) only the first counts; `_resolve` handles the others.
    """
    fresh: dict[str, str] = {}
    together: dict[str, str] = {}
    phones: dict[str, set[str]] = {}
    for bsuid, phone in pairs:
        names = [name for name in (bsuid, phone) if name]
        if any(known[identity_key(name)] for name in names):
            continue
        if bsuid and phone and (together.setdefault(bsuid, phone), together.setdefault(phone, bsuid)) != (phone, bsuid):
            continue
        chosen = next((fresh[name] for name in names if name in fresh), None) or new_conversation()
        fresh |= {name: chosen for name in names if name not in fresh}
        if phone:
            phones.setdefault(phone, set()).update({bsuid} if bsuid else ())
    return fresh, phones


async def _create(redis: Redis, pairs: list[Pair], known: dict[str, str | None]) -> None:
    """Make conversations for newcomers, in one round trip; completes `known`."""
    fresh, phones = _newcomers(pairs, known)
    if not fresh:
        return
    pipeline = redis.pipeline(transaction=False)
    for name, chosen in fresh.items():
        pipeline.set(identity_key(name), chosen, nx=True, get=True, ex=KEEP_SECONDS)
    owners = await phone_owners(redis)
    for phone, bsuids in phones.items():
        owners.read(pipeline, phone, bsuids)
    led: dict[str, list[str]] = {}
    for name, chosen in fresh.items():
        led.setdefault(chosen, []).append(name)
    for chosen, names in led.items():
        pipeline.sadd(identities(chosen), *names)
        pipeline.expire(identities(chosen), KEEP_SECONDS)
    results = await pipeline.execute()
    # Another process may have been first: its conversation holds, because nobody would find ours.
    beaten = redis.pipeline(transaction=False)
    for (name, chosen), earlier in zip(fresh.items(), results, strict=False):
        known[identity_key(name)] = earlier or chosen
        if earlier and earlier != chosen:
            beaten.srem(identities(chosen), name)
    await beaten.execute()
    asked = zip(phones, results[len(fresh) :], strict=False)
    for phone in [phone for phone, had in asked if owners.contested(had, phones[phone])]:
        await identity.mark_contested_phone(redis, str(known[identity_key(phone)]), phone)
        for bsuid in phones[phone]:
            # Its former owner may still have it, in another spelling.
            await _resolve(redis, (bsuid, phone))


async def _resolve(redis: Redis, pair: Pair) -> str:
    """Make a BSUID and a phone lead to one conversation; until now they lead nowhere, to one, or to several."""
    bsuid, phone = pair
    if bsuid is None or phone is None:
        found: str | None = await redis.get(identity_key(str(bsuid or phone)))
        return found or await conversation_for(redis, phone, bsuid)
    home, *holders = await redis.mget([identity_key(name) for name in (bsuid, *variants(phone))])
    for holder in dict.fromkeys(holders):
        if holder is None or holder == home:
            continue
        theirs, mine = await identities_of(redis, holder), await identities_of(redis, home) if home else set()
        if identity.one_person(mine, theirs, (bsuid, phone)):
            home = await identity.unite(redis, home, holder) if home else holder
        else:
            # Because operators give numbers to new people, the new owner must not get the former one's content.
            await identity.release_phone(redis, holder, phone)
    if home is None:
        known: dict[str, str | None] = {identity_key(bsuid): None, identity_key(phone): None}
        await _create(redis, [pair], known)
        home, holder = known[identity_key(bsuid)], known[identity_key(phone)]
        if home != holder:
            # Another process was first with one of them.
            return await _resolve(redis, pair)
    await identity.assign(redis, str(home), (bsuid, phone))
    return str(home)


async def _follow_once(redis: Redis, message: Inbound) -> str:
    """Follow a system message about a new number or BSUID, once: the old number may have a new owner by now."""
    if not isinstance(message.content, System):  # pragma: no cover - narrowed by the caller
        raise TypeError("not an identity change")
    followed = f"recado:followed:{hashlib.sha256(message.id.encode()).hexdigest()[:32]}"
    home: str | None = await redis.get(followed)
    if home is None:
        content = message.content
        old, new = (message.bsuid, message.phone), (content.bsuid, content.phone)
        if content.event in _NUMBER_CHANGES:
            home = await _follow_new_number(redis, old, new)
        elif message.bsuid and content.bsuid:
            home = await follow_new_bsuid(redis, message.bsuid, content.bsuid, message.phone)
        home = home or await conversation_for(redis, None, content.bsuid)
        await redis.set(followed, home, ex=ledger.KEEP_SECONDS)
    return home


async def _follow_new_number(redis: Redis, old: Pair, new: Pair) -> str:
    """Follow an update of a person's number, and of the BSUID that comes with it.

    Unites no conversations, because the new number may have been another person's until now.
    """
    home = await conversation_for(redis, old[1], old[0])
    bsuid, phone = new
    holder = await identity.find(redis, None if bsuid else phone, bsuid)
    if holder not in (None, home):
        # Because messages came under it before the update, it may be two people: the conversations stay apart.
        mine: Pair = (None, None)
    else:
        mine = new
        if bsuid:
            await identity.link_names(redis, home, [bsuid])
    if mine[0] and mine[1]:
        await _resolve(redis, mine)
    elif mine[1]:
        await identity.assign(redis, home, [mine[1]])
    if mine != (None, None):
        await identity.write_facts(redis, home, bsuid=mine[0], phone=mine[1])
    former = old[1]
    another = former and (phone is None or canonical_variant(former) != canonical_variant(phone))
    if former and another and await redis.get(identity_key(former)) == home:
        await identity.release_phone(redis, home, former)
    return home


def new_conversation() -> str:
    """A name for a new conversation."""
    # The time comes first, so that of two conversations all processes take the same one for the older. The rest
    # is random, because names of conversations are in logs and job data, and must say nothing of the person.
    return f"c_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"
