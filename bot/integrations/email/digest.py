"""E-mail to operators while nobody has the console open: who waits for a person, and for how long.

Mails lie about as phones do: a digest has initials and the last two digits of a phone, and no word of a message.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.conversations.assignment import Assignments, CallForPerson
from bot.conversations.contacts import Contact, Contacts
from bot.database.lazy import LazyDatabase
from bot.infra.logs import masked
from bot.infra.redis import answer
from bot.integrations.email.jobs import enqueue
from bot.people.presence import OperatorPresence

# Operators who want the mail, by a digest of their address, with their language.
_WANTED = "recado:digest:operators"
_SENT = "recado:digest:sent"
# The time of the newest call in a mail: what is known already is no news.
_TOLD = "recado:digest:told"
_LEASE = "recado:digest:lease"
_LEASE_SECONDS = 60
_TOLD_SECONDS = 24 * 3600
_MOST_LISTED = 20
_HOUR = 60


@dataclass(frozen=True, slots=True)
class DigestWishes:
    """Operators who want the mail."""

    redis: Redis

    async def wanted_by(self, email: str) -> bool:
        return bool(await answer(self.redis.hexists(_WANTED, _name(email))))

    async def want(self, email: str, language: str) -> None:
        await answer(self.redis.hset(_WANTED, _name(email), language))

    async def refuse(self, email: str) -> None:
        await answer(self.redis.hdel(_WANTED, _name(email)))

    async def languages(self) -> dict[str, str]:
        """Languages by the digest of an address."""
        found: dict[str, str] = await answer(self.redis.hgetall(_WANTED))
        return found


@dataclass(frozen=True, slots=True)
class WaitingDigest:
    """`seconds` may somebody wait; `every_seconds` lie between two mails. `address` is the console's, if known."""

    redis: Redis
    assignments: Assignments
    contacts: Contacts
    database: LazyDatabase
    seconds: float
    every_seconds: float
    address: str | None

    async def look(self) -> int:
        """Order the mails, if somebody waits, nobody is there, and it is time; gives how many."""
        wishes = await DigestWishes(self.redis).languages()
        if not wishes or await self.redis.exists(_SENT) or await OperatorPresence(self.redis).present():
            return 0
        waiting = await self.assignments.unanswered(self.seconds)
        told = float(await self.redis.get(_TOLD) or 0)
        if not any(call.at > told for call in waiting):
            return 0
        # One worker orders them. If it dies meanwhile, the next one orders the same jobs.
        if not await self.redis.set(_LEASE, secrets.token_hex(8), nx=True, ex=_LEASE_SECONDS):
            return 0
        if await self.redis.exists(_SENT):
            return 0
        return await self._order(waiting, wishes)

    async def _order(self, waiting: Sequence[CallForPerson], wishes: dict[str, str]) -> int:
        data = await self._data(waiting)
        newest = max(call.at for call in waiting)
        ordered = 0
        for email in await self._addresses() if data["people"] else []:
            if language := wishes.get(_name(email)):
                job = {"to": email, "template": "people_waiting", "data": data, "language": language}
                await enqueue(self.redis, job, f"digest-{masked(repr(newest))}-{_name(email)}")
                ordered += 1
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.set(_TOLD, repr(newest), ex=_TOLD_SECONDS)
        if ordered:
            pipeline.set(_SENT, "1", px=max(int(self.every_seconds * 1000), 1))
        pipeline.delete(_LEASE)
        await pipeline.execute()
        return ordered

    async def _data(self, waiting: Sequence[CallForPerson]) -> dict[str, Any]:
        people: list[dict[str, Any]] = []
        for call in waiting:
            contact = await self.contacts.get(call.conversation)
            # Meanwhile a colleague may have answered in another way.
            if contact.handed_off and await self.assignments.of(call.conversation) is None:
                link = {"url": f"{self.address}/console/?c={call.conversation}"} if self.address else {}
                people.append({"who": _masked(contact), "minutes": _minutes(call.at)} | link)
        link = {"url": f"{self.address}/console/"} if self.address else {}
        return {"people": people[:_MOST_LISTED], "count": len(people)} | link

    async def _addresses(self) -> list[str]:
        """Addresses of those who may log in."""
        from bot.people.operators import Operators  # noqa: PLC0415 - the database's libraries are loaded late
        from bot.people.passwords import Passwords  # noqa: PLC0415 - as above

        found = await Operators(await self.database(), Passwords()).all()
        return [operator.email for operator in found if not operator.disabled]


def _minutes(at: float) -> int:
    """The wait in minutes; in whole hours where it is longer than one."""
    minutes = max(int((time.time() - at) / 60), 1)
    return minutes if minutes < _HOUR else minutes // _HOUR * _HOUR


def _masked(contact: Contact) -> str:
    initials = " ".join(f"{word[0].upper()}." for word in (contact.name or "").split()[:2] if word[0].isalpha())
    digits = f"…{contact.phone[-2:]}" if contact.phone else ""
    return " ".join(filter(None, (initials, digits)))


def _name(email: str) -> str:
    return masked(email.casefold())
