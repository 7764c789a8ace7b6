"""Edits, revocations and reactions change the memory, quotes and files, in any order of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.conversations.memory import Memory
from bot.infra.redis import answer
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.notifications import conversation_of, ends, last_model_input, post, remembered, settled
from tests.waiting import PATIENCE
from tests.world import Start, World

ANA = "MX.8801234567890123"
ASK = ("user", "Hola, ¿tienen la impresora de tickets?")
DELETED = ("user", "(this message was deleted by its sender)")
Media = Callable[[str], bytes]


async def kept(world: World, word: str) -> list[str]:
    """Keys whose values still contain a word."""
    found = []
    async for name in world.redis.scan_iter("recado:{*"):
        match await world.redis.type(name):
            case "string":
                value: object = await world.redis.get(name)
            case "hash":
                value = await answer(world.redis.hgetall(name))
            case "list":
                value = await answer(world.redis.lrange(name, 0, -1))
            case _:
                continue
        found += [name] if word in str(value) else []
    return found


async def test_an_edit_changes_the_memory_and_quotes(world: World) -> None:
    world.models.will(says("Sí."), says("De 20 kilos."))
    await post(world, "text")
    await settled(world)
    await post(world, "edit")
    await settled(world)
    await post(world, "reply")
    await settled(world)
    assert (await remembered(world, ANA))[0] == ("user", "Hola, ¿tienen la báscula?")
    assert last_model_input(world).startswith("<replying_to><text>Hola, ¿tienen la báscula?</text></replying_to>")


async def test_the_model_reads_a_waiting_message_with_its_edit(start: Start) -> None:
    world = await start(workers=0)
    await post(world, "text")
    await post(world, "edit")
    await start(workers=1)
    await settled(world)
    assert await remembered(world, ANA) == [("user", "Hola, ¿tienen la báscula?"), (await remembered(world, ANA))[1]]


async def test_a_message_revoked_while_it_waits_never_reaches_the_model(start: Start, ana: Person) -> None:
    waiting = await start(workers=0)
    await post(waiting, "text")
    await post(waiting, "revoke")
    world = await start(workers=1)
    await settled(world)
    assert (world.models.requests, world.meta.accepted) == ([], [])
    assert sorted((await ends(world, ANA)).values()) == ["ignored: revoke, applied", "ignored: revoked"]
    assert await kept(world, "impresora") == []


@pytest.mark.parametrize(("first", "remains"), [("edit", "Hola, ¿tienen la báscula?"), ("revoke", None)])
async def test_an_edit_or_revocation_may_come_before_its_message(world: World, first: str, remains: str | None) -> None:
    world.models.will(says("Sí, la tenemos."))
    await post(world, first)
    await settled(world)
    await post(world, "text")
    await settled(world)
    assert [text for role, text in await remembered(world, ANA) if role == "user"] == ([remains] if remains else [])
    assert len(world.models.requests) == (1 if remains else 0)


async def test_a_revoked_message_is_kept_nowhere(world: World) -> None:
    world.models.will(says("Sí, la tenemos."))
    await post(world, "text")
    await settled(world)
    await post(world, "revoke")
    await settled(world)
    assert await remembered(world, ANA) == [DELETED, ("assistant", "Sí, la tenemos.")]
    assert await kept(world, "impresora") == []


@pytest.mark.xdist_group("ocr")
async def test_a_revoked_photo_is_deleted_with_its_perceived_text(world_with_vision: World, media: Media) -> None:
    photo = world_with_vision.meta.media.receive(media("photos/qrcode-1_1.jpg"), "image/jpeg").id
    await post(world_with_vision, "image", _9001=photo)
    await settled(world_with_vision)
    await post(world_with_vision, "revoke_image")
    await settled(world_with_vision)
    assert (await remembered(world_with_vision, ANA))[0] == DELETED
    assert await world_with_vision.redis.keys(f"*:{photo}") == []
    assert not [path for path in world_with_vision.settings.storage.dir.rglob("*") if path.is_file()]
    assert await kept(world_with_vision, "<codes>") == []


@pytest.mark.xdist_group("ocr")
async def test_an_edited_caption_stands_beside_the_perceived_text(world_with_vision: World, media: Media) -> None:
    await post(
        world_with_vision,
        "image",
        _9001=world_with_vision.meta.media.receive(media("photos/qrcode-1_1.jpg"), "image/jpeg").id,
    )
    await settled(world_with_vision)
    await post(world_with_vision, "edit_caption")
    await settled(world_with_vision)
    (_, text), *_ = await remembered(world_with_vision, ANA)
    assert "<codes>QR" in text
    assert text.endswith("<edited_caption><text>¿Y en azul?</text></edited_caption>")


async def test_an_edit_that_comes_during_a_model_request_is_not_lost(world: World) -> None:
    edited = asyncio.Event()
    world.models.will(says("Sí.", until=edited))
    await post(world, "text")
    async with asyncio.timeout(PATIENCE):
        while not world.models.requests:
            await asyncio.sleep(0.02)
    await post(world, "edit")
    edited.set()
    await settled(world)
    assert await remembered(world, ANA) == [("user", "Hola, ¿tienen la báscula?"), ("assistant", "Sí.")]
    assert len(world.models.requests) == 1


async def test_a_reaction_is_read_with_the_next_message_in_its_place(world: World) -> None:
    world.models.will(says("Sí."), says("¡Qué bien!"))
    await post(world, "text")
    await settled(world)
    await post(world, "reaction")
    await settled(world)
    await post(world, "referral_status")
    await settled(world)
    assert [line["content"] for line in world.models.requests[1]["messages"][1:3]] == [ASK[1], "Sí."]
    assert "(reacted 👍 to: «Hola, ¿tienen la impresora de tickets?»)" in str(world.models.requests[1]["messages"])


async def test_a_summary_of_revoked_words_is_discarded(start: Start) -> None:
    world = await start(MEMORY_MESSAGES="2")
    for name in ("text", "forwarded", "referral_status"):
        await post(world, name)
        await settled(world)
    memory = Memory(world.redis, world.settings.memory)
    conversation = await conversation_of(world, ANA)
    covered = (await memory.recall(conversation)).unsummarised
    await post(world, "revoke")
    await settled(world)
    assert not await memory.summarised(conversation, covered, "Ana buscó una impresora")
    assert (await memory.recall(conversation)).unsummarised[0].text == DELETED[1]


async def test_a_record_leaves_nothing_behind_that_cuts_the_next_turn_short(start: Start) -> None:
    world = await start(TURN_QUIET_SECONDS="0.4")
    await post(world, "reaction")
    await settled(world)
    await post(world, "text")
    await post(world, "forwarded")
    await post(world, "referral_status")
    await settled(world)
    assert len({request["messages"][1]["content"] for request in world.models.requests}) == 1
    assert sorted((await ends(world, ANA)).values()) == [
        "answered", "ignored: reaction, remembered", "merged", "merged",
    ]  # fmt: skip


async def test_a_colleagues_answer_pauses_the_bot(world: World, ana: Person) -> None:
    await post(world, "smb_message_echoes")
    await post(world, "text")
    await settled(world)
    assert (world.models.requests, world.meta.accepted) == ([], [])
    assert (await ends(world, ANA))["wamid.HBgNFIRST"] == "handed_off"


async def test_the_models_answer_is_dropped_when_a_colleague_was_faster(world: World, ana: Person) -> None:
    faster = asyncio.Event()
    world.models.will(says("tarde", until=faster))
    await post(world, "text")
    async with asyncio.timeout(PATIENCE):
        while not world.models.requests:
            await asyncio.sleep(0.02)
    await post(world, "smb_message_echoes")
    faster.set()
    await settled(world)
    assert world.meta.accepted == []
    assert ("assistant", "tarde") not in await remembered(world, ANA)


@pytest.mark.parametrize("settings", [{"ECHO_PAUSE_MINUTES": "0"}, {}])
async def test_a_colleague_who_answered_long_ago_keeps_nobody_quiet(
    start: Start, ana: Person, settings: dict[str, str]
) -> None:
    world = await start(**settings)
    await post(world, "smb_message_echoes", ago=timedelta(minutes=1 if settings else 61))
    await post(world, "text")
    await settled(world)
    assert len(world.meta.sent_to(ana)) == 1


async def test_a_conversation_that_is_given_back_ends_the_pause(world: World, ana: Person) -> None:
    await post(world, "smb_message_echoes")
    await settled(world)
    bearer = {"Authorization": "Bearer console-token"}
    conversation = await conversation_of(world, ANA)
    address = f"{world.url}/console/conversations/{conversation}/give-back"
    async with world.http.post(address, headers=bearer) as response:
        assert response.status == 200
    await post(world, "text")
    await settled(world)
    assert len(world.meta.sent_to(ana)) == 1


async def test_the_same_record_delivered_again_is_kept_once(world: World) -> None:
    await post(world, "text")
    await settled(world)
    at = datetime.now(UTC)
    await post(world, "reaction", now=at)
    await settled(world)
    await post(world, "reaction", now=at)
    # A new record gets a job at once; a known one waits for a sweep.
    await post(world, "reply")
    await settled(world)
    assert [text[:8] for _, text in await remembered(world, ANA)].count("(reacted") == 1
