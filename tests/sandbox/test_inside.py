"""The page's view inside: messages without an answer, taps, messages to the model, raw exchanges; over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.infra import queues
from bot.infra.redis import connect
from bot.settings import RedisSettings, Settings
from sandbox.app import open_company
from sandbox.meta.simulator import Person
from sandbox.phone import api
from tests.waiting import at_most, next_second

pytestmark = [pytest.mark.timeout(200), pytest.mark.xdist_group("sandbox")]
ANA, LEO = api.PEOPLE[:2]
MAILS = 3
"""The payments of the demo's two customers, and an invoice."""


@dataclass
class Page:
    http: aiohttp.ClientSession
    url: str

    async def get(self, path: str) -> Any:
        async with self.http.get(f"{self.url}{path}") as response:
            assert response.status == 200, path
            return await response.json()

    async def post(self, path: str, body: Any) -> Any:
        async with self.http.post(f"{self.url}{path}", json=body) as response:
            assert response.ok, (path, await response.text())
            return await response.json()

    async def send(self, message: dict[str, Any], context: str | None = None, person: Person = ANA) -> str:
        quote = {"context": context} if context else {}
        return str((await self.post("messages", {"person": person.bsuid, "message": message} | quote))["wamid"])

    async def say(self, words: str) -> str:
        return await self.send({"type": "text", "text": {"body": words}})

    async def state(self, found: Callable[[dict[str, Any]], Any]) -> Any:
        """The first true thing that `found` sees in the page's state."""
        async with at_most():
            while not (result := found(await self.get("state"))):
                await asyncio.sleep(0.05)
        return result

    async def turn(self, wamid: str) -> dict[str, Any]:
        """The closed turn of this message, with what was sent."""

        def closed(state: dict[str, Any]) -> Any:
            return next(
                (turn for turn in state["turns"] if wamid in turn["messages"] and turn["state"] == "closed"), None
            )

        return dict(await self.state(closed))

    async def replies(self, turn: str, person: Person = ANA) -> list[dict[str, Any]]:
        history = (await self.get("state"))["history"][person.bsuid]
        return [event for event in history if event["direction"] == "out" and event["message"].get("turn") == turn]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Page]:
    async with open_company(Settings(), "127.0.0.1", 0, folder / "data") as url, aiohttp.ClientSession() as http:
        yield Page(http, url)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with opened(tmp_path) as page:
        yield page


async def test_everything_that_came_and_went_can_be_read(page: Page) -> None:
    wamid = await page.say("Hola, ¿a qué hora abren?")
    turn = await page.turn(wamid)
    [reply] = await page.replies(turn["turn"])
    assert reply["message"]["conversation"] == turn["conversation"]

    def sent(state: dict[str, Any]) -> Any:
        return next((question["requests"] for question in state["asked"] if question["turn"] == turn["turn"]), None)

    requests = await page.state(sent)
    assert [request["asked"] for request in requests] == [request["asked"] for request in turn["requests"]]
    assert requests[0]["messages"][0]["role"] == "system"
    assert "¿a qué hora abren?" in requests[0]["messages"][-1]["content"]

    exchanges = {exchange["id"]: exchange for exchange in await page.get("wire")}
    about = {
        exchange["kind"]: exchange
        for exchange in exchanges.values()
        if wamid in exchange["ids"] and exchange["request"] == ""
    }
    assert set(about) == {"webhook", "graph"}
    [webhook] = [
        exchange for exchange in exchanges.values() if wamid in exchange["ids"] and exchange["kind"] == "webhook"
    ]
    whole = await page.get(f"wire/{webhook['id']}")
    assert json.loads(whole["request"])["object"] == "whatsapp_business_account"
    assert (whole["status"], whole["about"]) == (200, ["text"])
    [call] = [
        exchange for exchange in exchanges.values() if reply["wamid"] in exchange["ids"] and exchange["kind"] == "graph"
    ]
    whole = await page.get(f"wire/{call['id']}")
    assert json.loads(whole["answer"])["messages"][0]["id"] == reply["wamid"]

    assert await page.post(f"wire/{webhook['id']}/again", {}) == {"taken": True}
    await page.turn(await page.say("gracias"))
    assert len([turn for turn in (await page.get("state"))["turns"] if wamid in turn["messages"]]) == 1


async def test_messages_without_an_answer_have_a_line(page: Page) -> None:
    wamid = await page.say("Hola")
    [reply] = await page.replies((await page.turn(wamid))["turn"])
    reaction = await page.send({"type": "reaction", "reaction": {"message_id": reply["wamid"], "emoji": "👍"}})
    words = {"type": "text", "text": {"body": "Hola a todos"}}
    edit = await page.send({"type": "edit", "edit": {"original_message_id": wamid, "message": words}})
    revoke = await page.send({"type": "revoke", "revoke": {"original_message_id": wamid}})

    def lines(state: dict[str, Any]) -> dict[str, str]:
        return {message["message"]: message["state"] for event in state["noted"] for message in event["messages"]}

    await page.state(lambda state: {reaction, edit, revoke} <= set(lines(state)))
    assert lines(await page.get("state")) == {
        reaction: "ignored: reaction, remembered",
        edit: "ignored: edit, applied",
        revoke: "ignored: revoke, applied",
    }


async def test_a_tap_shows_its_action_its_amount_and_its_key(page: Page) -> None:
    [card] = await page.replies((await page.turn(await page.say("Quiero cambiar al plan Pro")))["turn"])
    button = card["message"]["interactive"]["action"]["buttons"][0]["reply"]
    tap = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": button}}
    wamid = await page.send(tap, card["wamid"])
    [done] = (await page.turn(wamid))["taps"]
    assert (done["message"], done["verb"], done["settled"]) == (wamid, "do", True)
    assert (done["action"]["kind"], done["action"]["new"], done["action"]["currency"]) == ("plan", "Pro", "mxn")
    assert done["action"]["amount"] == 30000
    assert done["key"] == f"recado-{button['id'].partition('.')[2]}"
    events = (await page.get("stripe"))["events"]
    event = await page.get(f"stripe/events/{events[0]['id']}")
    assert (event["object"], event["type"]) == ("event", events[0]["type"])
    await page.post(f"stripe/events/{event['id']}/again", {})


async def test_a_refused_turn_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_CONTACT", "1/day")
    async with opened(tmp_path) as page:
        await page.turn(await page.say("hola"))
        refused = await page.turn(await page.say("¿hola?"))
        assert (refused["outcome"], refused["why"]) == ("refused", "too many messages")


async def test_an_invoice_is_mailed_and_told_with_a_masked_address(page: Page) -> None:
    for words, told in (
        ("Mándame mi última factura por correo", "Listo, te la mandé a a•••@example.com."),
        ("Send me my latest invoice by e-mail", "Done, I sent it to a•••@example.com."),
    ):
        turn = await page.turn(await page.say(words))
        assert turn["reply"] == [told]
    async with at_most():
        while not [mail for mail in await page.get("mails") if mail["to"] == ["ana@example.com"]]:
            await asyncio.sleep(0.05)


async def test_a_colleague_in_the_app_pauses_the_bot_and_there_is_a_way_back(page: Page) -> None:
    conversation = (await page.turn(await page.say("Hola")))["conversation"]
    await page.post("rarities", {"person": ANA.bsuid, "kind": "echo"})

    def paused(state: dict[str, Any]) -> Any:
        return next(
            (handoff for handoff in state["handoffs"] if handoff["conversation"] == conversation and handoff["on"]),
            None,
        )

    handoff = await page.state(paused)
    assert handoff["reason"] == "echo"
    assert datetime.fromisoformat(handoff["until"]) > datetime.now(UTC)
    asked = await page.turn(await page.say("¿A qué hora abren?"))
    assert asked["outcome"] == "handed_off"
    await page.post("give-back", {"conversation": conversation})
    await page.state(lambda state: not paused(state))

    # What was asked meanwhile is taken up.
    def taken_up(state: dict[str, Any]) -> Any:
        return [turn for turn in state["turns"][-1:] if turn["outcome"] == "answered" and turn["turn"] != asked["turn"]]

    [turn] = await page.state(taken_up)
    assert "Lunes a viernes" in turn["reply"][0]


async def test_another_app_s_thread_is_shown_and_can_be_taken(page: Page) -> None:
    conversation = (await page.turn(await page.say("Hola")))["conversation"]

    def elsewhere(state: dict[str, Any]) -> Any:
        return next(
            (handoff for handoff in state["handoffs"] if handoff["conversation"] == conversation and handoff["on"]),
            None,
        )

    await page.post("rarities", {"person": ANA.bsuid, "kind": "thread_taken"})
    assert (await page.state(elsewhere))["thread"] == "other"
    wamid = await page.say("¿A qué hora abren?")
    await page.state(lambda state: any(wamid in str(noted["messages"]) for noted in state["noted"]))
    await page.post("give-back", {"conversation": conversation})
    await page.state(lambda state: not elsewhere(state))
    assert (await page.turn(await page.say("¿A qué hora abren?")))["outcome"] == "answered"
    # The other app may also pass the thread, with a summary.
    await next_second()
    await page.post("rarities", {"person": ANA.bsuid, "kind": "thread_taken"})
    await page.state(elsewhere)
    await page.post("rarities", {"person": ANA.bsuid, "kind": "thread_passed"})
    await page.state(lambda state: not elsewhere(state))
    assert (await page.turn(await page.say("¿A qué hora abren?")))["outcome"] == "answered"


async def test_a_webhook_and_an_event_of_one_s_own_are_sent_signed(page: Page) -> None:
    body = await page.get(f"wire/draft?person={ANA.bsuid}&kind=text")
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    message["text"]["body"] = "¿A qué hora abren?"
    assert await page.post("wire", body) == {"taken": True}
    turn = await page.turn(message["id"])
    assert "Lunes a viernes" in turn["reply"][0]
    history = (await page.get("state"))["history"][ANA.bsuid]
    assert [entry["message"]["text"]["body"] for entry in history if entry["direction"] == "in"] == [
        "¿A qué hora abren?"
    ]
    for kind in ("status", "account", "unknown"):
        assert await page.post("wire", await page.get(f"wire/draft?person={ANA.bsuid}&kind={kind}")) == {"taken": True}

    events = (await page.get("stripe"))["events"]
    paid = await page.get(f"stripe/events/{next(event['id'] for event in events if event['type'] == 'invoice.paid')}")
    made = (await page.post("stripe/events", paid))["id"]
    assert made != paid["id"]

    async def taken() -> bool:
        return any(event["id"] == made and event["taken"] for event in (await page.get("stripe"))["events"])

    async with at_most():
        while not await taken():
            await asyncio.sleep(0.05)
    for wrong in ({"type": "no"}, {"type": "invoice.paid"}, {"type": "invoice.paid", "data": {"object": 7}}):
        async with page.http.post(f"{page.url}stripe/events", json=wrong) as response:
            assert response.status == 400


async def test_a_confirmed_product_is_in_the_catalogue(page: Page) -> None:
    assert await page.get("catalogue") == []
    sample = {"person": LEO.bsuid, "sample": "label_tv_photo.jpg"}
    turn = await page.turn((await page.post("messages", sample))["wamid"])
    card = (await page.replies(turn["turn"], LEO))[-1]
    button = card["message"]["interactive"]["action"]["buttons"][0]["reply"]
    tap = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": button}}
    [done] = (await page.turn(await page.send(tap, card["wamid"], LEO)))["taps"]
    assert (done["kind"], done["settled"]) == ("product", True)
    [product] = await page.get("catalogue")
    assert (product["version"], product["photos"], product["fields"]["price"]) == (1, 1, "1249.00")


async def test_a_restart_leaves_emails_pushes_events_and_exchanges_on_the_page(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        [card] = await page.replies((await page.turn(await page.say("Avísame en el navegador")))["turn"])
        link = card["message"]["interactive"]["action"]["parameters"]["url"]
        await page.post("push/browser", {"token": link.rpartition("/")[2]})
        async with connect(RedisSettings(url=(await page.get("state"))["facts"]["redis"]["url"])) as redis:
            push = {"contact": ANA.phone, "title": "Pago recibido", "body": "Gracias"}
            await queues.add(redis, "notification", "push", push, "push-1")
        await page.turn(await page.say("Mándame mi última factura por correo"))
        async with at_most():
            while len(await page.get("mails")) < MAILS or not (await page.get("pushes"))["pushes"]:
                await asyncio.sleep(0.05)
        listed = [await page.get("mails"), (await page.get("pushes"))["pushes"]]
        exchange = await page.get(f"wire/{(await page.get('wire'))[-1]['id']}")
        event = (await page.get("events-out"))["events"][-1]
    async with opened(tmp_path) as page:
        assert [await page.get("mails"), (await page.get("pushes"))["pushes"]] == listed
        assert await page.get(f"wire/{exchange['id']}") == exchange
        assert event in (await page.get("events-out"))["events"]
        await page.turn(await page.say("Hola"))
        numbers = [exchange["id"] for exchange in await page.get("wire")]
        assert len(numbers) == len(set(numbers))
