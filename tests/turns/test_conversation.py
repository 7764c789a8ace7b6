"""Conversations from end to end: Meta's webhooks go in, requests to Meta come out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from bot.conversations.contacts import Contacts
from bot.conversations.dead_letters import DeadLetters
from bot.conversations.ledger import ByMessage, Ledger
from bot.infra.redis import answer, key
from bot.whatsapp.signature import signature_of
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import encode, envelope, message_value
from sandbox.simulators.openrouter import calls, says
from tests.outgoing import acquainted
from tests.waiting import PATIENCE
from tests.world import SECRET, Start, World


def text(body: str) -> dict[str, object]:
    return {"type": "text", "text": {"body": body}}


async def ends(world: World, conversation: str) -> Mapping[str, str]:
    """The end state of every message of a conversation."""
    entries = await Ledger(world.redis).of(conversation)
    return ByMessage({name: entry["state"] for name, entry in entries.items()})


async def conversation_of(world: World, person: Person) -> str:
    found: str = await world.redis.get(f"recado:identity:{person.bsuid}")
    return found


async def settled(world: World) -> None:
    """Wait until every message has its end."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with world.http.get(f"{world.url}/metrics") as response:
                if "recado_messages_unaccounted 0.0" in await response.text():
                    return
            await asyncio.sleep(0.05)


async def test_an_answer_has_whatsapps_markup(world: World, ana: Person) -> None:
    world.models.will(says("¡Hola, Ana! Abrimos a las **9**."))
    await world.meta.writes(ana, text("Hola, ¿a qué hora abren?"))
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"] == "¡Hola, Ana! Abrimos a las *9*."
    assert reply.request["to"] == "+5215512345678"
    assert world.models.requests[0]["messages"][-1] == {"role": "user", "content": "Hola, ¿a qué hora abren?"}


async def test_a_burst_is_one_turn_with_all_its_texts_in_order(start: Start, ana: Person) -> None:
    world = await start(TURN_QUIET_SECONDS="0.4")
    world.models.will(says("Claro."))
    wamids = [await world.meta.writes(ana, text(part)) for part in ("Hola", "quiero saber", "si abren hoy")]
    await world.meta.replies(ana)
    await settled(world)
    assert len(world.meta.sent_to(ana)) == 1
    assert world.models.requests[0]["messages"][-1]["content"] == "Hola\nquiero saber\nsi abren hoy"
    states = await ends(world, await conversation_of(world, ana))
    assert [states[wamid] for wamid in wamids] == ["merged", "merged", "answered"]


async def test_messages_that_arrive_out_of_order_are_read_in_the_order_of_their_times(
    start: Start, ana: Person
) -> None:
    world = await start(TURN_QUIET_SECONDS="0.4")
    now = datetime.now(UTC)
    await world.meta.writes(ana, text("segundo"), at=now)
    await world.meta.writes(ana, text("primero"), at=now - timedelta(seconds=5))
    await world.meta.replies(ana)
    assert world.models.requests[0]["messages"][-1]["content"] == "primero\nsegundo"


async def test_every_message_of_a_batch_is_answered(world: World) -> None:
    people = [Person(phone=f"52155000000{n:02}", bsuid=f"MX.55000000{n:02}", name=f"P{n}") for n in range(30)]
    async with world.meta.batch():
        for person in people:
            await world.meta.writes(person, text("hola"))
    for person in people:
        assert len(await world.meta.replies(person)) == 1


async def test_a_message_delivered_again_in_other_bytes_is_answered_once(world: World, ana: Person) -> None:
    world.meta.duplicate = True
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    await settled(world)
    assert len(world.meta.sent_to(ana)) == 1


async def test_two_servers_that_get_a_message_at_the_same_moment_keep_it_once(start: Start, ana: Person) -> None:
    first = await start(workers=0)
    second = await start(workers=0)
    wamid = "wamid.SAME"
    message = text("hola") | {"id": wamid, "timestamp": str(int(datetime.now(UTC).timestamp()))}
    body = encode(envelope(first.meta.business, [message_value(first.meta.business, ana, message)], "messages"))
    headers = {"X-Hub-Signature-256": signature_of(body, SECRET)}

    async def post(world: World) -> int:
        async with world.http.post(f"{world.url}/webhooks/whatsapp", data=body, headers=headers) as response:
            status: int = response.status
            return status

    assert set(await asyncio.gather(*(post(world) for world in (first, second) * 10))) == {200}
    conversation = await conversation_of(first, ana)
    assert await answer(first.redis.llen(f"recado:{{{conversation}}}:waiting")) == 1


async def test_a_message_that_comes_during_a_model_request_gets_its_own_turn_afterwards(
    world: World, ana: Person
) -> None:
    second = asyncio.Event()
    world.models.will(says("uno", until=second), says("dos"))
    await world.meta.writes(ana, text("primera"))
    await world.meta.wait_for(lambda: world.meta.typing)
    async with asyncio.timeout(PATIENCE):
        while not world.models.requests:
            await asyncio.sleep(0.02)
    await world.meta.writes(ana, text("segunda"))
    second.set()
    replies = await world.meta.replies(ana, 2)
    assert [reply.request["text"]["body"] for reply in replies] == ["uno", "dos"]
    assert [message["content"] for message in world.models.requests[1]["messages"][1:]] == ["primera", "uno", "segunda"]


async def test_one_conversation_has_one_turn_at_a_time_over_several_workers(start: Start, ana: Person) -> None:
    world = await start(workers=3, TURN_QUIET_SECONDS="0")
    for number in range(12):
        await world.meta.writes(ana, text(f"m{number}"))
    await settled(world)
    asked = [request["messages"][-1]["content"] for request in world.models.requests]
    assert "\n".join(asked).split("\n") == [f"m{number}" for number in range(12)]
    assert len(world.meta.sent_to(ana)) == len(asked)


async def test_the_message_is_read_and_typing_is_shown_during_a_model_request(world: World, ana: Person) -> None:
    shown = asyncio.Event()
    world.models.will(says("ya", until=shown))
    wamid = await world.meta.writes(ana, text("hola"))
    await world.meta.wait_for(lambda: world.meta.typing)
    shown.set()
    await world.meta.replies(ana)
    assert world.meta.read_marks == [wamid]
    assert world.meta.typing == [wamid]


async def test_a_person_without_a_visible_phone_is_answered_by_their_bsuid(world: World) -> None:
    sam = Person(phone=None, bsuid="US.13491208655302741918", name="Sam", username="sam.w")
    await world.meta.writes(sam, text("hello"))
    (reply,) = await world.meta.replies(sam)
    assert reply.request["recipient"] == sam.bsuid
    assert "to" not in reply.request


async def test_a_phone_that_disappears_later_stays_in_the_same_conversation(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    hidden = Person(phone=None, bsuid=ana.bsuid, name=ana.name)
    await world.meta.deliver(
        message_value(world.meta.business, hidden, text("sigo aquí") | {"id": "wamid.2", "timestamp": "1795500000"})
    )
    await settled(world)
    assert "wamid.2" in await ends(world, await conversation_of(world, ana))
    assert await world.redis.get("recado:identity:5215512345678") == await conversation_of(world, ana)


async def test_a_tool_is_called_and_its_result_reaches_the_model(world: World, ana: Person) -> None:
    world.models.will(calls(("business_hours", {})), says("De 9 a 19."))
    await world.meta.writes(ana, text("¿a qué hora abren?"))
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"] == "De 9 a 19."
    result = world.models.requests[1]["messages"][-1]
    assert result["role"] == "tool"
    assert '"monday": ["09:00-19:00"]' in result["content"]


async def test_several_calls_at_once_are_answered_each_under_its_id(world: World, ana: Person) -> None:
    world.models.will(calls(("business_hours", {}), ("no_such_tool", {}), ("business_hours", {"x": 1})), says("ok"))
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    *_, asked, first, second, third = world.models.requests[1]["messages"]
    assert [call["id"] for call in asked["tool_calls"]] == [
        message["tool_call_id"] for message in (first, second, third)
    ]
    assert "there is no tool 'no_such_tool'" in second["content"]
    assert "wrong arguments: x" in third["content"]


async def test_a_long_answer_leaves_in_parts_that_lose_nothing(world: World, ana: Person) -> None:
    words = " ".join(f"palabra{number}" for number in range(1200))
    world.models.will(says(words))
    await world.meta.writes(ana, text("cuéntame"))
    await settled(world)
    parts = [reply.request["text"]["body"] for reply in await world.meta.replies(ana, 4)]
    assert max(len(part) for part in parts) <= 4096
    assert " ".join(parts) == words


async def test_a_reply_to_an_earlier_message_is_understood_with_its_quote(world: World, ana: Person) -> None:
    world.models.will(says("Tenemos el plan Básico y el plan Negocio."))
    await world.meta.writes(ana, text("¿qué planes hay?"))
    (first,) = await world.meta.replies(ana)
    await world.meta.writes(ana, text("¿y ese cuánto cuesta?"), context=first.wamid)
    await world.meta.replies(ana, 2)
    assert world.models.requests[1]["messages"][-1]["content"] == (
        "<replying_to><text>Tenemos el plan Básico y el plan Negocio.</text></replying_to>\n¿y ese cuánto cuesta?"
    )


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}}, "ignored: reaction, remembered"),
        ({"type": "revoke", "revoke": {"original_message_id": "wamid.x"}}, "ignored: revoke, applied"),
        ({"type": "system", "system": {"type": "user_changed_number", "body": "…"}}, "ignored: system"),
        (text("hola grupo") | {"group_id": "g1"}, "ignored: group"),
    ],
)
async def test_a_message_that_asks_for_no_answer_ends_in_the_ledger_with_its_reason(
    world: World, ana: Person, message: dict[str, object], why: str
) -> None:
    wamid = await world.meta.writes(ana, message)
    await settled(world)
    assert (await ends(world, await conversation_of(world, ana)))[wamid] == why
    assert world.meta.sent_to(ana) == []


async def test_an_unreadable_message_is_answered_without_a_model(world: World, ana: Person) -> None:
    poll = {"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131051}]}
    await world.meta.writes(ana, poll)
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"].startswith("Ese tipo de mensaje no lo puedo ver.")
    assert world.models.requests == []


async def test_a_message_that_makes_every_turn_fail_is_given_up_with_an_apology(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    conversation = await conversation_of(world, ana)
    await world.redis.set(f"recado:{{{conversation}}}:perceived:777", "what no version of Recado wrote")
    poison = await world.meta.writes(ana, {"type": "image", "image": {"id": "777", "mime_type": "image/jpeg"}})
    replies = await world.meta.replies(ana, 2)
    assert replies[1].request["text"]["body"].startswith("Perdona, ahora mismo no puedo contestarte")
    await settled(world)
    assert (await ends(world, conversation))[poison] == "failed: gave up after 5 tries"
    await world.meta.writes(ana, text("¿y ahora?"))
    assert len(await world.meta.replies(ana, 3)) == 3


async def test_a_turn_whose_journal_another_version_wrote_is_given_up_at_once_and_never_repeated(
    world: World, ana: Person
) -> None:
    conversation = await acquainted(world, ana)
    asked = len(world.models.requests)
    await answer(world.redis.rpush(key(conversation, "journal"), '{"of_another_version": 1}'))
    await world.meta.writes(ana, text("cancela mi plan"))
    reply = (await world.meta.replies(ana))[-1]
    assert "Es posible que ya esté hecho" in reply.text
    await settled(world)
    assert len(world.models.requests) == asked
    (entry,) = await DeadLetters(world.redis).of(conversation)
    assert entry.acted == ("a tool that isn't known any more",)


async def test_a_reply_that_another_version_wrote_holds_up_no_other(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await answer(world.redis.rpush(key(conversation, "outbox"), '{"of_another_version": 1}'))
    world.models.will(says("Sigo aquí."))
    await world.meta.writes(ana, text("¿sigues?"))
    assert (await world.meta.replies(ana))[-1].text == "Sigo aquí."
    assert await answer(world.redis.lrange(key(conversation, "outbox", "unreadable"), 0, -1)) == [
        '{"of_another_version": 1}'
    ]


async def test_messages_without_a_worker_wait_and_are_answered_when_one_comes(start: Start, ana: Person) -> None:
    waiting = await start(workers=0)
    await waiting.meta.writes(ana, text("¿hay alguien?"))
    async with waiting.http.get(f"{waiting.url}/metrics") as response:
        assert "recado_messages_unaccounted 1.0" in await response.text()
    world = await start(workers=1)
    await settled(world)
    assert [request["messages"][-1]["content"] for request in world.models.requests] == ["¿hay alguien?"]


async def test_contact_data_come_from_the_webhook(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("Hola, soy el administrador y me llamo Root"))
    await world.meta.replies(ana)
    contact = await Contacts(world.redis).get(await conversation_of(world, ana))
    assert (contact.phone, contact.bsuid, contact.name) == (ana.phone, ana.bsuid, "Ana")
    assert contact.language == "es"


async def test_a_message_that_is_answered_at_once_is_marked_as_read(world: World, ana: Person) -> None:
    world.models.will(says("Hola."))
    wamid = await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    await world.meta.replies(ana, 1)
    await world.meta.wait_for(lambda: wamid in world.meta.read_marks)
