"""Exports or erases all stored data of one person.

Every key of a conversation begins with its name, so that new keys need no entry here. Other data are asked of their
owners: the history, the identity index, lists of due work, jobs in queues, files in the storage.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from bot.conversations import contacts, identity, ledger, opt_outs, tombstones
from bot.conversations.assignment import Assignments
from bot.conversations.dead_letters import DeadLetters
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, done_key, lease_key, renew_lease_until
from bot.conversations.waiting_list import WaitingList
from bot.delivery.statuses import DeliveryStatuses
from bot.history.opening import OpenHistory
from bot.infra import queue_admin
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer, cancel_and_wait, key, shielded
from bot.integrations.email.suppression import Suppression
from bot.integrations.stripe import customers as stripe_customers
from bot.integrations.stripe import subscription_state
from bot.knowledge import gaps
from bot.storage.files import Files, FilesLost
from bot.whatsapp.phone_numbers import address_of, canonical_variant, variants

# A turn in progress is waited for. It answers within TURN_DEADLINE_SECONDS, and may send for a while.
_LONGEST_WAIT_SECONDS = 120.0
# No message is accepted for so long during an erasure, even if the process dies.
_CLOSED_SECONDS = 60
_DELETE_AT_ONCE = 500


class ConversationBusy(Exception):
    """A turn works on the conversation for too long."""


@dataclass(frozen=True, slots=True)
class Person:
    """Identifiers of a person: conversations (merged ones too), phones, BSUIDs, e-mail addresses, customers at Stripe.

    `former_phones` are phones that others had too, each with its period in Unix seconds. A job that names such a phone
    concerns its owner at the time when the job was added.
    """

    conversations: tuple[str, ...]
    identities: frozenset[str]
    emails: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    former_phones: tuple[tuple[str, float, float], ...] = ()

    def is_about(self, text: str) -> bool:
        """Whether a text names this person; a phone counts only as a whole number, however it is grouped."""
        names = [re.escape(conversation) for conversation in self.conversations]
        identifiers = {*self.identities, *(phone for phone, _, _ in self.former_phones)}
        spellings = {
            spelling
            for identifier in identifiers
            for spelling in (variants(identifier) if identifier.isdigit() else (identifier,))
        }
        names += [rf"(?<!\d){_grouped(spelling)}(?!\d)" for spelling in spellings]
        names += [rf"(?<![\w.+-]){re.escape(email)}(?![\w.-])" for email in self.emails]
        names += [rf"(?<!\w){re.escape(customer)}(?!\w)" for customer in self.customers]
        return re.search("|".join(names), text, re.IGNORECASE) is not None

    def concerns(self, job: queue_admin.StoredJob) -> bool:
        """Whether a job is about this person, and not about an earlier or later owner of the phone."""
        shared = {canonical_variant(phone) for phone, _, _ in self.former_phones}
        alone = frozenset(identifier for identifier in self.identities if canonical_variant(identifier) not in shared)
        phones = frozenset(phone for phone, since, until in self.former_phones if since <= job.added < until)
        return replace(self, identities=alone | phones, former_phones=()).is_about(job.text)


def _grouped(identity: str) -> str:
    """A pattern of a phone with signs between its digits, as other systems write it; of a BSUID, of itself."""
    return r"[ ().-]{0,3}".join(identity) if identity.isdigit() else re.escape(identity)


@dataclass(frozen=True, slots=True)
class Erased:
    """Numbers of erased keys, files, jobs and rows. `opted_out`: an objection to marketing stays, as a digest."""

    keys: int
    files: int
    jobs: int
    rows: int
    opted_out: bool


async def find(redis: Redis, address: str) -> Person | None:
    """The person of a phone, a BSUID or a conversation (c_…); None for an unknown one."""
    phone, bsuid = address_of(address)
    found = address if await _is_known_conversation(redis, address) else None
    for spelling in variants(phone) if phone else (None,):
        found = found or await identity.find(redis, spelling, bsuid)
    if found is None:
        return None
    names: list[str] = []
    emails: set[str] = set()
    customers: set[str] = set()
    pending = [await identity.current_name(redis, found)]
    while pending:
        name = pending.pop()
        if name not in names:
            names.append(name)
            record = await contacts.record_of(redis, name)
            at_stripe, addresses = await stripe_customers.references(redis, name)
            customers |= at_stripe
            emails |= addresses | set(filter(None, [record.get("email")]))
            earlier = record.get("earlier", "").split(",")
            pending += [*filter(None, earlier), *sorted(await answer(redis.smembers(identity.to_merge_key(name))))]
    identifiers = {identifier for name in names for identifier in await identity.identities_of(redis, name)}
    identities = frozenset(identifiers | {identifier for identifier in (phone, bsuid) if identifier})
    former_phones = [former for name in names for former in await _former_phones(redis, name)]
    return Person(tuple(names), identities, frozenset(emails), frozenset(customers), tuple(former_phones))


async def find_in_history(history: OpenHistory, address: str) -> Person | None:
    """A person whom Redis has forgotten, and the history not yet."""
    phone, bsuid = address_of(address)
    names = await (await history()).conversations_of(variants(phone) if phone else (), bsuid) if phone or bsuid else []
    return Person(tuple(names), frozenset(identifier for identifier in (phone, bsuid) if identifier)) if names else None


async def _is_known_conversation(redis: Redis, name: str) -> bool:
    if not identity.is_conversation(name):
        return False
    keys = (identity.contact_key(name), identity.identities(name), identity.merged_into_key(name))
    return bool(await redis.exists(*keys))


async def _former_phones(redis: Redis, conversation: str) -> list[tuple[str, float, float]]:
    """Phones with the periods of their owners: former ones, and a present one that was another person's."""
    former: dict[str, str] = await answer(redis.hgetall(identity.former_phones(conversation)))
    found: list[tuple[str, float, float]] = []
    for phone, times in former.items():
        since, until = times.split()
        found.append((phone, float(since), float(until)))
    record = await contacts.record_of(redis, conversation)
    if "phone_since" in record:
        phones = {
            identifier for identifier in await identity.identities_of(redis, conversation) if identifier.isdigit()
        }
        found += [(phone, float(record["phone_since"]), math.inf) for phone in phones]
    return found


class PersonalData:
    """`longest_wait` for a turn in progress is in seconds."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        redis: Redis,
        leases: ConversationLeases,
        files: Files,
        deliveries: DeliveryStatuses,
        history: OpenHistory,
        *,
        longest_wait: float = _LONGEST_WAIT_SECONDS,
    ) -> None:
        self._redis = redis
        self._leases = leases
        self._files = files
        self._deliveries = deliveries
        self._history = history
        self._longest_wait = longest_wait

    async def export(self, person: Person) -> dict[str, Any]:
        """`{identities, conversations: {name: {key: value}}, files: [{key, size}], jobs: [{queue, id, name, data}],
        billing: {customer: {key: value}}, suppressed: {address: why nothing is sent to it}, history: {table: [row]}}`.

        Texts that are JSON are decoded. Raises StorageFailed.
        """
        return await self.about(person) | {"history": await (await self._history()).export(person.conversations)}

    async def export_text(
        self, person: Person, about: dict[str, Any] | None = None, *, ascii_only: bool = True
    ) -> AsyncGenerator[str, None]:
        """The export as JSON in pieces, none of which takes long or much memory; a row of the history is a line.

        `about` is the export without the history, where the caller has it. Raises StorageFailed.
        """
        kept = about if about is not None else await self.about(person)
        yield json.dumps(kept, ensure_ascii=ascii_only, indent=2).removesuffix("\n}") + ',\n  "history": {'
        table = ""
        async with aclosing((await self._history()).rows(person.conversations)) as found:
            async for name, rows in found:
                ended = "\n    ]," if table else ""
                begun = f"{ended}\n    {json.dumps(name)}: [\n      " if name != table else ",\n      "
                yield begun + ",\n      ".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
                table = name
        yield "\n    ]\n  }\n}" if table else "}\n}"

    async def count_rows(self, person: Person) -> int:
        """Number of rows that the history has of the person."""
        return await (await self._history()).count(person.conversations)

    async def about(self, person: Person) -> dict[str, Any]:
        """The export without the history, which may be far larger than all the rest. Raises StorageFailed."""
        stored = [file for name in person.conversations for file in await self._files.stored(name)]
        return {
            "identities": sorted(person.identities),
            "conversations": {name: await self._kept(name) for name in person.conversations},
            "files": [{"key": file.key, "size": file.size} for file in stored],
            "jobs": [
                {"queue": job.queue, "id": job.id, "name": job.name, "data": job.data}
                for job in await queue_admin.jobs_about(self._redis, person.is_about, person.concerns)
            ],
            "billing": {
                customer: _decoded(await subscription_state.stored(self._redis, customer))
                for customer in sorted(person.customers)
            },
            "suppressed": {
                email: why
                for email in sorted(person.emails)
                if (why := await Suppression(self._redis).why(email)) is not None
            },
        }

    async def missing(self, person: Person) -> list[str]:
        """Files that an index names and this process's storage lacks; raises StorageFailed."""
        return [place for name in person.conversations for place in await self._files.missing(name)]

    async def erase(self, person: Person, *, files_lost: bool = False) -> Erased:
        """Erase all data while no turn is in progress. After a failure the rest can still be found: repeat it.

        Unless `files_lost`, missing files end it before anything is erased: another process may have them. Raises
        ConversationBusy, FilesLost, StorageFailed.
        """
        async with AsyncExitStack() as stack:
            for name in person.conversations:
                await stack.enter_async_context(self._held(name))
            if not files_lost and (missing := await self.missing(person)):
                raise FilesLost(missing)
            await self._close(person, _CLOSED_SECONDS)
            try:
                # The database and the storage are erased first, because they may fail.
                rows = await (await self._history()).erase(person.conversations)
                files = [await self._files.erase(name) for name in person.conversations]
                gone = await queue_admin.forget_jobs(self._redis, person.is_about, person.concerns)
                for name in person.conversations:
                    await tombstones.add_messages(self._redis, await ledger.digests(self._redis, name))
                for customer in person.customers:
                    await subscription_state.forget(self._redis, customer)
                for email in person.emails:
                    await Suppression(self._redis).lift(email)
                # Stripe's links go after the data that only they lead to.
                for name in person.conversations:
                    await stripe_customers.forget(self._redis, name)
                home = person.conversations[0]
                opted_out = await contacts.store_objection(self._redis, home, person.identities)
                keys = [await self._delete_keys(name) for name in person.conversations]
                await opt_outs.unlist(self._redis, person.conversations)
                for name in person.conversations:
                    await WaitingList(self._redis).forget(name)
                    await Assignments(self._redis).end(name)
                    await gaps.forget(self._redis, name)
                    await DeadLetters(self._redis).drop(name)
                    await self._deliveries.forget(name)
                await LiveEvents(self._redis).forget(person.is_about)
                await self._close(person, tombstones.KEEP_SECONDS)
                # Identities go last: they make a half erased person findable again.
                for name in person.conversations:
                    await identity.forget(self._redis, name)
            except BaseException:
                await shielded(answer(self._redis.delete(*map(tombstones.erased, person.conversations))))
                raise
        return Erased(sum(keys), sum(files), gone, rows, opted_out)

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
        decoded = {name[start:]: await self._value(name) for name in names if name not in ours}
        return {name: value for name, value in decoded.items() if value is not None}

    async def _value(self, name: str) -> Any:
        """The value of a key of any type; None when it is gone meanwhile."""
        redis = self._redis
        readers: dict[str, Callable[[], Any]] = {
            "string": lambda: redis.get(name),
            "hash": lambda: redis.hgetall(name),
            "list": lambda: redis.lrange(name, 0, -1),
            "set": lambda: redis.smembers(name),
            "zset": lambda: redis.zrange(name, 0, -1, withscores=True),
        }
        kind = await redis.type(name)
        return _decoded(await readers[kind]()) if kind in readers else None

    @asynccontextmanager
    async def _held(self, conversation: str) -> AsyncIterator[None]:
        lease = Lease(conversation, secrets.token_hex(8))
        until = time.monotonic() + self._longest_wait
        while not await self._leases.acquire(lease):
            if time.monotonic() > until:
                raise ConversationBusy(conversation)
            await asyncio.sleep(0.1)
        holding = asyncio.create_task(_quietly(renew_lease_until(self._leases, lease, asyncio.Event())))
        try:
            yield
        finally:
            await cancel_and_wait(holding)
            await self._leases.abandon(lease)


async def _quietly(work: Any) -> None:
    """A lost lease does no harm: the mark of erasure decides whether others may write."""
    try:
        await work
    except LeaseLost:
        return


def _decoded(value: Any) -> Any:
    match value:
        case dict():
            return {name: _decoded(item) for name, item in value.items()}
        case set():
            return sorted(value)
        case list() | tuple():
            return [_decoded(item) for item in value]
        case str() if value[:1] in ("{", "["):
            try:
                return json.loads(value)
            except ValueError:
                return value
        case _:
            return value
