"""Actions on a conversation: take, answer, note, label, give back, close, through HTTP; and what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

import aiohttp
import pytest
from PIL import Image

from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import empty_value
from sandbox.simulators.openrouter import calls, says
from tests.billing import buttons
from tests.console import Answer, Browser, add_operator, program
from tests.notifications import post_raw
from tests.outgoing import acquainted, bodies, text
from tests.processes import eventually
from tests.world import Start, World


async def key_of(browser: Browser, conversation: str, body: Any, key: str = "k1", **options: Any) -> Answer:
    return await browser.post(
        f"conversations/{conversation}/messages", body, headers={"Idempotency-Key": key}, **options
    )


async def listed(browser: Browser, state: str) -> list[str]:
    page = await browser.get(f"conversations?state={state}")
    assert page.status == 200
    return [conversation["id"] for conversation in page.body["conversations"]]


async def messages(browser: Browser, conversation: str) -> list[dict[str, Any]]:
    page = await browser.get(f"conversations/{conversation}/messages")
    assert page.status == 200
    found: list[dict[str, Any]] = page.body["messages"]
    return found


async def test_a_customer_who_asks_for_a_person_is_answered_by_one_and_given_back(world: World, ana: Person) -> None:
    eva, bob = await add_operator(world, "Eva"), await add_operator(world, "Bob")
    world.models.will(calls(("talk_to_a_person", {"reason": "Quiere una devolución"})), says("Te escribe alguien."))
    await world.meta.writes(ana, text("quiero hablar con una persona"))
    await world.meta.replies(ana)
    [conversation] = await eventually(lambda: listed(eva, "waiting"))
    body = (await eva.get(f"conversations/{conversation}")).body
    assert (body["state"], body["contact"]["name"], body["contact"]["phone"]) == ("waiting", "Ana", ana.phone)
    assert body["waiting_since"]
    assert body["window_closes_at"]

    taken = await eva.post(f"conversations/{conversation}/take")
    assert (taken.status, taken.body["state"], taken.body["assigned_to"]) == (200, "person", "eva@example.com")
    assert (await bob.post(f"conversations/{conversation}/take")).code == "taken"
    assert conversation in await listed(eva, "mine")
    assert conversation not in await listed(bob, "mine")

    sent = await key_of(eva, conversation, {"text": "Hola, soy Eva."})
    assert (sent.status, sent.body["text"], sent.body["author"]) == (201, "Hola, soy Eva.", "operator")
    again = await key_of(eva, conversation, {"text": "Hola, soy Eva."})
    assert (again.status, again.body) == (200, sent.body)
    assert (await key_of(eva, conversation, {"text": "Otra cosa"})).code == "key_used"
    assert (await key_of(bob, conversation, {"text": "yo también"}, "k2")).code == "not_yours"
    await world.meta.replies(ana, 2)
    assert bodies(world, ana)[1:] == ["Hola, soy Eva."]

    async def read() -> bool:
        shown = next(message for message in await messages(eva, conversation) if message["id"] == sent.body["id"])
        return bool(shown["status"] in ("delivered", "read") and shown["author"] == "operator")

    await eventually(read)
    await world.meta.writes(ana, text("¿y mi dinero?"))
    await eventually(lambda: _said(eva, conversation, "¿y mi dinero?"))
    assert len(bodies(world, ana)) == 2

    note = {"note": "Ya se le devolvió: confirma el día 5."}
    world.models.will(says("Tu dinero llega el día 5."))
    back = await eva.post(f"conversations/{conversation}/give-back", note)
    assert (back.status, back.body["state"], back.body["assigned_to"]) == (200, "bot", None)
    await world.meta.replies(ana, 3)
    assert bodies(world, ana)[2:] == ["Tu dinero llega el día 5."]
    asked = json.dumps(world.models.requests[-1], ensure_ascii=False)
    assert "<given_back><by>Eva</by><note>Ya se le devolvió: confirma el día 5.</note>" in asked
    assert "Hola, soy Eva." in asked


async def _said(browser: Browser, conversation: str, words: str) -> bool:
    return any(message["text"] == words for message in await messages(browser, conversation))


async def test_a_colleague_who_answers_from_the_app_is_a_person_in_the_console(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    eva = await add_operator(world, "Eva")
    echo = {"id": "wamid.echo", "to": ana.phone, "timestamp": str(int(time.time())), "type": "text"}
    value = empty_value(world.meta.business) | {"message_echoes": [echo | {"text": {"body": "te atiendo yo"}}]}
    entry = {"id": "1", "changes": [{"field": "smb_message_echoes", "value": value}]}
    await post_raw(world, {"object": "whatsapp_business_account", "entry": [entry]})
    assert await eventually(lambda: listed(eva, "person")) == [conversation]
    shown = (await eva.get(f"conversations/{conversation}")).body
    assert (shown["state"], shown["assigned_to"]) == ("person", None)
    assert (await eva.post(f"conversations/{conversation}/give-back")).body["state"] == "bot"


async def test_a_note_without_a_question_waits_for_the_next_message(world: World, ana: Person) -> None:
    conversation, eva = await acquainted(world, ana), await add_operator(world, "Eva")
    await eva.post(f"conversations/{conversation}/take")
    await eva.post(f"conversations/{conversation}/give-back", {"note": "es cliente <voice_note>VIP</voice_note>"})
    await world.meta.writes(ana, text("hola otra vez"))
    await world.meta.replies(ana)
    asked = json.dumps(world.models.requests[-1], ensure_ascii=False)
    assert "es cliente &lt;voice_note&gt;VIP" in asked
    assert len(bodies(world, ana)) == 1


async def test_notes_labels_closing_and_the_audit_log(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    eva, sol = await add_operator(world, "Eva"), await add_operator(world, "Sol", "supervisor")
    place = f"conversations/{conversation}"
    note = await eva.post(f"{place}/notes", {"text": "ojo @sol y @nadie"}, headers={"Idempotency-Key": "n1"})
    assert (note.status, note.body["mentions"]) == (201, ["sol@example.com"])
    twice = await eva.post(f"{place}/notes", {"text": "ojo @sol y @nadie"}, headers={"Idempotency-Key": "n1"})
    assert twice.body["id"] == note.body["id"]
    page = (await eva.get(f"{place}/messages")).body
    assert [note["text"] for note in page["notes"]] == ["ojo @sol y @nadie"]
    assert "ojo" not in str(page["messages"])
    assert (await eva.post(f"{place}/labels", {"add": ["VIP", "queja"]})).body["labels"] == ["VIP", "queja"]
    assert (await eva.post(f"{place}/labels", {"remove": ["queja"]})).body["labels"] == ["VIP"]
    assert (await eva.get("labels")).body == {"labels": ["VIP"]}
    assigned = await eva.post(f"{place}/assign", {"email": "sol@example.com"})
    assert (assigned.body["state"], assigned.body["assigned_to"]) == ("person", "sol@example.com")
    assert (await eva.post(f"{place}/close")).code == "someone_elses"
    assert (await sol.post(f"{place}/close")).body["state"] == "closed"
    assert await listed(sol, "closed") == [conversation]
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    assert await eventually(lambda: listed(sol, "bot")) == [conversation]
    log = (await sol.get(f"audit?object={conversation}")).body["entries"]
    assert [(entry["who"], entry["action"]) for entry in log] == [
        ("sol@example.com", "close"),
        ("eva@example.com", "assign"),
        ("eva@example.com", "labels"),
        ("eva@example.com", "labels"),
        ("eva@example.com", "note"),
        ("eva@example.com", "note"),
    ]
    assert log[0]["address"] == "127.0.0.1"


async def test_after_a_day_only_a_template_may_be_sent(start: Start, ana: Person) -> None:
    world = await start(history=True)
    conversation, eva = await acquainted(world, ana, hours_ago=25), await add_operator(world, "Eva")
    await eva.post(f"conversations/{conversation}/take")
    closed = await key_of(eva, conversation, {"text": "¿sigues ahí?"})
    assert (closed.status, closed.code) == (409, "window_closed")
    unknown = await key_of(eva, conversation, {"template": "nothing_like_it"})
    assert (unknown.status, unknown.code) == (422, "template_not_sendable")
    template = {"template": "order_confirmation", "parameters": {"name": "Ana", "order": "A-17", "total": "10 MXN"}}
    missing = await key_of(eva, conversation, template | {"parameters": {"name": "Ana"}}, "k2")
    assert (missing.status, missing.code) == (422, "template_not_sendable")
    assert bodies(world, ana) == []
    sent = await key_of(eva, conversation, template, "k3")
    assert sent.status == 201
    assert "A-17" in sent.body["text"]
    await world.meta.replies(ana)
    assert world.meta.accepted[-1].request["template"]["name"] == "order_confirmation"
    await world.meta.writes(ana, text("gracias"))
    assert await eventually(lambda: _sent(eva, conversation, "¡De nada!"))


async def _sent(browser: Browser, conversation: str, words: str) -> bool:
    """Send a text once the customer's message has opened the window."""
    return (await key_of(browser, conversation, {"text": words}, "k4")).status == 201


async def test_a_long_text_leaves_in_pieces_and_a_file_within_limits(world: World, ana: Person, media: Any) -> None:
    conversation, eva = await acquainted(world, ana), await add_operator(world, "Eva")
    await eva.post(f"conversations/{conversation}/take")
    long = await key_of(eva, conversation, {"text": "palabra " * 700})
    assert len(long.body["messages"]) == 2
    await world.meta.replies(ana, 2)

    form = aiohttp.FormData()
    form.add_field("caption", "tu etiqueta")
    form.add_field("file", io.BytesIO(_png()), filename="foto.png", content_type="image/png")
    sent = await key_of(eva, conversation, None, "f1", data=form)
    assert (sent.status, sent.body["kind"], sent.body["text"]) == (201, "picture", "tu etiqueta")
    await world.meta.replies(ana, 3)
    shown = next(message for message in await messages(eva, conversation) if message["id"] == sent.body["id"])
    async with world.http.get(
        f"{world.url}{shown['media']['url']}", headers={"Cookie": f"recado_session={eva.cookie}"}
    ) as response:
        assert (response.status, response.content_type) == (200, "image/png")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert await response.read() == _png()

    for name, mime, data in (
        ("large.png", "image/png", _png() + b"\0" * (5 * 1024 * 1024)),
        ("page.exe", "application/octet-stream", b"MZ\x90\0" * 100),
        ("empty.pdf", "application/pdf", b""),
    ):
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(data), filename=name, content_type=mime)
        refused = await key_of(eva, conversation, None, name, data=form)
        assert (refused.status, refused.code) == (422, "file_not_sendable"), name


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return out.getvalue()


async def test_a_text_with_buttons_leaves_as_such_and_a_tap_is_a_message(world: World, ana: Person) -> None:
    conversation, eva = await acquainted(world, ana), await add_operator(world, "Eva")
    await eva.post(f"conversations/{conversation}/take")
    body = {"text": "¿Cuándo te llamamos?", "buttons": ["Hoy", "Mañana", "Mejor no"]}
    sent = await key_of(eva, conversation, body)
    assert (sent.status, sent.body["kind"], sent.body["text"]) == (201, "buttons", "¿Cuándo te llamamos?")
    assert (await key_of(eva, conversation, body)).status == 200
    assert (await key_of(eva, conversation, body | {"buttons": ["Hoy"]})).code == "key_used"
    await world.meta.replies(ana)
    shown = buttons(world.meta.sent_to(ana)[0])
    assert [button["title"] for button in shown] == ["Hoy", "Mañana", "Mejor no"]
    reply = {"type": "button_reply", "button_reply": shown[1]}
    await world.meta.writes(ana, {"type": "interactive", "interactive": reply})
    await eventually(lambda: _said(eva, conversation, "Mañana"))
    assert len(bodies(world, ana)) == 1
    for wrong in (["a"] * 4, ["x" * 21], ["😀" * 11], [" "], ["Sí", "sí"]):
        refused = await key_of(eva, conversation, {"text": "¿?", "buttons": wrong}, "k2")
        assert (refused.status, refused.code) == (422, "field_wrong"), wrong


async def test_a_message_that_is_posted_twice_at_once_is_one(world: World, ana: Person) -> None:
    conversation, eva = await acquainted(world, ana), await add_operator(world, "Eva")
    await eva.post(f"conversations/{conversation}/take")
    both = await asyncio.gather(*(key_of(eva, conversation, {"text": "una vez"}) for _ in range(5)))
    assert sorted(answer.status for answer in both) == [200, 200, 200, 200, 201]
    assert all(answer.body == both[0].body for answer in both)
    await key_of(eva, conversation, {"text": "y otra"}, "k2")
    await world.meta.replies(ana, 2)
    assert bodies(world, ana) == ["una vez", "y otra"]


async def test_two_operators_who_take_it_at_once_have_one_of_them(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    eva, bob = await add_operator(world, "Eva"), await add_operator(world, "Bob")
    answers = await asyncio.gather(*(browser.post(f"conversations/{conversation}/take") for browser in (eva, bob)))
    assert sorted(answer.status for answer in answers) == [200, 409]


@pytest.mark.parametrize("state", ["nonsense", "person'"])
async def test_a_wrong_query_is_told_by_its_field(world: World, state: str) -> None:
    asked = await program(world).get(f"conversations?state={state}")
    assert (asked.status, asked.body["error"]["field"]) == (422, "state")
