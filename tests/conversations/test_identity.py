"""One person, one conversation: phones and BSUIDs that come alone, together, change, or go to somebody else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.conversations.identity import current_name, find, merged_into_key, phone_contested
from bot.conversations.identity_resolution import conversations_of
from bot.infra.redis import answer
from bot.messages.inbound import Inbound, Text
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import envelope
from sandbox.simulators.openrouter import ScriptedAnswer, calls, says
from tests.notifications import (
    contact_of,
    conversation_of,
    ends,
    last_model_input,
    metrics,
    post,
    post_raw,
    remembered,
    settled,
)
from tests.waiting import PATIENCE
from tests.world import Start, World

PHONE, ANA = "5215512345678", "MX.8801234567890123"
NEW_PHONE = "5215599990000"


async def written(world: World, wamid: str, body: str, phone: str | None, bsuid: str | None) -> dict[str, Any]:
    """Somebody writes under the identities that are given, a moment ago."""
    sender = ({"from": phone} if phone else {}) | ({"from_user_id": bsuid} if bsuid else {})
    at = str(int(world.meta.clock().timestamp()))
    message = sender | {"id": wamid, "timestamp": at, "type": "text", "text": {"body": body}}
    metadata = {"display_phone_number": "525500001111", "phone_number_id": world.meta.phone_number_id}
    notification = envelope(world.meta.business, [{"metadata": metadata, "messages": [message]}])
    await post_raw(world, notification)
    return notification


async def test_a_phone_alone_and_a_bsuid_alone_become_one_when_they_are_seen_together(world: World) -> None:
    world.models.will(says("uno"), says("dos"), says("tres"))
    await written(world, "wamid.1", "por teléfono", PHONE, None)
    await settled(world)
    older = await conversation_of(world, PHONE)
    await written(world, "wamid.2", "sin teléfono", None, ANA)
    await settled(world)
    assert older != await conversation_of(world, ANA)
    await written(world, "wamid.3", "con los dos", PHONE, ANA)
    await settled(world)
    assert {await conversation_of(world, PHONE), await conversation_of(world, ANA)} == {older}
    assert [text for _, text in await remembered(world, ANA)] == [
        "por teléfono", "uno", "sin teléfono", "dos", "con los dos", "tres",
    ]  # fmt: skip
    found = await ends(world, ANA)
    assert [found[f"wamid.{number}"] for number in (1, 2, 3)] == ["answered"] * len(found)
    contact = await contact_of(world, ANA)
    assert (contact.phone, contact.bsuid) == (PHONE, ANA)


async def test_what_was_answered_before_two_became_one_is_known_afterwards(world: World) -> None:
    first = await written(world, "wamid.1", "por teléfono", PHONE, None)
    second = await written(world, "wamid.2", "sin teléfono", None, ANA)
    await settled(world)
    third = await written(world, "wamid.3", "con los dos", PHONE, ANA)
    await settled(world)
    for told in (first, second, third):
        await post_raw(world, told)
    # Only with news are they looked at soon: what is known already waits for a sweep.
    await written(world, "wamid.4", "y algo más", PHONE, ANA)
    await settled(world)
    assert len(world.models.requests) == 4
    assert len(world.meta.accepted) == 4


async def test_what_waits_in_two_conversations_is_answered_when_they_become_one(start: Start) -> None:
    waiting = await start(workers=0)
    await written(waiting, "wamid.1", "por teléfono", PHONE, None)
    await written(waiting, "wamid.2", "sin teléfono", None, ANA)
    told = await written(waiting, "wamid.3", "con los dos", PHONE, ANA)
    await post_raw(waiting, told)
    assert "recado_messages_unaccounted 3.0" in await metrics(waiting)
    world = await start(workers=2)
    async with asyncio.timeout(PATIENCE):
        while "recado_messages_unaccounted 0.0" not in await metrics(world):
            await asyncio.sleep(0.05)
    await settled(world)
    read = [request["messages"][-1]["content"] for request in world.models.requests]
    assert sorted("\n".join(read).split("\n")) == ["con los dos", "por teléfono", "sin teléfono"]
    assert set((await ends(world, ANA)).values()) <= {"answered", "merged", "failed: no model answered"}
    assert len(await ends(world, ANA)) == 3


async def test_a_turn_that_is_under_way_ends_before_its_conversation_joins_another(world: World) -> None:
    world.models.will(says("uno"), ScriptedAnswer({"role": "assistant", "content": "dos"}, delay=0.6), says("tres"))
    await written(world, "wamid.1", "por teléfono", PHONE, None)
    await settled(world)
    await written(world, "wamid.2", "sin teléfono", None, ANA)
    async with asyncio.timeout(PATIENCE):
        while len(world.models.requests) < 2:
            await asyncio.sleep(0.02)
    await written(world, "wamid.3", "con los dos", PHONE, ANA)
    await settled(world)
    assert [text for _, text in await remembered(world, ANA)][-4:] == ["sin teléfono", "dos", "con los dos", "tres"]


async def test_a_message_that_missed_the_move_is_stored_where_its_sender_went(start: Start) -> None:
    world = await start(workers=0)
    await written(world, "wamid.1", "por teléfono", PHONE, None)
    await written(world, "wamid.2", "sin teléfono", None, ANA)
    home, gone = await conversation_of(world, PHONE), await conversation_of(world, ANA)
    await written(world, "wamid.3", "con los dos", PHONE, ANA)
    # As another process saw it a moment before.
    await world.redis.set(f"recado:identity:{ANA}", gone)
    await written(world, "wamid.4", "sin teléfono otra vez", None, ANA)
    raw = await answer(world.redis.lrange(f"recado:{{{home}}}:waiting", 0, -1))
    assert [Inbound.model_validate_json(line).id for line in raw] == ["wamid.1", "wamid.3", "wamid.4"]
    assert await conversation_of(world, ANA) == home


async def test_a_union_that_died_in_the_middle_is_completed(start: Start) -> None:
    waiting = await start(workers=0)
    await written(waiting, "wamid.1", "por teléfono", PHONE, None)
    await written(waiting, "wamid.2", "sin teléfono", None, ANA)
    home, gone = await conversation_of(waiting, PHONE), await conversation_of(waiting, ANA)
    # All that a process did before it was killed.
    await waiting.redis.set(merged_into_key(gone), home)
    world = await start(workers=1)
    await settled(world)
    assert await conversation_of(world, ANA) == home
    assert set((await ends(world, ANA)).values()) <= {"answered", "merged"}
    assert len(await ends(world, ANA)) == 2


async def test_a_quote_of_what_was_said_elsewhere_is_understood(world: World) -> None:
    await written(world, "wamid.1", "por teléfono", PHONE, None)
    await written(world, "wamid.HBgNFIRST", "¿tienen impresoras?", None, ANA)
    await settled(world)
    world.models.will(says("Sí"), says("$2,499"))
    await written(world, "wamid.3", "con los dos", PHONE, ANA)
    await settled(world)
    await post(world, "reply")
    await settled(world)
    assert last_model_input(world).startswith("<replying_to><text>¿tienen impresoras?</text></replying_to>")


async def test_a_new_owner_of_a_number_does_not_get_the_old_one_s_conversation(world: World) -> None:
    world.models.will(says("anotado"), says("¿quién eres?"))
    await written(world, "wamid.1", "mi clave es girasol", PHONE, ANA)
    await settled(world)
    await written(world, "wamid.2", "hola", PHONE, "MX.7700000000000000")
    await settled(world)
    assert "girasol" not in str(world.models.requests[-1])
    assert await conversation_of(world, PHONE) == await conversation_of(world, "MX.7700000000000000")
    assert (await contact_of(world, ANA)).phone is None


async def test_a_new_number_is_followed_and_the_old_one_let_go(world: World) -> None:
    await post(world, "text")
    await settled(world)
    home = await conversation_of(world, ANA)
    await post(world, "system_user_changed_number")
    await settled(world)
    assert [await conversation_of(world, identity) for identity in (NEW_PHONE, "MX.9900000000000001", ANA)] == [
        home
    ] * 3
    assert await conversation_of(world, PHONE) is None
    contact = await contact_of(world, NEW_PHONE)
    assert (contact.phone, contact.bsuid) == (NEW_PHONE, "MX.9900000000000001")


async def test_news_of_a_new_number_told_again_leaves_the_next_owner_of_the_old_one_alone(world: World) -> None:
    await post(world, "text")
    await post(world, "system_user_changed_number")
    await written(world, "wamid.9", "soy nuevo", PHONE, "MX.7700000000000000")
    await settled(world)
    home, other = await conversation_of(world, NEW_PHONE), await conversation_of(world, PHONE)
    await post(world, "system_user_changed_number")
    await settled(world)
    assert home != other
    assert (await conversation_of(world, NEW_PHONE), await conversation_of(world, PHONE)) == (home, other)


@pytest.mark.parametrize(
    ("news", "bsuid"),
    [("user_id_update", "MX.9900000000000003"), ("system_user_changed_user_id", "MX.9900000000000002")],
)
async def test_a_new_bsuid_leads_to_the_same_conversation(world: World, news: str, bsuid: str) -> None:
    await post(world, "text")
    await settled(world)
    home = await conversation_of(world, ANA)
    await post(world, news)
    await settled(world)
    assert await conversation_of(world, bsuid) == home
    await written(world, "wamid.9", "sigo aquí", None, bsuid)
    await settled(world)
    assert (await ends(world, ANA))["wamid.9"] == "answered"


async def test_a_new_bsuid_that_wrote_before_the_news_is_united_with_the_old(world: World) -> None:
    await post(world, "text")
    await written(world, "wamid.9", "ya cambié", None, "MX.9900000000000003")
    await settled(world)
    await post(world, "user_id_update")
    await settled(world)
    assert await conversation_of(world, "MX.9900000000000003") == await conversation_of(world, ANA)
    assert len(await ends(world, ANA)) == 2


async def test_a_number_that_whatsapp_vouches_for_belongs_to_the_sender_and_a_shared_one_does_not(
    world: World,
) -> None:
    await post(world, "contact_of_another")
    await settled(world)
    assert await conversation_of(world, "5215587654321") is None
    await post(world, "contact_request_answer")
    await settled(world)
    assert await conversation_of(world, PHONE) == await conversation_of(world, ANA)


@pytest.mark.parametrize(
    ("listed", "role"),
    [
        (ANA, "staff"),
        ("+52 1 55 1234 5678", "staff"),
        ("+52 55 1234 5678", "staff"),
        ("5215587654321, MX.8801234567890123", "staff"),
        ("5215587654321", "customer"),
        ("", "customer"),
    ],
)
async def test_staff_are_known_by_what_the_signed_webhook_says_of_them(
    start: Start, ana: Person, listed: str, role: str
) -> None:
    world = await start(STAFF_CONTACTS=listed)
    world.models.will(calls(("business_hours", {})), says("De 9 a 19."))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "soy del personal"}})
    await settled(world)
    assert (await contact_of(world, ANA)).role == role


async def orphans(redis: Redis) -> list[str]:
    """What is kept of somebody in conversations that nobody finds: no erasure reaches it."""
    kept = [name async for name in redis.scan_iter("recado:{*}:identities")]
    found = [(name, identity) for name in kept for identity in await answer(redis.smembers(name))]
    led_to = {identity: await redis.get(f"recado:identity:{identity}") for _, identity in found}
    homes = [(name, await current_name(redis, str(led_to[identity]))) for name, identity in found]
    return [
        name for name, home in homes if await current_name(redis, name[len("recado:{") : -len("}:identities")]) != home
    ]


async def first_messages(redis: Redis, *pairs: tuple[str | None, str | None]) -> list[str]:
    """As many processes take them in at once, each its own; gives the conversations."""
    now = datetime.now(UTC)
    messages = [
        Inbound(id=f"wamid.{n}", sent_at=now, received_at=now, phone=phone, bsuid=bsuid, content=Text(body="hola"))
        for n, (phone, bsuid) in enumerate(pairs)
    ]
    homes = await asyncio.gather(*(conversations_of(redis, [message]) for message in messages))
    return [await current_name(redis, home) for (home,) in homes]


@pytest.mark.parametrize(
    "pairs",
    [[(PHONE, None)] * 4, [(None, ANA)] * 4, [(PHONE, ANA)] * 4, [(PHONE, None), (None, ANA), (PHONE, ANA)] * 2],
    ids=["a phone", "a BSUID", "both", "each alone and both"],
)
async def test_first_messages_that_come_at_once_leave_nothing_of_the_person_that_nobody_finds(
    redis: Redis, pairs: list[tuple[str | None, str | None]]
) -> None:
    for _ in range(5):
        await redis.flushall()
        await first_messages(redis, *pairs)
        assert await orphans(redis) == []


async def test_the_first_messages_of_a_numbers_new_owner_that_come_at_once_are_one_conversation(redis: Redis) -> None:
    for _ in range(5):
        await redis.flushall()
        (former,) = await first_messages(redis, (PHONE, ANA))
        homes = await first_messages(redis, *[(PHONE, "MX.1234567890123456")] * 4)
        assert len({*homes, former}) == 2
        assert await orphans(redis) == []
        assert [await phone_contested(redis, home) for home in (homes[0], former)] == [True, False]


async def test_a_phone_does_not_lead_to_the_conversation_of_another_bsuid(redis: Redis) -> None:
    (home,) = await first_messages(redis, (PHONE, ANA))
    asked = ((PHONE, ANA), (PHONE, None), (None, ANA), (PHONE, "MX.1234567890123456"), (None, "MX.1234567890123456"))
    assert [await find(redis, *question) for question in asked] == [home, home, home, None, None]
    (alone,) = await first_messages(redis, (NEW_PHONE, None))
    assert await find(redis, NEW_PHONE, "MX.1234567890123456") == alone
