"""Late messages and words of consent are settled by rules, without the model."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.notifications import contact_of, ends, post, settled
from tests.world import Start, World

ANA = "MX.8801234567890123"
FIRST = "wamid.HBgNFIRST"


async def test_a_message_of_days_ago_goes_to_a_person_and_what_comes_next_is_answered(
    world: World, ana: Person
) -> None:
    async with world.redis.pubsub(ignore_subscribe_messages=True) as stream:
        await stream.subscribe("recado:events")
        await stream.get_message(timeout=5)
        await post(world, "text", ago=timedelta(days=3))
        await settled(world)
        told = ""
        while '"handoff"' not in told:
            message = await stream.get_message(timeout=5)
            told = message["data"] if message else told
    assert "a message came 72 hours late" in told
    assert (world.models.requests, world.meta.accepted) == ([], [])
    assert (await ends(world, ANA))[FIRST] == "handed_off"
    await post(world, "referral_status")
    (reply,) = await world.meta.replies(ana)
    assert "Perdona la demora" not in reply.text


@pytest.mark.parametrize(
    ("ago", "settings", "begins"),
    [
        (timedelta(minutes=9), {}, "Sí, la tenemos."),
        (timedelta(minutes=11), {}, "Perdona la demora: tu mensaje me acaba de llegar.\n\nSí, la tenemos."),
        (timedelta(hours=23), {}, "Perdona la demora: tu mensaje me acaba de llegar.\n\nSí, la tenemos."),
        (timedelta(minutes=2), {"LATE_MESSAGE_APOLOGY_SECONDS": "60"}, "Perdona la demora"),
    ],
)
async def test_a_message_that_took_its_time_is_answered_with_an_apology(
    start: Start, ana: Person, ago: timedelta, settings: dict[str, str], begins: str
) -> None:
    world = await start(**settings)
    world.models.will(says("Sí, la tenemos."))
    await post(world, "text", ago=ago)
    (reply,) = await world.meta.replies(ana)
    assert reply.text.startswith(begins)


@pytest.mark.parametrize(
    ("word", "choice"),
    [
        ("baja", "out"),
        ("STOP", "out"),
        ("«Stop!»", "out"),
        (" alto. ", "out"),
        ("¡BAJA!", "out"),
        ("bája", "out"),
        ("stop \n.", "out"),
        ("🙏 STOP 🛑", "out"),
        ("ＳＴＯＰ", "out"),
        ("baja el precio", "none"),
        ("baja por favor", "none"),
        ("stopp", "none"),
        ("alta", "in"),
    ],
)
async def test_only_a_message_that_consists_of_the_word_alone_is_a_choice(
    world: World, ana: Person, word: str, choice: str
) -> None:
    await world.meta.writes(ana, {"type": "text", "text": {"body": word}})
    await settled(world)
    assert (await contact_of(world, ANA)).marketing_opt_out is (choice == "out")
    assert bool(world.models.requests) == (choice == "none")


def quick_reply(title: str, payload: str) -> dict[str, object]:
    return {"type": "button", "button": {"text": title, "payload": payload}}


def row(title: str, id_: str = "row-1") -> dict[str, object]:
    reply = {"id": id_, "title": title, "description": "deja de recibir promociones"}
    return {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": reply}}


def button(title: str, id_: str = "b-1") -> dict[str, object]:
    return {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": id_, "title": title}}}


@pytest.mark.parametrize(
    ("tapped", "choice"),
    [
        (quick_reply("Baja", "Baja"), "out"),
        (quick_reply("¡BAJA!", "promo-42"), "out"),
        (quick_reply("No quiero más promociones", "STOP"), "out"),
        (quick_reply("Ver la promoción", "promo-42"), "none"),
        (row("stop"), "out"),
        (button("Unsubscribe 🛑"), "out"),
        (button("Baja por favor"), "none"),
    ],
)
async def test_a_tap_is_a_choice_as_a_word_is(
    world: World, ana: Person, tapped: dict[str, object], choice: str
) -> None:
    await world.meta.writes(ana, tapped)
    await settled(world)
    assert (await contact_of(world, ANA)).marketing_opt_out is (choice == "out")
    assert bool(world.models.requests) == (choice == "none")


async def test_words_of_consent_are_settings(start: Start, ana: Person) -> None:
    world = await start(OPT_OUT_WORDS="basta ya")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¡Basta ya!"}})
    await settled(world)
    assert (await contact_of(world, ANA)).marketing_opt_out


async def test_the_later_choice_holds_whatever_comes_first(world: World) -> None:
    await post(world, "user_preferences_resume")
    await post(world, "user_preferences_stop")
    assert not (await contact_of(world, ANA)).marketing_opt_out


async def test_opting_in_again_works(world: World, ana: Person) -> None:
    await post(world, "opt_out")
    await world.meta.replies(ana, 1)
    await post(world, "opt_in")
    await world.meta.replies(ana, 2)
    assert not (await contact_of(world, ANA)).marketing_opt_out
