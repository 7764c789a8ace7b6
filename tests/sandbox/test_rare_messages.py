"""Rare messages arrive in Meta's format, and a template's parts reach the page."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, get_args

import aiohttp
import pytest

from bot.whatsapp.payload import parse
from sandbox.meta.templates import Template
from sandbox.phone import api
from sandbox.phone.rare_messages import ScenarioKind, SingleMessageKind
from tests.sandbox.conftest import page_writes

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Business, Client, Clock, Graph

ANA, _, SAM = api.PEOPLE


async def send_rare_message(page: Client, kind: str, person: str = ANA.bsuid) -> None:
    answer = await page.post("/sandbox/rarities", json={"person": person, "kind": kind, "language": "en"})
    assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(
    ("kind", "content", "more"),
    [
        ("share_number", "cards", {}),
        ("button", "tap", {}),
        ("flow", "form", {}),
        ("call_permission", None, {}),
        ("order", "order", {}),
        ("referral", "text", {}),
        ("forwarded", "text", {"forwarded": True}),
        ("forwarded_often", "text", {"forwarded": True}),
        ("product_question", "text", {}),
        ("group", "text", {"group_id": "Y2FwaV9ncm91cDoxNTUwNQ"}),
        ("poll", "unsupported", {}),
        ("unknown", "unsupported", {}),
        ("broken_photo", None, {}),
        ("welcome", "system", {}),
    ],
)
async def test_a_rare_message_arrives_in_a_shape_that_recado_reads(
    page: Client, business: Business, clock: Clock, kind: str, content: str | None, more: dict[str, Any]
) -> None:
    await send_rare_message(page, kind)
    found = parse(business.bodies[0], clock())
    [message] = found.messages
    assert found.unknown == []
    assert message.bsuid == ANA.bsuid
    assert content in {None, message.content.kind}
    assert {name: getattr(message, name) for name in more} == more


async def test_an_album_is_several_photos_at_once(page: Client, business: Business) -> None:
    await send_rare_message(page, "album")
    assert [message["type"] for message in business.messages] == ["image"] * 3


@pytest.mark.parametrize(("person", "event"), [(ANA, "user_changed_number"), (SAM, "user_changed_user_id")])
async def test_who_changes_number_has_a_new_id_and_keeps_the_chat(
    page: Client, meta: MetaSimulator, business: Business, person: Person, event: str
) -> None:
    await page_writes(page, person=person.bsuid)
    await send_rare_message(page, "number_change", person.bsuid)
    told, update = business.values[1:]
    system = told["messages"][0]["system"]
    assert (system["type"], "contacts" in told) == (event, False)
    assert update["user_id_update"][0]["user_id"] == {"previous": person.bsuid, "current": system["user_id"]}
    state = await (await page.get("/sandbox/state")).json()
    assert person.bsuid not in state["history"]
    assert [entry["person"] for entry in state["history"][system["user_id"]]] == [system["user_id"]] * 2
    await page_writes(page, person=system["user_id"])
    assert business.messages[-1].get("from") == system.get("wa_id")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [("marketing_stop", "value", "stop"), ("marketing_resume", "value", "resume")],
)
async def test_a_choice_about_marketing_is_told(
    page: Client, business: Business, kind: str, key: str, value: str
) -> None:
    await send_rare_message(page, kind)
    [preference] = business.values[0]["user_preferences"]
    assert (preference[key], preference["user_id"]) == (value, ANA.bsuid)


async def test_a_colleagues_answer_from_the_app_is_an_echo_and_in_the_chat(
    page: Client, meta: MetaSimulator, business: Business
) -> None:
    await send_rare_message(page, "echo")
    [echo] = business.values[0]["message_echoes"]
    assert (echo["from"], echo["to"]) == (meta.display_phone_number, ANA.phone)
    assert meta.history(ANA)[-1]["direction"] == "out"


async def test_a_sticker_is_a_sticker_only_when_sent_as_one(page: Client, business: Business) -> None:
    data = b"RIFF\x00\x00\x00\x00WEBPVP8 "
    for fields in ({"as": "sticker"}, {}):
        form = aiohttp.FormData({"person": ANA.bsuid} | fields)
        form.add_field("file", io.BytesIO(data), filename="a.webp", content_type="application/octet-stream")
        assert (await page.post("/sandbox/messages", data=form)).status == 200
    assert [message["type"] for message in business.messages] == ["sticker", "image"]
    sticker = business.messages[0]["sticker"]
    assert (sticker["mime_type"], sticker["animated"]) == ("image/webp", False)


async def test_a_templates_parts_are_drawn_and_a_tap_on_its_button_names_it(
    page: Client, meta: MetaSimulator, graph: Graph, business: Business
) -> None:
    buttons = [
        {"type": "QUICK_REPLY", "text": "Later"},
        {"type": "URL", "text": "Pay", "url": "https://shop.example/{{1}}"},
    ]
    parts = [{"type": "BODY", "text": "Hi {{name}}, pay."}, {"type": "FOOTER", "text": "Shop"}]
    meta.templates.add(Template("pay", "en", "UTILITY", [*parts, {"type": "BUTTONS", "buttons": buttons}]))
    values = [
        {"type": "body", "parameters": [{"type": "text", "parameter_name": "name", "text": "Ana"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"payload": "later"}]},
        {"type": "button", "sub_type": "url", "index": 1, "parameters": [{"type": "text", "text": "i/42"}]},
    ]
    await page_writes(page)
    use = {"name": "pay", "language": {"code": "en"}, "components": values}
    status, answer = await graph.send(graph.to(ANA, type="template", template=use))
    assert status == 200, answer
    wamid = answer["messages"][0]["id"]
    shown = meta.history(ANA)[-1]["message"]["drawn"]
    assert (shown["body"], shown["footer"]) == ("Hi Ana, pay.", "Shop")
    later, pay = shown["buttons"]
    assert (later["payload"], pay["url"]) == ("later", "https://shop.example/i/42")
    tap = {"type": "button", "button": {"payload": "later", "text": "Later"}}
    body = {"person": ANA.bsuid, "message": tap, "context": wamid}
    assert (await page.post("/sandbox/messages", json=body)).status == 200
    assert business.messages[-1]["context"]["id"] == wamid


def test_the_page_offers_every_rare_message_in_both_languages() -> None:
    words, drawer = ((api._PAGE / name).read_text("utf-8") for name in ("faults_words.js", "faults.js"))
    for kind in get_args(SingleMessageKind) + get_args(ScenarioKind):
        assert words.count(f"rare_{kind}:") == 2, kind
        assert f'"{kind}"' in drawer, kind
