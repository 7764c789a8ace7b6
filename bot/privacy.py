"""All that is stored about one person, everywhere: shown to them, or erased.

Every key of a conversation begins with its name, so that whoever adds one need not tell anybody here. What lies
elsewhere is asked of its owners: the identity index, the lists of what is due, jobs in queues, files in the storage.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from bot.conversations import contacts, identity, ledger, tombstones
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, done_key, hold, lease_key
from bot.conversations.waiting_list import WaitingList
from bot.delivery.statuses import DeliveryStatuses
from bot.infra import queue_admin
from bot.infra.redis import answer, ended, key
from bot.integrations.email.suppression import Suppression
from bot.integrations.stripe import customers as stripe_customers
from bot.integrations.stripe import subscription_state
from bot.storage.files import Files, FilesLost
from bot.whatsapp.phone_numbers import address_of, kin, variants

# A turn in hand is waited for: it has its answer within TURN_DEADLINE_SECONDS, and may send for a while.
_PATIENCE_SECONDS = 120.0
# While it is erased, and should the process die in the middle, no message is taken for so long.
_CLOSED_SECONDS = 60
_DELETE_AT_ONCE = 500


class Busy(Exception):
    """Somebody works on the conversation for too long."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose dossier it is: their conversation, those that became a part of it, their phones, BSUIDs, e-mail
    addresses and customers at Stripe. `had` are phones that others have had too, each with the time (Unix seconds) in
    which it was theirs: a job that names such a phone is of whoever had it when the job was added.
    """

    conversations: tuple[str, ...]
    identities: frozenset[str]
    emails: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    had: tuple[tuple[str, float, float], ...] = ()

    def is_about(self, text: str) -> bool:
        """Whether a text speaks of this person; a phone counts with its whole number only."""
        names = [re.escape(one) for one in self.conversations]
        known = {*self.identities, *(phone for phone, _, _ in self.had)}
        spelled = {spelling for one in known for spelling in (variants(one) if one.isdigit() else (one,))}
        names += [rf"(?<!\d){re.escape(one)}(?!\d)" for one in spelled]
        names += [rf"(?<![\w.+-]){re.escape(one)}(?![\w.-])" for one in self.emails]
        names += [rf"(?<!\w){re.escape(one)}(?!\w)" for one in self.customers]
        return re.search("|".join(names), text, re.IGNORECASE) is not None

    def is_meant(self, job: queue_admin.StoredJob) -> bool:
        """Whether a job is about this person, and not about who had the phone before them or has it since."""
        shared = {kin(phone) for phone, _, _ in self.had}
        alone = frozenset(one for one in self.identities if kin(one) not in shared)
        phones = frozenset(phone for phone, since, until in self.had if since <= job.added < until)
        return replace(self, identities=alone | phones, had=()).is_about(job.text)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much there was: keys in Redis, files, jobs; whether a wish for no marketing is kept, as a digest."""

    keys: int
    files: int
    jobs: int
    opted_out: bool


async def find(redis: Redis, asked: str) -> Person | None:
    """The person of a phone or BSUID; None when nothing is known of them."""
    phone, bsuid = address_of(asked)
    found = None
    for spelling in variants(phone) if phone else (None,):
        found = found or await identity.find(redis, spelling, bsuid)
    if found is None:
        return None
    names: list[str] = []
    emails: set[str] = set()
    customers: set[str] = set()
    pending = [await identity.home_of(redis, found)]
    while pending:
        name = pending.pop()
        if name not in names:
            names.append(name)
            record = await contacts.record_of(redis, name)
            at_stripe, addresses = await stripe_customers.noted(redis, name)
            customers |= at_stripe
            emails |= addresses | set(filter(None, [record.get("email")]))
            earlier = record.get("earlier", "").split(",")
            pending += [*filter(None, earlier), *sorted(await answer(redis.smembers(identity.joining(name))))]
    known = {one for name in names for one in await identity.identities_of(redis, name)}
    identities = frozenset(known | {one for one in (phone, bsuid) if one})
    had = [one for name in names for one in await _had(redis, name)]
    return Person(tuple(names), identities, frozenset(emails), frozenset(customers), tuple(had))


async def _had(redis: Redis, conversation: str) -> list[tuple[str, float, float]]:
    """Phones that were a person's for a time, and theirs now where it was another person's before."""
    former: dict[str, str] = await answer(redis.hgetall(identity.former_phones(conversation)))
    found: list[tuple[str, float, float]] = []
    for phone, times in former.items():
        since, until = times.split()
        found.append((phone, float(since), float(until)))
    record = await contacts.record_of(redis, conversation)
    if "phone_since" in record:
        phones = {one for one in await identity.identities_of(redis, conversation) if one.isdigit()}
        found += [(phone, float(record["phone_since"]), math.inf) for phone in phones]
    return found


class PersonalData:
    """`patience` is how many seconds a turn in hand is waited for."""

    def __init__(
        self,
        redis: Redis,
        leases: ConversationLeases,
        files: Files,
        deliveries: DeliveryStatuses,
        *,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._redis = redis
        self._leases = leases
        self._files = files
        self._deliveries = deliveries
        self._patience = patience

    async def export(self, person: Person) -> dict[str, Any]:
        """`{identities, conversations: {name: {key: value}}, files: [{key, size}], jobs: [{queue, id, name, data}],
        billing: {customer: {key: value}}, suppressed: {address: why nothing is sent to it}}`.

        Texts that are JSON are shown as what they say. Raises StorageFailed.
        """
        stored = [file for name in person.conversations for file in await self._files.stored(name)]
        return {
            "identities": sorted(person.identities),
            "conversations": {name: await self._kept(name) for name in person.conversations},
            "files": [{"key": file.key, "size": file.size} for file in stored],
            "jobs": [
                {"queue": job.queue, "id": job.id, "name": job.name, "data": job.data}
                for job in await queue_admin.about(self._redis, person.is_about, person.is_meant)
            ],
            "billing": {
                one: _shown(await subscription_state.kept(self._redis, one)) for one in sorted(person.customers)
            },
            "suppressed": {
                one: why
                for one in sorted(person.emails)
                if (why := await Suppression(self._redis).why(one)) is not None
            },
        }

    async def missing(self, person: Person) -> list[str]:
        """Files that an index names and this process's storage lacks; raises StorageFailed."""
        return [place for name in person.conversations for place in await self._files.missing(name)]

    async def erase(self, person: Person, *, files_lost: bool = False) -> Erased:
        """Erase all of it, while nobody works on it. What fails leaves the rest to be found: do it again.

        Unless the files are known to be lost, a storage that lacks some ends it before anything is erased: they may
        lie where only another process finds them. Raises Busy, FilesLost, StorageFailed.
        """
        async with AsyncExitStack() as stack:
            for name in person.conversations:
                await stack.enter_async_context(self._held(name))
            if not files_lost and (missing := await self.missing(person)):
                raise FilesLost(missing)
            await self._close(person, _CLOSED_SECONDS)
            try:
                # The storage first: it is what may fail.
                files = [await self._files.erase(name) for name in person.conversations]
                gone = await queue_admin.forget(self._redis, person.is_about, person.is_meant)
                for name in person.conversations:
                    await tombstones.note_messages(self._redis, await ledger.raw(self._redis, name))
                for customer in person.customers:
                    await subscription_state.forget(self._redis, customer)
                for email in person.emails:
                    await Suppression(self._redis).lift(email)
                # After what only they lead to.
                for name in person.conversations:
                    await stripe_customers.forget(self._redis, name)
                home = person.conversations[0]
                opted_out = await contacts.keep_objection(self._redis, home, person.identities)
                keys = [await self._delete_keys(name) for name in person.conversations]
                for name in person.conversations:
                    await WaitingList(self._redis).forget(name)
                    await self._deliveries.strike(name)
                await self._close(person, tombstones.KEEP_SECONDS)
                # Last of all: as long as they lead here, whoever is erased in part is found again.
                for name in person.conversations:
                    await identity.forget(self._redis, name)
            except BaseException:
                await self._redis.delete(*map(tombstones.erased, person.conversations))
                raise
        return Erased(sum(keys), sum(files), gone, opted_out)

    async def _close(self, person: Person, seconds: int) -> None:
        for name in person.conversations:
            await self._redis.set(tombstones.erased(name), "1", ex=seconds)

    async def _delete_keys(self, conversation: str) -> int:
        stays = {lease_key(conversation), tombstones.erased(conversation), identity.identities(conversation)}
        names = [name for name in await self._names(conversation) if name not in stays]
        for start in range(0, len(names), _DELETE_AT_ONCE):
            await self._redis.unlink(*names[start : start + _DELETE_AT_ONCE])
        return len(names)

    async def _names(self, conversation: str) -> list[str]:
        found = self._redis.scan_iter(f"{key(conversation)}:*", count=1000)
        return sorted({name async for name in found})

    async def _kept(self, conversation: str) -> dict[str, Any]:
        start = len(key(conversation)) + 1
        names = await self._names(conversation)
        ours = (lease_key(conversation), done_key(conversation))
        shown = {name[start:]: await self._value(name) for name in names if name not in ours}
        return {name: value for name, value in shown.items() if value is not None}

    async def _value(self, name: str) -> Any:
        """The value of a key of any type; None when it went away meanwhile."""
        redis = self._redis
        readers: dict[str, Callable[[], Any]] = {
            "string": lambda: redis.get(name),
            "hash": lambda: redis.hgetall(name),
            "list": lambda: redis.lrange(name, 0, -1),
            "set": lambda: redis.smembers(name),
            "zset": lambda: redis.zrange(name, 0, -1, withscores=True),
        }
        kind = await redis.type(name)
        return _shown(await readers[kind]()) if kind in readers else None

    @asynccontextmanager
    async def _held(self, conversation: str) -> AsyncIterator[None]:
        lease = Lease(conversation, secrets.token_hex(8))
        until = time.monotonic() + self._patience
        while not await self._leases.take(lease):
            if time.monotonic() > until:
                raise Busy(conversation)
            await asyncio.sleep(0.1)
        holding = asyncio.create_task(_quietly(hold(self._leases, lease, asyncio.Event())))
        try:
            yield
        finally:
            await ended(holding)
            await self._leases.abandon(lease)


async def _quietly(work: Any) -> None:
    """A lease that is lost loses nothing: what may be written to the conversation is decided by its mark."""
    try:
        await work
    except LeaseLost:
        return


def _shown(value: Any) -> Any:
    match value:
        case dict():
            return {name: _shown(one) for name, one in value.items()}
        case set():
            return sorted(value)
        case list() | tuple():
            return [_shown(one) for one in value]
        case str() if value[:1] in ("{", "["):
            try:
                return json.loads(value)
            except ValueError:
                return value
        case _:
            return value
