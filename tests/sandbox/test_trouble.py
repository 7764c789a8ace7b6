"""The drawer of the page: what it arms happens on the wire, once or until it is off, and the page is told."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox import phone
from bot.sandbox.graph_templates import Template
from bot.whatsapp.payload import parse

if TYPE_CHECKING:
    from bot.sandbox.meta import Meta
    from tests.sandbox.conftest import Business, Clock, Graph

ANA, _, SAM = phone.PEOPLE
Client = TestClient[web.Request, web.Application]


async def no_turns() -> AsyncIterator[dict[str, Any]]:
    await asyncio.Event().wait()
    yield {}


@pytest.fixture
async def page(meta: Meta) -> AsyncIterator[Client]:
    app = web.Application()
    app.add_subapp("/sandbox/", phone.application(meta, no_turns, {"staff": []}))
    async with TestClient(TestServer(app)) as client:
        yield client


async def order(page: Client, kind: str, **more: Any) -> list[dict[str, Any]]:
    """Arm it (or with `on=False` call it off), and return all that is armed."""
    answer = await page.post("/sandbox/trouble", json={"kind": kind} | more)
    assert answer.status == 200, await answer.text()
    armed: list[dict[str, Any]] = (await answer.json())["armed"]
    return armed


async def write(page: Client, body: str = "Hola", person: str = ANA.bsuid) -> str:
    gesture = {"person": person, "message": {"type": "text", "text": {"body": body}}}
    answer = await page.post("/sandbox/messages", json=gesture)
    return str((await answer.json())["wamid"])


async def rarity(page: Client, kind: str, person: str = ANA.bsuid) -> None:
    answer = await page.post("/sandbox/rarities", json={"person": person, "kind": kind, "language": "en"})
    assert answer.status == 200, await answer.text()


async def send(graph: Graph) -> tuple[int, int | None]:
    """The status and the error's code of an answer to Ana."""
    status, answer = await graph.send(graph.to(ANA, type="text", text={"body": "Buenas"}))
    return status, answer.get("error", {}).get("code")


async def armed(page: Client) -> list[str]:
    state = await (await page.get("/sandbox/state")).json()
    return [fault["kind"] for fault in state["armed"]]


async def test_the_next_message_comes_twice_in_other_bytes(page: Client, business: Business) -> None:
    await order(page, "twice")
    wamids = [await write(page), await write(page)]
    assert [message["id"] for message in business.messages] == [wamids[0], wamids[0], wamids[1]]
    assert business.bodies[0] != business.bodies[1]
    assert await armed(page) == []


async def test_messages_are_collected_until_the_switch_is_off(page: Client, business: Business) -> None:
    await order(page, "batch")
    wamids = [await write(page), await write(page, person=SAM.bsuid), await write(page)]
    assert business.bodies == []
    [fault] = (await (await page.get("/sandbox/state")).json())["armed"]
    assert fault["held"] == 3
    await order(page, "batch", on=False)
    assert len(business.bodies) == 1
    assert [message["id"] for message in business.messages] == wamids


async def test_the_next_two_come_in_reverse(page: Client, business: Business) -> None:
    await order(page, "reverse")
    first, second, third = [await write(page) for _ in range(3)]
    assert [message["id"] for message in business.messages] == [second, first, third]


async def test_a_message_held_for_its_second_goes_out_when_called_off(page: Client, business: Business) -> None:
    await order(page, "reverse")
    wamid = await write(page)
    assert business.bodies == []
    await order(page, "reverse", on=False)
    assert [message["id"] for message in business.messages] == [wamid]


async def test_the_next_message_is_three_days_late_and_opens_no_window(
    page: Client, graph: Graph, business: Business, clock: Clock
) -> None:
    await order(page, "late")
    await write(page)
    assert business.messages[0]["timestamp"] == str(int((clock() - timedelta(days=3)).timestamp()))
    assert await send(graph) == (400, 131047)
    await write(page)
    assert business.messages[1]["timestamp"] == str(int(clock().timestamp()))
    assert await send(graph) == (200, None)


async def test_a_hidden_phone_is_in_no_message_and_no_status_until_it_is_shown_again(
    page: Client, meta: Meta, graph: Graph, business: Business
) -> None:
    await order(page, "hidden", person=ANA.bsuid)
    await write(page)
    await graph.say(ANA)
    await meta.idle()
    assert ANA.phone not in json.dumps(business.values)
    assert business.messages[0]["from_user_id"] == ANA.bsuid
    assert {status["recipient_user_id"] for status in business.statuses} == {ANA.bsuid}
    await order(page, "hidden", person=ANA.bsuid, on=False)
    await write(page)
    assert business.messages[-1]["from"] == ANA.phone


@pytest.mark.parametrize("code", [131047, 131056, 130429])
async def test_the_next_answer_is_refused_and_the_page_is_told(page: Client, graph: Graph, code: int) -> None:
    stream = await page.get("/sandbox/events")
    await write(page)
    await order(page, "refuse", code=code)
    assert [await send(graph), await send(graph)] == [(400, code), (200, None)]
    async with asyncio.timeout(5):
        async for line in stream.content:
            if b'"mishap"' in line:
                break
    assert (json.loads(line[6:])["person"], json.loads(line[6:])["code"]) == (ANA.bsuid, code)
    stream.close()


async def test_an_expired_token_stops_every_call_until_it_is_renewed(page: Client, meta: Meta, graph: Graph) -> None:
    await write(page)
    await order(page, "refuse", code=190)
    assert [await send(graph), await send(graph)] == [(401, 190), (401, 190)]
    status, answer = await graph.get(f"{meta.phone_number_id}?fields=verified_name")
    assert (status, answer["error"]["code"]) == (401, 190)
    await order(page, "refuse", code=190, on=False)
    assert await send(graph) == (200, None)


async def test_an_accepted_message_fails_later_with_its_reason(
    page: Client, meta: Meta, graph: Graph, business: Business
) -> None:
    await write(page)
    await order(page, "fail", code=131026)
    await graph.say(ANA)
    await meta.idle()
    [status] = business.statuses
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)
    assert meta.history(ANA)[-1]["errors"][0]["title"] == "Message undeliverable"


async def test_an_answer_is_lost_after_the_message_was_taken(page: Client, meta: Meta, graph: Graph) -> None:
    await write(page)
    await order(page, "drop")
    with pytest.raises(aiohttp.ClientError):
        await send(graph)
    assert [sent.text for sent in meta.accepted] == ["Buenas"]


async def test_a_gateway_answers_with_a_page(page: Client, meta: Meta, graph: Graph) -> None:
    await write(page)
    await order(page, "html")
    url = f"{graph.base}/v26.0/{meta.phone_number_id}/messages"
    async with graph.http.post(url, json=graph.to(ANA, type="text", text={"body": "Buenas"})) as response:
        assert (response.status, response.content_type) == (502, "text/html")
    assert meta.accepted == []


async def test_slow_statuses_come_later(page: Client, meta: Meta, graph: Graph, business: Business) -> None:
    await write(page)
    await order(page, "slow")
    fault = meta.faults.standing("slow")
    assert fault is not None
    fault.seconds = 0.05
    await graph.say(ANA)
    assert business.statuses == []
    await meta.idle()
    assert [status["status"] for status in business.statuses] == ["sent", "delivered", "read"]


async def test_a_closed_window_lets_only_templates_through(page: Client, graph: Graph) -> None:
    await write(page)
    await order(page, "closed", person=ANA.bsuid)
    assert await send(graph) == (400, 131047)
    values = [{"type": "text", "parameter_name": name, "text": "A-17"} for name in ("name", "order", "total")]
    template = {
        "name": "order_confirmation",
        "language": {"code": "es"},
        "components": [{"type": "body", "parameters": values}],
    }
    assert (await graph.send(graph.to(ANA, type="template", template=template)))[0] == 200
    await order(page, "closed", person=ANA.bsuid, on=False)
    assert await send(graph) == (200, None)


async def test_the_same_is_armed_once_and_all_can_be_called_off(page: Client, business: Business) -> None:
    await order(page, "twice")
    await order(page, "refuse", code=131056)
    await order(page, "refuse", code=131047)
    assert [fault["code"] for fault in await order(page, "twice")] == [131056, 131047, 0]
    assert await order(page, "none") == []
    await write(page)
    assert len(business.bodies) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "earthquake"},
        {"kind": "refuse"},
        {"kind": "refuse", "code": 1},
        {"kind": "hidden"},
        {"kind": "twice", "person": ANA.bsuid},
        {},
    ],
    ids=str,
)
async def test_trouble_that_does_not_exist_is_refused(page: Client, wrong: dict[str, Any]) -> None:
    assert (await page.post("/sandbox/trouble", json=wrong)).status == 400
    assert await armed(page) == []


@pytest.mark.parametrize(
    ("kind", "content", "more"),
    [
        ("share_number", "cards", {}),
        ("button", "tap", {}),
        ("flow", "form", {}),
        ("call_permission", "unsupported", {}),
        ("order", "order", {}),
        ("referral", "text", {}),
        ("forwarded", "text", {"forwarded": True}),
        ("forwarded_often", "text", {"forwarded": True}),
        ("product_question", "text", {}),
        ("group", "text", {"group_id": "Y2FwaV9ncm91cDoxNTUwNQ"}),
        ("poll", "unsupported", {}),
        ("unknown", "unsupported", {}),
        ("broken_photo", "unsupported", {}),
        ("welcome", "system", {}),
    ],
)
async def test_a_rare_message_arrives_in_a_shape_that_recado_reads(
    page: Client, business: Business, clock: Clock, kind: str, content: str, more: dict[str, Any]
) -> None:
    await rarity(page, kind)
    found = parse(business.bodies[0], clock())
    [message] = found.messages
    assert found.unknown == []
    assert (message.content.kind, message.bsuid) in {(content, ANA.bsuid), ("call", ANA.bsuid)}
    assert {name: getattr(message, name) for name in more} == more


async def test_an_album_is_several_photos_at_once(page: Client, business: Business) -> None:
    await rarity(page, "album")
    assert [message["type"] for message in business.messages] == ["image"] * 3


@pytest.mark.parametrize(("person", "event"), [(ANA, "user_changed_number"), (SAM, "user_changed_user_id")])
async def test_who_changes_number_has_a_new_id_and_keeps_the_chat(
    page: Client, meta: Meta, business: Business, person: phone.Person, event: str
) -> None:
    await write(page, person=person.bsuid)
    await rarity(page, "number_change", person.bsuid)
    told, update = business.values[1:]
    system = told["messages"][0]["system"]
    assert (system["type"], "contacts" in told) == (event, False)
    assert update["user_id_update"][0]["user_id"] == {"previous": person.bsuid, "current": system["user_id"]}
    state = await (await page.get("/sandbox/state")).json()
    assert person.bsuid not in state["history"]
    assert [entry["person"] for entry in state["history"][system["user_id"]]] == [system["user_id"]] * 2
    await write(page, person=system["user_id"])
    assert business.messages[-1].get("from") == system.get("wa_id")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [("marketing_stop", "value", "stop"), ("marketing_resume", "value", "resume")],
)
async def test_a_choice_about_marketing_is_told(
    page: Client, business: Business, kind: str, key: str, value: str
) -> None:
    await rarity(page, kind)
    [preference] = business.values[0]["user_preferences"]
    assert (preference[key], preference["user_id"]) == (value, ANA.bsuid)


async def test_a_colleagues_answer_from_the_app_is_an_echo_and_in_the_chat(
    page: Client, meta: Meta, business: Business
) -> None:
    await rarity(page, "echo")
    [echo] = business.values[0]["message_echoes"]
    assert (echo["from"], echo["to"]) == (meta.display_phone_number, ANA.phone)
    assert meta.history(ANA)[-1]["direction"] == "out"


async def test_a_sticker_is_a_sticker_only_when_sent_as_one(page: Client, business: Business) -> None:
    data = b"RIFF\x00\x00\x00\x00WEBPVP8 "
    for fields in ({"as": "sticker"}, {}):
        form = aiohttp.FormData({"person": ANA.bsuid} | fields)
        form.add_field("file", io.BytesIO(data), filename="a.webp", content_type="image/webp")
        assert (await page.post("/sandbox/messages", data=form)).status == 200
    assert [message["type"] for message in business.messages] == ["sticker", "image"]
    assert business.messages[0]["sticker"]["animated"] is False


async def test_a_tap_on_a_templates_button_names_the_template(page: Client, graph: Graph, business: Business) -> None:
    await write(page)
    wamid = await graph.say(ANA)
    tap = {"type": "button", "button": {"payload": "later", "text": "Later"}}
    body = {"person": ANA.bsuid, "message": tap, "context": wamid}
    assert (await page.post("/sandbox/messages", json=body)).status == 200
    assert business.messages[-1]["context"]["id"] == wamid
