"""Meta's refusals and their codes, one row a rule."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Clock, Graph


def text(body: Any = "Hola", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body, **more}}


def interactive(kind: str, action: Any, **more: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "?"}, "action": action, **more}}


def buttons(*replies: tuple[str, str]) -> dict[str, Any]:
    return {"buttons": [{"type": "reply", "reply": {"id": key, "title": title}} for key, title in replies]}


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": str(number), "title": f"Row {number}"} | more for number in range(count)]


def sections(*given: dict[str, Any]) -> dict[str, Any]:
    return {"button": "Options", "sections": list(given)}


def open_url(url: str, words: str = "Open") -> dict[str, Any]:
    return {"name": "cta_url", "parameters": {"display_text": words, "url": url}}


def template(*parameters: dict[str, Any], name: str = "shipping_update", language: str = "es") -> dict[str, Any]:
    components = [{"type": "body", "parameters": list(parameters)}]
    return {"type": "template", "template": {"name": name, "language": {"code": language}, "components": components}}


def named(**values: str) -> tuple[dict[str, Any], ...]:
    return tuple({"type": "text", "parameter_name": name, "text": value} for name, value in values.items())


PHOTO = "https://shop.example/a.jpg"
SECTION = {"rows": rows(1)}
CARD = {"name": {"formatted_name": "Ana B", "first_name": "Ana"}, "phones": [{"phone": "+52 1"}]}
FILLED = named(name="Ana", order="A-17", status="on its way")

ACCEPTED = {
    "text": text(),
    "text without a type": {"text": {"body": "Hola"}},
    "the longest text": text("á" * 4096, preview_url=True),
    "image": {"type": "image", "image": {"link": PHOTO, "caption": "c" * 1024}},
    "video": {"type": "video", "video": {"link": "https://shop.example/a.mp4"}},
    "audio": {"type": "audio", "audio": {"link": "https://shop.example/a.ogg", "voice": True}},
    "document": {"type": "document", "document": {"link": "https://shop.example/a.pdf", "filename": "a.pdf"}},
    "sticker": {"type": "sticker", "sticker": {"link": "https://shop.example/a.webp"}},
    "location": {"type": "location", "location": {"latitude": 19.4, "longitude": -99.1, "name": "Shop"}},
    "contacts": {"type": "contacts", "contacts": [CARD]},
    "three buttons": interactive("button", buttons(("a", "A"), ("b", "B"), ("c", "C" * 20))),
    "button with header": interactive(
        "button", buttons(("a", "A")), header={"type": "image", "image": {"link": PHOTO}}, footer={"text": "Shop"}
    ),
    "ten rows": interactive("list", sections({"title": "T", "rows": rows(10, description="d" * 72)})),
    "link": interactive("cta_url", open_url("https://shop.example/i/42")),
    "request of a location": interactive("location_request_message", {"name": "send_location"}),
    "request of a contact": interactive("contact_request", {"name": "request_contact_info"}),
    "template": template(*FILLED),
}

REFUSED: dict[str, tuple[int, Any]] = {
    "no product": (100, text() | {"messaging_product": "signal"}),
    "no body": (131008, {"type": "text"}),
    "no words": (131008, {"type": "text", "text": {}}),
    "empty words": (100, text("")),
    "blank words": (100, text(" \n ")),
    "too many words": (100, text("a" * 4097)),
    "words that are no text": (100, text(7)),
    "unknown type": (100, {"type": "poll", "poll": {}}),
    "unknown key at the top": (100, text() | {"priority": "high"}),
    "unknown key below": (100, text(markdown=True)),
    "content of another type": (100, text() | {"image": {"link": PHOTO}}),
    "no recipient": (131008, text() | {"to": None}),
    "no number": (100, text() | {"to": "Ana"}),
    "invented recipient type": (100, text() | {"recipient_type": "business_scoped_user_id"}),
    "a phone as BSUID": (100, text() | {"to": None, "recipient": "+5215512345678"}),
    "a BSUID nobody has": (131026, text() | {"to": None, "recipient": "MX.1"}),
    "itself": (131021, text() | {"to": "+525500001111"}),
    "long callback": (100, text() | {"biz_opaque_callback_data": "x" * 513}),
    "unknown quote": (131009, text() | {"context": {"message_id": "wamid.nobody"}}),
    "image without source": (131008, {"type": "image", "image": {"caption": "c"}}),
    "image with two sources": (100, {"type": "image", "image": {"link": PHOTO, "id": "1"}}),
    "image without TLS": (100, {"type": "image", "image": {"link": "http://shop.example/a.jpg"}}),
    "image of no address": (100, {"type": "image", "image": {"link": "shop"}}),
    "unknown file": (131009, {"type": "image", "image": {"id": "77"}}),
    "long caption": (100, {"type": "image", "image": {"link": PHOTO, "caption": "c" * 1025}}),
    "audio with a caption": (100, {"type": "audio", "audio": {"link": PHOTO, "caption": "c"}}),
    "latitude off the globe": (100, {"type": "location", "location": {"latitude": 91, "longitude": 0}}),
    "half a place": (131008, {"type": "location", "location": {"latitude": 1}}),
    "no contact": (100, {"type": "contacts", "contacts": []}),
    "contact with one name": (131008, {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}}]}),
    "reaction to nothing": (131009, {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}}),
    "reaction in words": (100, {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "ok"}}),
    "unknown interactive": (131009, interactive("poll", {})),
    "no button": (131009, interactive("button", buttons())),
    "four buttons": (131009, interactive("button", buttons(*((str(n), f"B{n}") for n in range(4))))),
    "long button": (131009, interactive("button", buttons(("a", "A" * 21)))),
    "long button id": (131009, interactive("button", buttons(("a" * 257, "A")))),
    "twin titles": (131009, interactive("button", buttons(("a", "A"), ("b", "A")))),
    "twin ids": (131009, interactive("button", buttons(("a", "A"), ("a", "B")))),
    "long question": (131009, interactive("button", buttons(("a", "A")), body={"text": "q" * 1025})),
    "long footer": (131009, interactive("button", buttons(("a", "A")), footer={"text": "f" * 61})),
    "no question": (131008, interactive("button", buttons(("a", "A")), body={})),
    "eleven rows": (131009, interactive("list", sections({"title": "a", "rows": rows(11)}))),
    "eleven sections": (131009, interactive("list", sections(*({"title": "a", "rows": rows(1)} for _ in range(11))))),
    "nameless sections": (131009, interactive("list", sections(SECTION, {"rows": [{"id": "x", "title": "X"}]}))),
    "twin rows": (131009, interactive("list", sections({"title": "a", "rows": rows(1) + rows(1)}))),
    "long row": (131009, interactive("list", sections({"rows": rows(1, title="t" * 25)}))),
    "long row description": (131009, interactive("list", sections({"rows": rows(1, description="d" * 73)}))),
    "long row id": (131009, interactive("list", sections({"rows": rows(1, id="i" * 201)}))),
    "long list button": (131009, interactive("list", {"button": "b" * 21, "sections": [SECTION]})),
    "list with a picture": (
        131009,
        interactive("list", sections(SECTION), header={"type": "image", "image": {"link": PHOTO}}),
    ),
    "long link words": (131009, interactive("cta_url", open_url(PHOTO, "w" * 21))),
    "link to nowhere": (131009, interactive("cta_url", open_url("javascript:alert(1)"))),
    "location request with footer": (
        100,
        interactive("location_request_message", {"name": "send_location"}, footer={"text": "f"}),
    ),
    "unknown template": (132001, template(*FILLED, name="sale")),
    "template in another language": (132001, template(*FILLED, language="es_MX")),
    "template with a value too few": (132000, template(*FILLED[:2])),
    "template by position": (132000, template(*({"type": "text", "text": "x"} for _ in range(3)))),
    "template with a line break": (132018, template(*named(name="Ana", order="A\n17", status="x"))),
    "template with an empty value": (132018, template(*named(name="Ana", order=" ", status="x"))),
    "template too long": (132005, template(*named(name="Ana", order="A-17", status="x" * 1024))),
    "not an object": (100, ["messages"]),
}


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_meta_takes_is_accepted(graph: Graph, ana: Person, ana_wrote: str, content: dict[str, Any]) -> None:
    status, answer = await graph.send(graph.to(ana, **content))
    assert status == 200, answer
    assert answer["contacts"] == [{"input": "+5215512345678", "wa_id": "5215512345678"}]
    assert answer["messages"][0]["id"].startswith("wamid.")


@pytest.mark.parametrize(("code", "content"), REFUSED.values(), ids=REFUSED)
async def test_what_meta_refuses_is_refused(graph: Graph, ana: Person, ana_wrote: str, code: int, content: Any) -> None:
    message = graph.to(ana, **content) if isinstance(content, dict) else content
    status, answer = await graph.send(message)
    assert answer["error"]["code"] == code, answer
    assert status == (404 if code == 132001 else 400)
    assert {"message", "type", "error_data", "fbtrace_id"} <= set(answer["error"])
    assert graph.meta.accepted == []


async def test_a_body_that_is_no_json_is_refused(graph: Graph, meta: MetaSimulator) -> None:
    url = f"{graph.base}/v26.0/{meta.phone_number_id}/messages"
    async with graph.http.post(url, data=b"to=+52&type=text") as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == 100


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer wrong"}, {"Authorization": ""}], ids=["wrong", "none"])
async def test_a_wrong_token_is_refused(graph: Graph, meta: MetaSimulator, headers: dict[str, str]) -> None:
    url = f"{graph.base}/v26.0/{meta.phone_number_id}/messages"
    async with graph.http.post(url, json={}, headers=headers) as response:
        assert response.status == 401
        assert (await response.json())["error"]["code"] == 190


async def test_another_number_is_not_visible(graph: Graph, ana: Person, ana_wrote: str) -> None:
    status, answer = await graph.send(graph.to(ana, **text()), number="999")
    assert (status, answer["error"]["code"]) == (400, 33)


async def test_a_message_to_a_stranger_needs_a_template(graph: Graph, meta: MetaSimulator) -> None:
    stranger = {"messaging_product": "whatsapp", "to": "+4930123456"}
    status, answer = await graph.send(stranger | text())
    assert (status, answer["error"]["code"]) == (400, 131047)
    status, answer = await graph.send(stranger | template(*FILLED))
    assert (status, answer["messages"][0]["message_status"]) == (200, "accepted")
    assert [sent.type for sent in meta.accepted] == ["template"]


async def test_the_window_closes_a_day_after_the_last_word(
    graph: Graph, clock: Clock, ana: Person, ana_wrote: str
) -> None:
    clock.forward(hours=23, minutes=59)
    assert (await graph.send(graph.to(ana, **text())))[0] == 200
    clock.forward(minutes=1)
    status, answer = await graph.send(graph.to(ana, **text()))
    assert (status, answer["error"]["code"]) == (400, 131047)
    assert (await graph.send(graph.to(ana, **template(*FILLED))))[0] == 200


async def test_a_late_message_does_not_open_the_window(
    graph: Graph, meta: MetaSimulator, clock: Clock, ana: Person
) -> None:
    await meta.writes(ana, {"type": "text", "text": {"body": "Hola"}}, at=clock() - timedelta(days=3))
    status, answer = await graph.send(graph.to(ana, **text()))
    assert (status, answer["error"]["code"]) == (400, 131047)


async def test_a_paused_and_an_unreviewed_template_are_not_sent(graph: Graph, meta: MetaSimulator, ana: Person) -> None:
    found = meta.templates.find(name="shipping_update")[0]
    for state, code in (("PAUSED", 132015), ("DISABLED", 132016), ("PENDING", 132001)):
        found.status = state
        assert (await graph.send(graph.to(ana, **template(*FILLED))))[1]["error"]["code"] == code


async def test_a_code_by_template_does_not_go_to_a_bsuid(graph: Graph, meta: MetaSimulator, sam: Person) -> None:
    await meta.writes(sam, {"type": "text", "text": {"body": "Hi"}})
    for found in meta.templates.find(name="shipping_update"):
        found.category = "AUTHENTICATION"
    assert (await graph.send(graph.to(sam, **template(*FILLED))))[1]["error"]["code"] == 131062


async def test_a_bsuid_in_to_is_accepted_and_never_delivered(
    graph: Graph, meta: MetaSimulator, sam: Person, ana_wrote: str
) -> None:
    await meta.writes(sam, {"type": "text", "text": {"body": "Hi"}})
    status, answer = await graph.send({"messaging_product": "whatsapp", "to": sam.bsuid} | text())
    await meta.idle()
    assert (status, answer["messages"][0]["id"]) == (200, meta.accepted[0].wamid)
    assert [event["direction"] for event in meta.history(sam)] == ["in"]


async def test_one_person_is_not_written_to_too_often(graph: Graph, clock: Clock, ana: Person, ana_wrote: str) -> None:
    answers = [await graph.send(graph.to(ana, **text())) for _ in range(46)]
    assert [status for status, _ in answers] == [200] * 45 + [400]
    assert answers[-1][1]["error"]["code"] == 131056
    clock.forward(seconds=6)
    assert [(await graph.send(graph.to(ana, **text())))[0] for _ in range(2)] == [200, 400]


async def test_a_number_has_a_limit_of_messages_a_second(graph: Graph, meta: MetaSimulator, clock: Clock) -> None:
    message = template(*FILLED) | {"messaging_product": "whatsapp"}
    statuses = [(await graph.send(message | {"to": f"+49301234{n:03}"}))[0] for n in range(81)]
    assert statuses == [200] * 80 + [400]
    clock.forward(seconds=1)
    assert (await graph.send(message | {"to": "+49301234999"}))[0] == 200


@pytest.mark.parametrize(
    ("mark", "code"),
    [
        ({"status": "read"}, 131008),
        ({"status": "delivered", "message_id": "wamid.x"}, 100),
        ({"status": "read", "message_id": "wamid.x"}, 131009),
        ({"status": "read", "message_id": "wamid.x", "typing_indicator": {"type": "audio"}}, 100),
        ({"status": "read", "message_id": "wamid.x", "to": "+52"}, 100),
    ],
)
async def test_a_wrong_read_mark_is_refused(graph: Graph, mark: dict[str, Any], code: int) -> None:
    status, answer = await graph.send({"messaging_product": "whatsapp"} | mark)
    assert (status, answer["error"]["code"]) == (400, code)
