"""When two identities are one person: every webhook that can join two, by what is known of the phone and the BSUID.

`P1! B2 / B1` reads: P1 and B2 lead to one conversation, B1 to another one, the other names nowhere; P1 was somebody
else's before and gives a right to nothing.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.conversations.identity import current_name
from bot.infra.redis import answer
from bot.messages.inbound import Inbound
from tests.notifications import post_raw
from tests.world import Start, World

NAMES = {
    "P1": "5215512345678",
    "P1short": "525512345678",
    "P2": "5215599990000",
    "LAND": "551131234567",
    "CELL": "5511931234567",
    "OLD8": "551187654321",
    "NEW9": "5511987654321",
    **{f"B{n}": f"MX.{n}800000000000000" for n in range(1, 5)},
}
Raw = dict[str, Any]
METADATA = {"display_phone_number": "525500001111", "phone_number_id": "106540352242922"}
_count = iter(range(10**9))


def named(name: str) -> str:
    return NAMES[name]


def change(field: str, **value: Any) -> Raw:
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": METADATA, **value}}


def raw(sender: str, kind: str, body: Any, **more: Any) -> Raw:
    """A message from `P1 B1`, `P1`, or `B1`."""
    names = {("from" if name[0] != "B" else "from_user_id"): named(name) for name in sender.split()}
    return names | {"id": f"wamid.{next(_count)}", "timestamp": "1795500000", "type": kind, kind: body} | more


def wrote(*senders: str) -> Raw:
    """They write, all in one batch."""
    return change("messages", messages=[raw(sender, "text", {"body": f"soy {sender}"}) for sender in senders])


def card(sender: str, *phones: str, cards: int = 1, context: Raw | None = None, **more: Any) -> Raw:
    listed = [{"phone": f"+{named(phone)}", "wa_id": named(phone)} for phone in phones]
    shared = [{"phones": listed, "origin": "contact_request"} | more] * cards
    message = raw(sender, "contacts", shared, **({"context": context} if context else {}))
    return change("messages", messages=[message])


def news(sender: str, event: str, phone: str = "", bsuid: str = "") -> Raw:
    """A system message: whoever was the sender has this phone, this BSUID."""
    to = ({"wa_id": named(phone)} if phone else {}) | ({"user_id": named(bsuid)} if bsuid else {})
    return change("messages", messages=[raw(sender, "system", {"type": event, "body": "changed"} | to)])


def number(sender: str, *new: str) -> Raw:
    phone, bsuid = (next((name for name in new if name[0] == sign), "") for sign in "PB")
    return news(sender, "user_changed_number", phone, bsuid)


def renamed(previous: str, current: str, phone: str = "") -> Raw:
    ids = {"previous": named(previous), "current": named(current)}
    item = {"detail": "changed", "user_id": ids, "timestamp": 1795500020} | ({"wa_id": named(phone)} if phone else {})
    return change("user_id_update", user_id_update=[item])


def echo(to: str, kind: str = "text", body: Any = None) -> Raw:
    told = {("to" if name[0] != "B" else "to_user_id"): named(name) for name in to.split()}
    told |= {"from": "525500001111", "id": f"wamid.{next(_count)}", "timestamp": "1795500000", "type": kind}
    return change("smb_message_echoes", message_echoes=[told | {kind: body or {"body": "¿en qué le ayudo?"}}])


def standby(sender: str) -> Raw:
    return change("standby", standby={"messages": [raw(sender, "text", {"body": "hola"})]})


def status(phone: str, bsuid: str) -> Raw:
    contacts = [{"wa_id": named(phone), "user_id": named(bsuid)}]
    told = {"id": "wamid.x", "status": "delivered", "timestamp": "1795500000", "recipient_id": named(phone)}
    told |= {"recipient_user_id": named(bsuid), "biz_opaque_callback_data": f"c_{'0' * 20}.t_1.0"}
    return change("messages", contacts=contacts, statuses=[told])


def choice(phone: str, bsuid: str) -> Raw:
    item = {"wa_id": named(phone), "user_id": named(bsuid), "category": "marketing_messages", "value": "stop"}
    return change("user_preferences", user_preferences=[item | {"timestamp": 1795500000}])


def handover(phone: str, bsuid: str) -> Raw:
    sender = {"phone_number": named(phone), "user_id": named(bsuid)}
    return change("messaging_handovers", sender=sender, control_passed={"new_owner_role": "x"})


FORWARDED: Raw = {"forwarded": True}
OFTEN: Raw = {"frequently_forwarded": True}
MOVED, RENAMED = "user_changed_number", "user_changed_user_id"
SHARED = [{"phones": [{"wa_id": NAMES["P1"]}], "origin": "contact_request"}]
ROWS: list[tuple[str, list[Raw], str]] = [
    # what is the case, what comes in, what leads where
    ("both unknown", [wrote("P1 B1")], "P1 B1"),
    ("both known together", [wrote("P1 B1"), wrote("P1 B1")], "P1 B1"),
    ("the phone alone, then both", [wrote("P1"), wrote("P1 B1")], "P1 B1"),
    ("the BSUID alone, then both", [wrote("B1"), wrote("P1 B1")], "P1 B1"),
    ("each alone, then both", [wrote("P1"), wrote("B1"), wrote("P1 B1")], "P1 B1"),
    ("each alone and both in one batch", [wrote("P1", "B1", "P1 B1")], "P1 B1"),
    ("a phone with another BSUID", [wrote("P1 B1"), wrote("P1 B2")], "P1! B2 / B1"),
    ("a phone with two BSUIDs in one batch", [wrote("P1 B1", "P1 B2")], "P1! B2 / B1"),
    ("the same after the phone alone in one batch", [wrote("P1", "P1 B1", "P1 B2")], "P1! B2 / B1"),
    ("a phone that comes back", [wrote("P1 B1"), wrote("P1 B2"), wrote("P1 B1")], "P1! B1 / B2"),
    ("a BSUID with another's phone", [wrote("P1 B1"), wrote("P2 B2"), wrote("P1 B2")], "P1! B2 / B1"),
    ("a BSUID with a phone that wrote before", [wrote("P1 B1"), wrote("P2"), wrote("P2 B1")], "P2! B1"),
    ("a BSUID with a new phone", [wrote("P1 B1"), wrote("P2 B1")], "P2 B1"),
    ("a phone that was left, then alone", [wrote("P1 B1"), wrote("P2 B1"), wrote("P1")], "P1! / P2 B1"),
    ("Mexico's 1 comes and goes", [wrote("P1 B1"), wrote("P1short B1")], "P1 P1short B1"),
    ("Mexico's 1 is no other phone", [wrote("P1 B1"), wrote("P1short B2")], "P1short! B2 / B1"),
    ("Brazil's 9 is no other mobile", [wrote("NEW9 B1"), wrote("OLD8 B2")], "OLD8! B2 / B1"),
    ("Brazil's landline is another line", [wrote("LAND B1"), wrote("CELL B2")], "LAND B1 / CELL B2"),
    ("on standby", [wrote("P1 B1"), standby("P1 B2")], "P1! B2 / B1"),
    # a system message about a new number
    ("a new number", [wrote("P1 B1"), number("P1 B1", "P2", "B3")], "P2 B1 B3"),
    ("of a phone whose BSUID the news leaves out", [wrote("P1 B1"), number("P1", "P2", "B3")], "P2 B1 B3"),
    ("without the new BSUID", [wrote("P1 B1"), number("P1 B1", "P2")], "P2 B1"),
    ("without the new number", [wrote("P1 B1"), number("P1 B1", "B3")], "B1 B3"),
    ("another's", [wrote("P1 B1"), wrote("P2 B2"), number("P1 B1", "P2", "B3")], "P2! B1 B3 / B2"),
    ("another's, no BSUID", [wrote("P1 B1"), wrote("P2 B2"), number("P1 B1", "P2")], "B1 / P2 B2"),
    ("another's, nor an old one", [wrote("P1 B1"), wrote("P2 B2"), number("P1", "P2")], "B1 / P2 B2"),
    ("another's BSUID", [wrote("P1 B1"), wrote("P2 B2"), number("P1 B1", "P2", "B2")], "B1 / P2 B2"),
    ("another's BSUID alone", [wrote("P1 B1"), wrote("P2 B2"), number("P1 B1", "B2")], "B1 / P2 B2"),
    ("one that wrote before", [wrote("P1 B1"), wrote("P2"), number("P1 B1", "P2", "B3")], "P2! B1 B3"),
    ("of nobody known", [wrote("P2 B2"), number("P1 B1", "P2", "B3")], "P2! B1 B3 / B2"),
    ("of another's phone", [wrote("P1 B2"), number("P1 B1", "P2", "B3")], "P2 B1 B3 / B2"),
    ("back again", [wrote("P1 B1"), number("P1 B1", "P2", "B3"), number("P2 B3", "P1", "B4")], "P1 B1 B3 B4"),
    ("and its next owner", [wrote("P1 B1"), number("P1 B1", "P2", "B3"), wrote("P1 B2")], "P1! B2 / P2 B1 B3"),
    # news of a new BSUID
    ("a new BSUID", [wrote("P1 B1"), renamed("B1", "B3", "P1")], "P1 B1 B3"),
    ("without the phone", [wrote("P1 B1"), renamed("B1", "B3")], "P1 B1 B3"),
    ("that wrote before the news", [wrote("P1 B1"), wrote("P1 B3"), renamed("B1", "B3", "P1")], "P1 B1 B3"),
    ("that wrote without the phone", [wrote("P1 B1"), wrote("B3"), renamed("B1", "B3")], "P1 B1 B3"),
    ("of somebody unknown, with another's phone", [wrote("P1 B1"), renamed("B2", "B3", "P1")], "P1 B1"),
    ("of nobody, to a known one", [wrote("P1 B1"), wrote("P2 B2"), renamed("B4", "B2", "P1")], "P1 B1 / P2 B2"),
    ("with another's phone", [wrote("P1 B1"), wrote("P2 B2"), renamed("B1", "B3", "P2")], "P2! B1 B3 / B2"),
    ("by a system message", [wrote("P1 B1"), news("B1", RENAMED, "", "B3")], "P1 B1 B3"),
    ("by one with the phone", [wrote("P1 B1"), news("P1 B1", RENAMED, "", "B3")], "P1 B1 B3"),
    ("by one with the phone alone", [wrote("P1 B1"), news("P1", RENAMED, "", "B3")], "P1 B1 / B3"),
    ("by one of somebody unknown", [wrote("P1 B1"), news("P1 B2", RENAMED, "", "B3")], "P1 B1 / B3"),
    # a card with a phone
    ("the own number", [wrote("B1"), card("B1", "P1")], "P1 B1"),
    ("the own number, that wrote before", [wrote("P1"), wrote("B1"), card("B1", "P1")], "P1 B1"),
    ("a number that was another's", [wrote("P1 B2"), card("B1", "P1")], "P1! B1 / B2"),
    ("a card that was forwarded", [wrote("P1 B2"), card("B1", "P1", context=FORWARDED)], "P1 B2 / B1"),
    ("a card that goes around", [card("B1", "P1", context=OFTEN)], "B1"),
    ("a card that was written by hand", [wrote("P1"), card("B1", "P1", origin="other")], "P1 / B1"),
    ("a card with a vcard", [wrote("P1"), card("B1", "P1", vcard="BEGIN:VCARD")], "P1 / B1"),
    ("a card without an origin", [card("B1", "P1", origin=None)], "B1"),
    ("two cards", [card("B1", "P1", cards=2)], "B1"),
    ("a card with two numbers", [card("B1", "P1", "P2")], "B1"),
    ("a card from somebody with a number", [wrote("P2 B1"), card("P2 B1", "P1")], "P2 B1"),
    # what a colleague writes from the app, and news that join nobody
    ("an echo", [wrote("P1 B1"), echo("P1 B2")], "P1! B2 / B1"),
    ("an echo with a card", [wrote("P1 B2"), echo("B1", "contacts", SHARED)], "P1 B2 / B1"),
    ("a choice", [wrote("P1 B1"), choice("P1", "B2")], "P1! B2 / B1"),
    ("a status", [wrote("P1 B1"), status("P1", "B2")], "P1 B1"),
    ("a status of two", [wrote("P1"), wrote("B1"), status("P1", "B1")], "P1 / B1"),
    ("a hand-over", [wrote("P1 B1"), handover("P1", "B2")], "P1 B1"),
]  # fmt: skip


async def led(world: World) -> dict[str, str]:
    """Where each name leads, as far as it leads anywhere."""
    found = {name: await world.redis.get(f"recado:identity:{value}") for name, value in NAMES.items()}
    return {name: home for name, home in found.items() if home}


async def contested(world: World, home: str) -> bool:
    return await answer(world.redis.hget(f"recado:{{{home}}}:contact", "phone_contested")) == "1"


async def shown(world: World) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for name, home in (await led(world)).items():
        mark = "!" if name[0] != "B" and await contested(world, home) else ""
        groups.setdefault(home, set()).add(name + mark)
    return {frozenset(group) for group in groups.values()}


async def words_of(world: World, home: str) -> set[str]:
    """What is waiting to be read in a conversation, or comes to it with one that joins."""
    joined = await answer(world.redis.smembers(f"recado:{{{home}}}:joining"))
    read = [
        await answer(world.redis.lrange(f"recado:{{{conversation}}}:waiting", 0, -1))
        for conversation in {home, *joined}
    ]
    messages = [Inbound.model_validate_json(line) for lines in read for line in lines]
    return {
        str(message.content.body)
        for message in messages
        if message.content.kind == "text" and message.author == "person"
    }


@pytest.fixture
async def world(start: Start) -> World:
    return await start(workers=0)


@pytest.mark.parametrize(("told", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_whose_a_phone_and_a_bsuid_are(world: World, told: list[Raw], expected: str) -> None:
    for reply in told:
        entry = {"id": world.meta.waba_id, "time": 1795500000, "changes": [reply]}
        await post_raw(world, {"object": "whatsapp_business_account", "entry": [entry]})
    wanted = {frozenset(group.split()) for group in expected.split(" / ")}
    assert await shown(world) == wanted
    people = await led(world)
    for home in set(people.values()):
        assert await current_name(world.redis, home) == home
        senders = {name for words in await words_of(world, home) for name in words.split() if name[0] == "B"}
        # Whoever reads a word in it has said it, under a BSUID that is theirs.
        assert senders <= {name for name, leads in people.items() if leads == home}
