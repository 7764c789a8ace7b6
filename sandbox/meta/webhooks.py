"""Webhooks in Meta's format, signed as Meta signs them, and repeated until the receiver answers 200."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from sandbox.background import BackgroundTasks
from sandbox.meta.parties import Business, Person
from sandbox.meta.wire_log import WireLog

Value = dict[str, Any]
_ANSWER_SECONDS = 10
_OK = 200


def message_value(business: Business, person: Person, message: dict[str, Any]) -> Value:
    """The `value` of one message by the person."""
    sender = ({"from": person.phone} if person.phone else {}) | {"from_user_id": person.bsuid}
    return empty_value(business) | {"contacts": [person.as_contact()], "messages": [sender | message]}


def status_value(business: Business, person: Person, status: dict[str, Any]) -> Value:
    """The `value` of one status of a message to the person."""
    recipient = ({"recipient_id": person.phone} if person.phone else {}) | {"recipient_user_id": person.bsuid}
    contacts: Value = {"contacts": [person.as_contact()]}
    if status["status"] == "failed":
        # Meta documents that failed statuses omit contacts; real ones carry the number alone.
        contacts = {"contacts": [{"wa_id": person.phone}]} if person.phone else {}
    return empty_value(business) | contacts | {"statuses": [status | recipient]}


def empty_value(business: Business) -> Value:
    """The fields that every `value` holds."""
    metadata = {
        "display_phone_number": business.display_phone_number,
        "phone_number_id": business.phone_number_id,
    }
    return {"messaging_product": "whatsapp", "metadata": metadata}


def envelope(
    business: Business, values: Sequence[Value], field_name: str = "messages", at: datetime | None = None
) -> Value:
    """A notification with any number of changes; every field but `messages` carries the time `at`."""
    changes = [{"field": field_name, "value": value} for value in values]
    entry: Value = {"id": business.waba_id} | ({"time": int(at.timestamp())} if at else {}) | {"changes": changes}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def encode(notification: Value, *, spaced: bool = False) -> bytes:
    r"""The bytes as Meta writes them: \uXXXX beyond ASCII, escaped slashes; `spaced` gives the JSON other bytes."""
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps(notification, separators=separators).replace("/", "\\/").encode()


def signature(app_secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for exactly these bytes."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def unix_seconds(at: datetime) -> str:
    """A time in the format of messages and statuses."""
    return str(int(at.timestamp()))


@dataclass(kw_only=True)
class NotificationSender:
    """Sends notifications to one address; those not taken in any try end in `undelivered`."""

    url: str
    app_secret: str = field(repr=False)
    session: aiohttp.ClientSession
    tasks: BackgroundTasks
    pauses: Sequence[float]
    wire: WireLog = field(default_factory=WireLog, repr=False)
    undelivered: list[bytes] = field(default_factory=list)

    async def send(self, body: bytes) -> bool:
        """Try once now and return whether it was taken; if not, retry in the background."""
        if await self._post(body):
            return True
        self.tasks.start(self._try_again(body))
        return False

    async def send_once(self, body: bytes) -> bool:
        """Try once, for a notification that somebody wrote by hand; returns whether it was taken."""
        return await self._post(body)

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
                self.wire.notified(self.url, body, response.status, await response.text(errors="replace"))
                # Meta treats every other status as a failure, 202 and 204 too.
                return response.status == _OK
        except (aiohttp.ClientError, TimeoutError) as error:
            self.wire.notified(self.url, body, 0, type(error).__name__)
            return False
