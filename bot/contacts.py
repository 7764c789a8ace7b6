"""Who somebody is: the phone and BSUID that lead to one conversation, and what is known of the person."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from redis.asyncio import Redis

from bot.messages import Inbound
from bot.redis import answer, key
from bot.whatsapp.loose import digits

# Meta's 131026 can be passing: once proves nothing (reference 10.2).
_UNREACHABLE_AFTER = 3
_CONVERSATION = re.compile(r"^c_[0-9a-f]{20}$")
# Never through a phone's eyes first: its digits would be a stranger's number (reference 2.7).
_BSUID = re.compile(r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")
_SHORTEST_PHONE = 7


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as far as known; `quiet` means that a colleague answers and the bot doesn't.

    `unreachable`: Meta could not deliver several times. `window_refused_at`: the last message before Meta
    called the 24 hours over.
    """

    phone: str | None = None
    bsuid: str | None = None
    name: str | None = None
    language: str | None = None
    quiet: bool = False
    last_inbound_at: datetime | None = None
    marketing_opt_out: bool = False
    unreachable: bool = False
    window_refused_at: datetime | None = None
    role: Literal["customer", "staff"] = "customer"


async def conversations_of(redis: Redis, messages: list[Inbound]) -> list[str]:
    """The conversations of the messages' senders, made where they write for the first time.

    A BSUID counts before a phone, which can be missing (reference 2.7). Seen together, both lead to one place.
    """
    identities = [[_identity(value) for value in (message.bsuid, message.phone) if value] for message in messages]
    asked = list(dict.fromkeys(identity for pair in identities for identity in pair))
    known = dict(zip(asked, await redis.mget(asked), strict=True))
    fresh: dict[str, str] = {}
    for pair in identities:
        found = next((known[one] or fresh.get(one) for one in pair if known[one] or fresh.get(one)), None)
        # A random key: nothing of the person can be read from it, in logs or job data.
        chosen = found or f"c_{secrets.token_hex(10)}"
        fresh |= {identity: chosen for identity in pair if known[identity] is None}
    if fresh:
        pipeline = redis.pipeline(transaction=False)
        for identity, chosen in fresh.items():
            pipeline.set(identity, chosen, nx=True, get=True)
        # Another process may have been first; then its answer is the one.
        for (identity, chosen), earlier in zip(fresh.items(), await pipeline.execute(), strict=True):
            known[identity] = earlier or chosen
    return [str(known[pair[0]]) for pair in identities]


def variants(phone: str) -> tuple[str, ...]:
    """A number and how WhatsApp may spell it: Mexico's old 1, Brazil's ninth digit. For finding, never for sending."""
    mexican, brazilian = re.fullmatch(r"521?(\d{10})", phone), re.fullmatch(r"55(\d\d)9?(\d{8})", phone)
    if mexican:
        return tuple(dict.fromkeys((phone, f"521{mexican[1]}", f"52{mexican[1]}")))
    if brazilian:
        area, number = brazilian.groups()
        return tuple(dict.fromkeys((phone, f"55{area}9{number}", f"55{area}{number}")))
    return (phone,)


def address_of(value: str) -> tuple[str | None, str | None]:
    """The phone or the BSUID that a string from outside stands for; both None when it is neither."""
    value = value.strip()
    if _BSUID.match(value):
        return None, value
    phone = digits(value, "-", "(", ")", ".")
    return (phone, None) if phone and len(phone) >= _SHORTEST_PHONE else (None, None)


def _identity(value: str) -> str:
    return f"recado:identity:{value}"


def is_conversation(name: object) -> bool:
    """Whether a name that came from outside is a conversation's key."""
    return isinstance(name, str) and _CONVERSATION.match(name) is not None


class Contacts:
    def __init__(self, redis: Redis, staff: Iterable[str] = ()) -> None:
        self._redis = redis
        addresses = [address_of(one) for one in staff]
        self._staff = {known for phone, bsuid in addresses for known in (*variants(phone or ""), bsuid) if known}

    async def get(self, conversation: str) -> Contact:
        raw: dict[str, str] = await answer(self._redis.hgetall(_contact(conversation)))
        return Contact(
            phone=raw.get("phone"),
            bsuid=raw.get("bsuid"),
            name=raw.get("name"),
            language=raw.get("language"),
            quiet=raw.get("quiet") == "1",
            last_inbound_at=_moment(raw.get("last_inbound_at")),
            marketing_opt_out=raw.get("marketing_opt_out") == "1",
            unreachable=int(raw.get("undeliverable", "0")) >= _UNREACHABLE_AFTER,
            window_refused_at=_moment(raw.get("window_refused_at")),
            role="staff" if self._staff & {raw.get("phone"), raw.get("bsuid")} else "customer",
        )

    async def reach(self, *, phone: str | None, bsuid: str | None) -> str:
        """The conversation with a person that we write to first; made when there is none."""
        spellings = [bsuid] if bsuid else list(variants(phone or ""))
        known = await self._redis.mget([_identity(one) for one in spellings if one])
        found = next((conversation for conversation in known if conversation), None)
        if found is None:
            made = f"c_{secrets.token_hex(10)}"
            found = await self._redis.set(_identity(bsuid or phone or ""), made, nx=True, get=True) or made
        field, value = ("bsuid", bsuid) if bsuid else ("phone", phone)
        await answer(self._redis.hsetnx(_contact(found), field, value or ""))
        return str(found)

    async def saw(self, conversation: str, messages: list[Inbound], language: str | None) -> None:
        """Keep what the newest message says of its sender; what it leaves out stays as it was."""
        newest = max(messages, key=lambda message: message.sent_at)
        said = {
            "phone": newest.phone,
            "bsuid": newest.bsuid,
            "name": newest.name,
            "language": language,
            "last_inbound_at": str(newest.sent_at.timestamp()),
            "undeliverable": "0",
        }
        known = {field: value for field, value in said.items() if value}
        await answer(self._redis.hset(_contact(conversation), mapping=known))

    async def known(self, conversation: str) -> bool:
        return bool(await answer(self._redis.exists(_contact(conversation))))

    async def set_quiet(self, conversation: str, *, quiet: bool) -> None:
        await answer(self._redis.hset(_contact(conversation), "quiet", "1" if quiet else "0"))

    async def set_marketing_opt_out(self, conversation: str, *, opt_out: bool) -> None:
        await answer(self._redis.hset(_contact(conversation), "marketing_opt_out", "1" if opt_out else "0"))

    async def window_refused(self, conversation: str, asked_at: datetime) -> None:
        """Meta says that the 24 hours were over when it was asked: only a message later than the last opens them.

        Meta's times have whole seconds, so that messages are compared with messages and not with our clock.
        """
        last: str | None = await answer(self._redis.hget(_contact(conversation), "last_inbound_at"))
        if last and float(last) <= asked_at.timestamp():
            await answer(self._redis.hset(_contact(conversation), "window_refused_at", last))

    async def undeliverable(self, conversation: str) -> None:
        """Meta could not deliver to this person; several times make the person unreachable, until they write."""
        await answer(self._redis.hincrby(_contact(conversation), "undeliverable", 1))


def _moment(raw: str | None) -> datetime | None:
    return datetime.fromtimestamp(float(raw), UTC) if raw else None


def _contact(conversation: str) -> str:
    return key(conversation, "contact")
