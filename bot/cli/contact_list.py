"""People that are known, the last writer first, and the search among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.cli.words import say
from bot.conversations.identity import contact_key, merged_into_key
from bot.messages.folding import folded
from bot.whatsapp.phone_numbers import variants

_AT_ONCE = 500
# Because fewer digits are in nearly every number, they find no phone.
_FEWEST_DIGITS = 4
_PHONE = re.compile(r"[\d\s()+.-]+")
_NAME_WIDTH = 20


@dataclass(frozen=True, slots=True)
class ListedContact:
    """A person in a list. `last_message_at` is the time of their newest message, in UTC."""

    conversation: str
    name: str | None
    phone: str | None
    bsuid: str | None
    email: str | None
    last_message_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        at = self.last_message_at
        return asdict(self) | {"last_message_at": at.isoformat(timespec="seconds") if at else None}


async def known_contacts(redis: Redis) -> list[ListedContact]:
    """Read all people, the last writer first."""
    prefix, suffix = contact_key("*").split("*")
    names = [
        key.removeprefix(prefix).removesuffix(suffix) async for key in redis.scan_iter(contact_key("c_*"), count=1000)
    ]
    found: list[ListedContact] = []
    for start in range(0, len(names), _AT_ONCE):
        chunk, pipeline = names[start : start + _AT_ONCE], redis.pipeline(transaction=False)
        for name in chunk:
            pipeline.hgetall(contact_key(name))
            pipeline.exists(merged_into_key(name))
        read = await pipeline.execute()
        # Because a merged conversation is shown as the one that it became a part of, it has no line.
        found += [
            _contact(name, record)
            for name, record, is_moved in zip(chunk, read[::2], read[1::2], strict=True)
            if record and not is_moved
        ]
    never = datetime.fromtimestamp(0, UTC)
    return sorted(found, key=lambda contact: contact.last_message_at or never, reverse=True)


def _contact(conversation: str, record: dict[str, str]) -> ListedContact:
    seen = record.get("last_inbound_at")
    return ListedContact(
        conversation,
        record.get("name"),
        record.get("phone"),
        record.get("bsuid"),
        record.get("email"),
        datetime.fromtimestamp(float(seen), UTC) if seen else None,
    )


def matching(contacts: Iterable[ListedContact], text: str) -> list[ListedContact]:
    """People of whose name, e-mail address, phone, BSUID or conversation the text is a part."""
    wanted = folded(text.strip())
    number = re.sub(r"\D", "", text) if _PHONE.fullmatch(text) else ""
    return [contact for contact in contacts if wanted and _matches(contact, wanted, number)]


def _matches(listed_contact: ListedContact, wanted: str, number: str) -> bool:
    texts = (listed_contact.conversation, listed_contact.name, listed_contact.bsuid, listed_contact.email)
    if any(wanted in folded(text) for text in texts if text):
        return True
    phones = variants(listed_contact.phone) if listed_contact.phone else ()
    return len(number) >= _FEWEST_DIGITS and any(number in phone for phone in phones)


def as_lines(contacts: Iterable[ListedContact]) -> Iterator[str]:
    """A header, and a line for each person, within 80 columns."""
    conversation, message, phone, name = (
        say(f"{column} column") for column in ("conversation", "last message", "phone", "name")
    )
    yield f"{conversation:<22} {message:<16} {phone:<19} {name}"
    for contact in contacts:
        at = f"{contact.last_message_at:%Y-%m-%d %H:%M}" if contact.last_message_at else "-"
        name = _shortened("".join(sign if sign.isprintable() else " " for sign in contact.name or "-"))
        yield f"{contact.conversation:<22} {at:<16} {contact.phone or contact.bsuid or '-':<19} {name}"


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
