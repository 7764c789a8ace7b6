"""Taps and words of consent: code settles them whoever has the conversation, and tells both sides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.conversations import contacts
from bot.conversations.confirmations import ConfirmationCards
from bot.conversations.contacts import Contacts
from bot.infra.redis import key
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, says
from tests.billing import asks, buttons, stripe_of, subscriber, taps
from tests.notifications import contact_of, ends, settled
from tests.outgoing import acquainted, conversation_of, text
from tests.waiting import PATIENCE
from tests.world import Start, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANA = "MX.8801234567890123"
BAJA = text("baja")
Take = Callable[[World, str], Awaitable[None]]


async def called(world: World, conversation: str) -> None:
    await Contacts(world.redis).set_handed_off(conversation, handed_off=True)


async def written_from_the_app(world: World, conversation: str) -> None:
    pipeline = world.redis.pipeline()
    contacts.pause(pipeline, conversation, datetime.now(UTC) + timedelta(hours=1))
    await pipeline.execute()


async def both(world: World, conversation: str) -> None:
    await called(world, conversation)
    await written_from_the_app(world, conversation)


WAYS: dict[str, Take] = {"called": called, "wrote from the app": written_from_the_app, "both": both}


async def card(world: World, conversation: str, verb: str = "leave", **more: Any) -> dict[str, Any]:
    """A tap on a card of a kind that nobody performs any more: leaving it is settled, doing it has expired."""
    shown = await ConfirmationCards(world.redis, **more).ask(conversation, "gone", {}, "¿Va?", ("Sí", "No"))
    choice = next(choice for choice in shown.choices if choice.id.startswith(verb))
    reply = {"type": "button_reply", "button_reply": {"id": choice.id, "title": choice.title}}
    return {"type": "interactive", "interactive": reply}


@asynccontextmanager
async def operators(world: World) -> AsyncIterator[Callable[[], Awaitable[dict[str, Any]]]]:
    """The next event `settled` that operators' pages are told."""
    async with world.redis.pubsub(ignore_subscribe_messages=True) as stream:
        await stream.subscribe("recado:events")
        await stream.get_message(timeout=5)

        async def following() -> dict[str, Any]:
            async with asyncio.timeout(PATIENCE):
                while True:
                    found = await stream.get_message(timeout=1)
                    if found and (event := json.loads(found["data"]))["type"] == "settled":
                        return dict(event)

        yield following


async def test_a_tap_while_a_colleague_has_the_conversation_is_done_and_told_to_both(shop: World, ana: Person) -> None:
    subscription = await subscriber(shop, ana)
    (shown,) = await asks(shop, ana, "quiero el plan Pro", "change_plan", plan="pro")
    conversation = await conversation_of(shop, ana)
    await called(shop, conversation)
    asked = len(shop.models.requests)
    async with operators(shop) as following:
        told = await taps(shop, ana, buttons(shown)[0])
        event = await following()
    assert told.startswith("Listo: tu plan ahora es *Pro*.")
    assert (event["conversation"], event["told"]) == (conversation, told)
    plan = stripe_of(shop).account.get("subscription", subscription)["items"]["data"][0]["price"]
    assert plan["unit_amount"] == 49900
    assert set((await ends(shop, ANA)).values()) <= {"answered", "merged"}
    assert len(shop.models.requests) == asked, "the bot stays quiet"
    assert (await contact_of(shop, ANA)).handed_off
    assert (await taps(shop, ana, buttons(shown)[0])).startswith("Ya habías contestado")


@pytest.mark.parametrize(
    ("way", "verb", "more", "told"),
    [
        ("called", "leave", {}, "De acuerdo, no cambié nada."),
        ("wrote from the app", "do", {}, "Esa confirmación ya no vale"),
        ("both", "do", {"valid_seconds": -1}, "Esa confirmación ya no vale"),
    ],
    ids=["left", "of a kind that is gone", "expired"],
)
async def test_no_tap_is_swallowed_while_a_colleague_has_the_conversation(
    world: World, ana: Person, way: str, verb: str, more: dict[str, Any], told: str
) -> None:
    conversation = await acquainted(world, ana)
    await WAYS[way](world, conversation)
    asked = len(world.models.requests)
    await world.meta.writes(ana, await card(world, conversation, verb, **more))
    (reply,) = await world.meta.replies(ana)
    assert reply.text.startswith(told)
    await world.meta.writes(ana, text("¿sigues ahí?"))
    await settled(world)
    assert (len(world.meta.sent_to(ana)), len(world.models.requests)) == (1, asked)


@pytest.mark.parametrize(
    ("way", "word", "told"),
    [
        ("called", "¡BAJA!", "ya no te mandaremos"),
        ("wrote from the app", "alta", "volverás a recibir"),
        ("both", "stop", "ya no te mandaremos"),
    ],
)
async def test_a_word_of_consent_is_heeded_and_told_while_a_colleague_has_the_conversation(
    world: World, ana: Person, way: str, word: str, told: str
) -> None:
    conversation = await acquainted(world, ana)
    await Contacts(world.redis).choose_marketing(
        conversation, wanted=word != "alta", at=datetime.now(UTC) - timedelta(days=1)
    )
    await WAYS[way](world, conversation)
    async with operators(world) as following:
        await world.meta.writes(ana, text(word))
        (reply,) = await world.meta.replies(ana)
        assert (await following())["told"] == reply.text
    assert told in reply.text
    await settled(world)
    assert (await contact_of(world, ANA)).marketing_opt_out is (word != "alta")


async def test_of_a_burst_only_what_code_settles_is_answered(start: Start, ana: Person) -> None:
    world = await start(TURN_QUIET_SECONDS="0.4")
    conversation = await acquainted(world, ana)
    await called(world, conversation)
    before = len(world.models.requests)
    tap = await card(world, conversation)
    async with world.meta.batch():
        wamids = [await world.meta.writes(ana, message) for message in (text("oye, Marta"), tap, text("¿me oyes?"))]
    (reply,) = await world.meta.replies(ana)
    await settled(world)
    assert reply.text == "De acuerdo, no cambié nada."
    states = await ends(world, ANA)
    assert [states[wamid] for wamid in wamids] == ["handed_off", "answered", "handed_off"]
    assert len(world.models.requests) == before


async def test_a_colleague_who_writes_while_the_model_thinks_takes_no_tap_away(start: Start, ana: Person) -> None:
    world = await start(TURN_QUIET_SECONDS="0.4")
    conversation = await acquainted(world, ana)
    before = len(world.models.requests)
    world.models.will(ScriptedAnswer({"role": "assistant", "content": "Va, Ana."}, delay=2))
    tap = await card(world, conversation)
    async with world.meta.batch():
        for message in (BAJA, tap, text("¿y mañana abren?")):
            await world.meta.writes(ana, message)
    async with asyncio.timeout(PATIENCE):
        while len(world.models.requests) == before:
            await asyncio.sleep(0.02)
    await written_from_the_app(world, conversation)
    (reply,) = await world.meta.replies(ana)
    await settled(world)
    assert reply.text.startswith("Listo, ya no te mandaremos promociones.")
    assert reply.text.endswith("De acuerdo, no cambié nada.")
    assert len(world.meta.sent_to(ana)) == 1


@pytest.mark.parametrize(("message", "way"), [("tap", "called"), ("word", "called"), ("tap", None), ("word", None)])
async def test_what_code_settles_is_never_one_message_too_many(
    start: Start, ana: Person, message: str, way: str | None
) -> None:
    world = await start(RATE_LIMIT_CONTACT="1/hour")
    world.models.will(says("Hola."))
    conversation = await acquainted(world, ana)
    await world.meta.writes(ana, text("y otra"))
    await world.meta.replies(ana)
    await settled(world)
    world.meta.accepted.clear()
    if way:
        await WAYS[way](world, conversation)
    wamid = await world.meta.writes(ana, await card(world, conversation) if message == "tap" else BAJA)
    (reply,) = await world.meta.replies(ana)
    await settled(world)
    told = {"tap": "De acuerdo, no cambié nada.", "word": "Listo, ya no te mandaremos"}
    assert reply.text.startswith(told[message])
    assert (await ends(world, ANA))[wamid] == "answered"


@pytest.mark.parametrize(("message", "told"), [("tap", "Esa confirmación ya no vale"), ("word", "Listo, ya no te")])
async def test_what_comes_too_late_is_told_as_it_is(start: Start, ana: Person, message: str, told: str) -> None:
    world = await start(LATE_MESSAGE_SECONDS="3600")
    conversation = await acquainted(world, ana)
    tap = await card(world, conversation, "do", valid_seconds=-5400)
    at = datetime.now(UTC) - timedelta(hours=2)
    async with operators(world) as following:
        await world.meta.writes(ana, tap if message == "tap" else BAJA, at=at)
        (reply,) = await world.meta.replies(ana)
        assert (await following())["told"] == reply.text
    assert reply.text.startswith(told)
    await world.meta.writes(ana, text("hola"), at=at)
    await settled(world)
    assert len(world.meta.sent_to(ana)) == 1, "a text that comes so late goes to a person, as before"


async def test_a_tap_that_looks_like_one_of_ours_is_told_too(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await called(world, conversation)
    forged = {"type": "button_reply", "button_reply": {"id": f"do.{'A' * 22}", "title": "Sí"}}
    await world.meta.writes(ana, {"type": "interactive", "interactive": forged})
    (reply,) = await world.meta.replies(ana)
    assert reply.text.startswith("Esa confirmación ya no vale")
    assert not [name async for name in world.redis.scan_iter(f"{key(conversation)}:card:*")]
