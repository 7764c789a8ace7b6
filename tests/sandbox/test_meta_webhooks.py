"""Meta's webhooks: signed, in Meta's bytes, repeated until they are taken, and in steps."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.broadcast import Broadcast

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Business, Graph

HELLO = {"type": "text", "text": {"body": "¿Cuánto cuesta? 🛒 a/b"}}


async def test_a_webhook_is_signed_over_its_bytes(meta: MetaSimulator, business: Business, ana: Person) -> None:
    await meta.writes(ana, HELLO)
    [body], [signature] = business.bodies, business.signatures
    assert signature == "sha256=" + hmac.new(b"the app's secret", body, hashlib.sha256).hexdigest()
    assert body.isascii()
    assert rb"\u00bfCu\u00e1nto" in body
    assert rb"a\/b" in body


async def test_a_message_has_the_shape_since_april_2026(meta: MetaSimulator, business: Business, ana: Person) -> None:
    wamid = await meta.writes(ana, HELLO)
    assert json.loads(business.bodies[0])["entry"][0]["id"] == meta.waba_id
    [value] = business.values
    assert value["metadata"] == {"display_phone_number": "525500001111", "phone_number_id": meta.phone_number_id}
    assert value["contacts"] == [{"profile": {"name": "Ana"}, "wa_id": ana.phone, "user_id": ana.bsuid}]
    expected = {"from": ana.phone, "from_user_id": ana.bsuid, "id": wamid, "timestamp": "1795521600"}
    assert value["messages"] == [expected | HELLO]


async def test_a_person_with_a_username_has_no_phone(meta: MetaSimulator, business: Business, sam: Person) -> None:
    await meta.writes(sam, HELLO)
    [value] = business.values
    assert value["contacts"] == [{"profile": {"name": "Sam", "username": "@sam.w"}, "user_id": sam.bsuid}]
    assert "from" not in value["messages"][0]


async def test_a_reply_names_the_message_it_answers(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person, ana_wrote: str
) -> None:
    wamid = await graph.say(ana)
    tap = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "a", "title": "A"}}}
    await meta.writes(ana, tap, context=wamid)
    assert business.messages[-1]["context"] == {"from": "525500001111", "id": wamid}


async def test_a_webhook_is_tried_again_until_it_is_taken(meta: MetaSimulator, business: Business, ana: Person) -> None:
    business.answers = [503, 202]
    await meta.writes(ana, HELLO)
    await meta.idle()
    assert len(business.bodies) == 3
    assert len(set(business.bodies)) == 1
    assert meta.undelivered == []


async def test_a_webhook_that_nobody_takes_is_given_up(meta: MetaSimulator, business: Business, ana: Person) -> None:
    business.answers = [500] * 4
    await meta.writes(ana, HELLO)
    await meta.idle()
    assert meta.undelivered == [business.bodies[0]]
    assert len(business.bodies) == 4


async def test_a_duplicate_says_the_same_in_other_bytes(meta: MetaSimulator, business: Business, ana: Person) -> None:
    meta.duplicate = True
    await meta.writes(ana, HELLO)
    first, second = business.bodies
    assert first != second
    assert json.loads(first) == json.loads(second)


async def test_a_batch_is_one_notification(meta: MetaSimulator, business: Business, ana: Person, sam: Person) -> None:
    async with meta.batch():
        wamids = [await meta.writes(person, HELLO) for person in (ana, sam, ana)]
    assert len(business.bodies) == 1
    assert [message["id"] for message in business.messages] == wamids


async def test_an_account_without_subscription_gets_nothing(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person
) -> None:
    url = f"{graph.base}/v26.0/{meta.waba_id}/subscribed_apps"
    async with graph.http.delete(url) as response:
        assert await response.json() == {"success": True}
    await meta.writes(ana, HELLO)
    assert business.bodies == []
    async with graph.http.post(url) as response:
        assert response.status == 200
    await meta.writes(ana, HELLO)
    assert len(business.bodies) == 1
    assert len((await graph.get(f"{meta.waba_id}/subscribed_apps"))[1]["data"]) == 1


async def test_the_address_is_verified_by_its_challenge(meta: MetaSimulator) -> None:
    assert await meta.verify()
    meta.verify_token = "another token"
    assert not await meta.verify()


async def test_statuses_climb_and_carry_price_and_callback(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person, ana_wrote: str
) -> None:
    wamid = await graph.say(ana, biz_opaque_callback_data="job:42")
    await meta.idle()
    price = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
    assert [status["status"] for status in business.statuses] == ["sent", "delivered", "read"]
    assert [status.get("pricing") for status in business.statuses] == [price, price, None]
    for status in business.statuses:
        assert (status["id"], status["biz_opaque_callback_data"]) == (wamid, "job:42")
        assert (status["recipient_id"], status["recipient_user_id"]) == (ana.phone, ana.bsuid)


async def test_a_closed_chat_is_read_when_it_is_opened(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person, ana_wrote: str
) -> None:
    await meta.opens(ana, is_open=False)
    await graph.say(ana)
    await meta.idle()
    assert [status["status"] for status in business.statuses] == ["sent", "delivered"]
    await meta.opens(ana)
    assert [status["status"] for status in business.statuses] == ["sent", "delivered", "read"]


async def test_a_reaction_is_only_sent(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person, ana_wrote: str
) -> None:
    reaction = {"type": "reaction", "reaction": {"message_id": ana_wrote, "emoji": "👍🏽"}}
    assert (await graph.send(graph.to(ana, **reaction)))[0] == 200
    await meta.idle()
    assert [status["status"] for status in business.statuses] == ["sent"]


async def test_a_message_may_fail_after_it_was_accepted(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person, ana_wrote: str
) -> None:
    meta.will_fail(131026)
    await graph.say(ana)
    await meta.idle()
    [value] = [value for value in business.values if "statuses" in value]
    [status] = value["statuses"]
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)
    assert value["contacts"] == [{"wa_id": ana.phone}]


async def test_a_read_mark_reads_all_before_it_and_shows_typing(
    meta: MetaSimulator, graph: Graph, ana: Person, ana_wrote: str
) -> None:
    latest = await meta.writes(ana, HELLO)
    events = meta.listen()
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": latest}
    assert await graph.send(mark | {"typing_indicator": {"type": "text"}}) == (200, {"success": True})
    assert (meta.read_marks, meta.typing) == ([latest], [latest])
    assert [event["status"] for event in meta.history(ana)] == ["read", "read"]
    assert await anext(events) == {"type": "read", "person": ana.bsuid, "wamid": latest}
    assert await anext(events) == {"type": "typing", "person": ana.bsuid, "on": True}
    await graph.say(ana)
    assert await anext(events) == {"type": "typing", "person": ana.bsuid, "on": False}


async def test_the_page_hears_of_both_directions_and_finds_them_later(
    meta: MetaSimulator, graph: Graph, ana: Person
) -> None:
    events = meta.listen()
    asked = await meta.writes(ana, HELLO)
    answered = await graph.say(ana, "Doce pesos")
    await meta.idle()
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1].get("status") != "read":
        heard.append(await anext(events))
    messages = [event for event in heard if event["type"] == "message"]
    assert [(event["direction"], event["wamid"]) for event in messages] == [("in", asked), ("out", answered)]
    statuses = [(event["wamid"], event["status"]) for event in heard if event["type"] == "status"]
    assert statuses == [(asked, "delivered"), *((answered, status) for status in ("sent", "delivered", "read"))]
    assert [(event["wamid"], event["status"]) for event in meta.history(ana)] == [
        (asked, "delivered"),
        (answered, "read"),
    ]


async def test_replies_are_waited_for(meta: MetaSimulator, graph: Graph, ana: Person, ana_wrote: str) -> None:
    waiting = asyncio.create_task(meta.replies(ana, 2))
    await graph.say(ana, "one")
    await graph.say(ana, "two")
    assert [sent.text for sent in await waiting] == ["one", "two"]
    with pytest.raises(TimeoutError):
        await meta.replies(ana, 3, within=0.05)


async def test_a_listener_that_stops_reading_is_let_go() -> None:
    broadcast = Broadcast()
    slow = broadcast.listen()
    for number in range(2000):
        broadcast.send({"number": number})
    received = [event["number"] async for event in slow]
    assert received == list(range(999))
