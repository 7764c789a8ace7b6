"""Meta's webhooks from fixtures/webhooks, posted with times of now, and their effects."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.conversations.contacts import Contact, Contacts
from bot.conversations.ledger import ByMessage, Ledger
from bot.conversations.memory import Memory
from bot.whatsapp.signature import signature_of
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import encode
from tests.paths import ROOT
from tests.waiting import PATIENCE
from tests.world import SECRET, World

FOLDER = ROOT / "fixtures" / "webhooks"
# The time at which all fixtures were written.
_THEN = 1_795_500_000
_AGO = timedelta(seconds=30)


async def post(
    world: World, name: str, *, ago: timedelta = _AGO, now: datetime | None = None, **replacements: str
) -> None:
    """Post a fixture with its times moved to a moment ago, and with some words replaced."""
    start = int(((now or datetime.now(UTC)) - ago).timestamp())
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    # In one pass and before the times, because the digits of an id or a moment may read like one of the words.
    words = {old.removeprefix("_"): new for old, new in replacements.items()}
    if words:
        text = re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)
    text = re.sub(r"\b1795[0-9]{6}\b", lambda found: str(start + int(found[0]) - _THEN), text)
    await post_raw(world, json.loads(text))


async def post_raw(world: World, notification: dict[str, Any]) -> None:
    for message, value in _messages(notification):
        sender = next(iter(value.get("contacts") or [{}]))
        person = Person(message.get("from"), message.get("from_user_id") or "MX.8801234567890123", _name(sender))
        # The simulator must know the message, because it refuses quotes, read marks and answers for others.
        world.meta.chats.received(person, message, datetime.fromtimestamp(int(message["timestamp"]), UTC))
    body = encode(notification)
    headers = {"X-Hub-Signature-256": signature_of(body, SECRET)}
    async with world.http.post(f"{world.url}/webhooks/whatsapp", data=body, headers=headers) as response:
        assert response.status == 200


def _name(contact: dict[str, Any]) -> str:
    return str(contact.get("profile", {}).get("name", "Ana"))


def _messages(notification: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    changes = [change for entry in notification["entry"] for change in entry["changes"]]
    values = [change["value"] for change in changes if change["field"] == "messages"]
    return [(message, value) for value in values for message in value.get("messages", [])]


async def settled(world: World) -> None:
    """Wait until every message has its end and no turn is under way."""
    async with asyncio.timeout(PATIENCE):
        while await world.redis.zcard("recado:open"):
            await asyncio.sleep(0.02)


async def conversation_of(world: World, identity: str) -> str:
    found: str = await world.redis.get(f"recado:identity:{identity}")
    return found


async def ends(world: World, identity: str) -> Mapping[str, str]:
    """The end state of every message of a person."""
    found = await Ledger(world.redis).of(await conversation_of(world, identity))
    return ByMessage({name: entry["state"] for name, entry in found.items()})


async def remembered(world: World, identity: str) -> list[tuple[str, str]]:
    memory = Memory(world.redis, world.settings.memory)
    found = await memory.recall(await conversation_of(world, identity))
    return [(item.role, item.text) for item in (*found.unsummarised, *found.recent)]


async def contact_of(world: World, identity: str) -> Contact:
    contacts = Contacts(world.redis, world.settings.channel.staff_contacts)
    return await contacts.get(await conversation_of(world, identity))


def last_model_input(world: World) -> str:
    """The last line of the last request to the model."""
    content = world.models.requests[-1]["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content[0]["text"])


async def metrics(world: World) -> str:
    async with world.http.get(f"{world.url}/metrics") as response:
        return await response.text()
