"""Webhooks as Meta writes, signs and sends them: again and again until somebody answers 200."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from sandbox.background import Chores
from sandbox.meta.parties import Business, Person

Value = dict[str, Any]
_ANSWER_SECONDS = 10
_OK = 200


def message_value(business: Business, person: Person, message: dict[str, Any]) -> Value:
    """The `value` that tells of one message by the person."""
    sender = ({"from": person.phone} if person.phone else {}) | {"from_user_id": person.bsuid}
    return blank_value(business) | {"contacts": [person.as_contact()], "messages": [sender | message]}


def status_value(business: Business, person: Person, status: dict[str, Any]) -> Value:
    """The `value` that tells how far a message to the person has come."""
    recipient = ({"recipient_id": person.phone} if person.phone else {}) | {"recipient_user_id": person.bsuid}
    contacts: Value = {"contacts": [person.as_contact()]}
    if status["status"] == "failed":
        # Documented as omitted, seen with the number alone (docs/whatsapp.md, Statuses).
        contacts = {"contacts": [{"wa_id": person.phone}]} if person.phone else {}
    return blank_value(business) | contacts | {"statuses": [status | recipient]}


def blank_value(business: Business) -> Value:
    """What every `value` holds."""
    metadata = {
        "display_phone_number": business.display_phone_number,
        "phone_number_id": business.phone_number_id,
    }
    return {"messaging_product": "whatsapp", "metadata": metadata}


def envelope(
    business: Business, values: Sequence[Value], field_name: str = "messages", at: datetime | None = None
) -> Value:
    """One notification with any number of changes; `at` is told of every field but `messages`."""
    changes = [{"field": field_name, "value": value} for value in values]
    entry: Value = {"id": business.waba_id} | ({"time": int(at.timestamp())} if at else {}) | {"changes": changes}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def encode(notification: Value, *, spaced: bool = False) -> bytes:
    r"""The bytes as Meta writes them: \uXXXX beyond ASCII, escaped slashes; `spaced` is the same in other bytes."""
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps(notification, separators=separators).replace("/", "\\/").encode()


def signature(app_secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for exactly these bytes."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def seconds(at: datetime) -> str:
    """A time as messages and statuses carry it."""
    return str(int(at.timestamp()))


@dataclass(kw_only=True)
class Courier:
    """Brings notifications to one address; those nobody took after the last try end in `undelivered`."""

    url: str
    app_secret: str = field(repr=False)
    session: aiohttp.ClientSession
    chores: Chores
    pauses: Sequence[float]
    undelivered: list[bytes] = field(default_factory=list)

    async def bring(self, body: bytes) -> bool:
        """Try once now and say whether it was taken; if not, go on trying in the background."""
        if await self._post(body):
            return True
        self.chores.start(self._try_again(body))
        return False

    async def _try_again(self, body: bytes) -> None:
        for pause in self.pauses:
            await asyncio.sleep(pause)
            if await self._post(body):
                return
        self.undelivered.append(body)

    async def _post(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(self.app_secret, body)}
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with self.session.post(self.url, data=body, headers=headers, timeout=timeout) as response:
                # Meta takes every other status for a failure, 202 and 204 too.
                return response.status == _OK
        except (aiohttp.ClientError, TimeoutError):
            return False
