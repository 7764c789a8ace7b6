"""A text made to be slow to read is answered like any other, and delays nobody else."""

from __future__ import annotations

import io
import json
from itertools import count
from typing import Any

import aiohttp
import pytest

from bot.conversations import ledger
from bot.infra.redis import answer
from bot.whatsapp.signature import signature_of
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import envelope, message_value
from sandbox.simulators.openrouter import says
from tests.notifications import settled
from tests.rows import each
from tests.world import SECRET, Start, World

numbers = count()
LONG = 60_000


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def filled(unit: str) -> str:
    return unit * (LONG // len(unit))


WAYS: dict[str, list[dict[str, Any]]] = {
    "a bracket and blanks": [text("<" + " " * 7000)],
    "three of them": [text("<" + " " * 4094)] * 3,
    "a longer one": [text("<" + " " * LONG)],
    "brackets": [text(filled("<"))],
    "brackets and slashes": [text(filled("< / "))],
    "blanks": [text("a" + " " * LONG)],
    "one word": [text(filled("a"))],
    "signs of addresses": [text(filled("a@"))],
    "links": [text(filled("[a]("))],
    "domains": [text(filled("a."))],
    "digits": [text(filled("1,"))],
    "marks": [text(filled("¡"))],
    "a name on a card": [{"type": "contacts", "contacts": [{"name": {"formatted_name": filled("< ")}}]}],
    "thousands of cards": [{"type": "contacts", "contacts": [{"phones": [{"phone": "1"}]}] * 5000}],
    "a place": [{"type": "location", "location": {"latitude": 1, "longitude": 1, "name": "<" + " " * LONG}}],
    "a form": [{"type": "interactive", "interactive": {"nfm_reply": {"response_json": filled('{"a":')}}}],
    "a button": [{"type": "button", "button": {"payload": "x", "text": filled("< ")}}],
}


@pytest.mark.parametrize("messages", WAYS.values(), ids=WAYS)
async def test_a_text_made_to_be_slow_is_answered_like_any(
    world: World, ana: Person, leo: Person, messages: list[dict[str, Any]]
) -> None:
    world.models.will(*[says("Claro, dime.")] * (len(messages) + 1))
    for message in messages:
        await world.meta.writes(ana, message)
    await world.meta.writes(leo, text("hola"))
    for person in (ana, leo):
        assert (await world.meta.replies(person))[0].text == "Claro, dime."
    await settled(world)
    for person in (ana, leo):
        conversation = await world.redis.get(f"recado:identity:{person.bsuid}")
        ends = await answer(world.redis.hvals(f"recado:{{{conversation}}}:ledger"))
        assert all("answered" in end or "merged" in end for end in ends), ends


@pytest.fixture
async def server(start: Start) -> World:
    """Recado without a worker, so that received messages stay visible."""
    return await start(workers=0)


async def post(world: World, body: bytes) -> int:
    headers = {"X-Hub-Signature-256": signature_of(body, SECRET), "Content-Type": "application/json"}
    url, limit = f"{world.url}/webhooks/whatsapp", aiohttp.ClientTimeout(total=50)
    async with world.http.post(url, data=io.BytesIO(body), headers=headers, timeout=limit) as response:
        return response.status


@each("unit", ["@", "a@", "a.", "＠", "1", "https://", "wamid.", "MX."])
@each("field", ["security", "account_update"])
async def test_long_account_updates_are_accepted(server: World, field: str, unit: str) -> None:
    value = {"event": unit * (70_000 // len(unit)), "phone_number": "1"}
    assert await post(server, json.dumps(envelope(server.meta.business, [value], field)).encode()) == 200


def batch(world: World, person: Person, messages: int, contacts: int) -> bytes:
    """Many messages of one person, and as many contacts without messages."""
    value = message_value(world.meta.business, person, {})
    strangers = [{"wa_id": f"52155{number:08}", "user_id": f"MX.{number:016}"} for number in range(contacts)]
    sender = value["messages"][0]
    value["contacts"] = [*strangers, *value["contacts"]]
    value["messages"] = [
        sender | {"id": f"wamid.batch{next(numbers)}", "timestamp": "1764000000", **text("hola")}
        for _ in range(messages)
    ]
    return json.dumps(envelope(world.meta.business, [value])).encode()


async def good_beside(world: World, person: Person, **odd: Any) -> int:
    """Post a body with a malformed part and one good message; returns the status, where the message was stored."""
    wamid = f"wamid.good{next(numbers)}"
    good = message_value(world.meta.business, person, {"id": wamid, "timestamp": "1764000000", **text("hola")})
    body = json.dumps(envelope(world.meta.business, [odd, good]))
    status = await post(world, body.replace('"LITERAL"', str(odd.get("literal"))).encode())
    conversation = await world.redis.get(f"recado:identity:{person.bsuid}")
    assert await ledger.knows(world.redis, conversation, wamid)
    return status


@pytest.mark.parametrize(
    ("odd", "literal"),
    [
        ({"messages": [{"id": "LITERAL", "from": "LITERAL"}]}, "9" * 5000),
        ({"messages": [{"id": "LITERAL", "timestamp": "LITERAL"}]}, "-" + "9" * 100_000),
        ({"statuses": [{"id": "LITERAL", "errors": [{"code": "LITERAL"}]}]}, "9" * 4301),
        ({"messages": [{"id": "LITERAL", "timestamp": "LITERAL"}]}, "1e400"),
        ({"messages": [{"type": "location", "location": {"latitude": "LITERAL"}}]}, "NaN"),
        ({"errors": [{"code": "LITERAL"}]}, "-Infinity"),
        ({"errors": "LITERAL"}, "[" * 500 + "]" * 500),
        ({"messages": "LITERAL"}, '"' + "\\ud83d" * 5000 + '"'),
        ({"messages": [{"id": "wamid.nul", "from": "5215512345678", "type": "text", "text": {"body": "LITERAL"}}]},
         '"\\u0000"'),
        ({"messages": [{"id": "LITERAL", "from": "5215512345678", "type": "text", "text": {"body": "x"}}]},
         '"\\u0000{}\\r\\n"'),
        ({"messages": [{"id": "LITERAL", "from": "5215512345678", "type": "text", "text": {"body": "x"}}]},
         '"' + "a" * 600_000 + '"'),
        ({"messages": [{"id": "wamid.x", "from_user_id": "LITERAL", "type": "text", "text": {"body": "x"}}]},
         '"' + "a" * 600_000 + '"'),
    ],
    ids=["digits", "negative", "more than Python reads", "1e400", "NaN", "infinity", "nested", "half emojis",
         "NUL as text", "NUL in an id", "an endless id", "an endless BSUID"],
)  # fmt: skip
async def test_a_good_message_is_kept_beside_odd_values(
    server: World, ana: Person, odd: dict[str, Any], literal: str
) -> None:
    assert await good_beside(server, ana, **odd, literal=literal) == 200


async def test_a_body_that_is_nested_without_end_is_refused(server: World) -> None:
    assert await post(server, b"[" * (4 * 1024 * 1024)) == 400
    assert await post(server, b'{"a":' * (700 * 1024)) == 400


async def test_a_batch_is_kept_whole_however_many_contacts_it_names(server: World, ana: Person) -> None:
    assert await post(server, batch(server, ana, 1000, 10_000)) == 200
    conversation = await server.redis.get(f"recado:identity:{ana.bsuid}")
    assert await answer(server.redis.hlen(f"recado:{{{conversation}}}:ledger")) == 1000
