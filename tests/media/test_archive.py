"""Files of people are kept by contact and day and can be erased; a full disk costs nobody an answer."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.media.archive import Archive
from bot.storage.factory import storage_of
from bot.storage.file_index import NoSpace, Quota, add, received
from bot.storage.files import files_of
from bot.storage.storage import NotStored
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.notifications import last_model_input
from tests.processes import eventually
from tests.turns.test_conversation import conversation_of, settled
from tests.world import Start, World

Media = Callable[[str], bytes]


def kept(world: World) -> list[Path]:
    return [path for path in world.settings.storage.dir.glob("media/*/*/*") if path.is_file()]


async def test_a_voice_note_is_kept_below_its_contact_and_day(world: World, ana: Person, media: Media) -> None:
    world.models.will(says("Listo"))
    add_to_index = media("voice/es_hola.ogg")
    before = datetime.now(UTC).date().isoformat()
    await world.meta.sends_media(ana, "audio", add_to_index, "audio/ogg")
    await world.meta.replies(ana)
    (path,) = kept(world)
    conversation = await conversation_of(world, ana)
    assert path.parts[-4:-2] == ("media", conversation)
    assert path.parts[-2] in (before, datetime.now(UTC).date().isoformat())
    storage = storage_of(world.settings.storage)
    key = "/".join(path.parts[-4:])
    assert await storage.get(key) == add_to_index
    assert await storage.mime(key) == "audio/ogg"


async def test_a_message_that_was_taken_back_loses_its_file_and_a_contact_all_of_them(
    world: World, ana: Person, media: Media
) -> None:
    add_to_index = media("voice/es_hola.ogg")
    wamids = [await world.meta.sends_media(ana, "audio", add_to_index, "audio/ogg") for _ in range(3)]
    await settled(world)
    conversation = await conversation_of(world, ana)
    storage = storage_of(world.settings.storage)
    archive = Archive(world.redis, storage)
    gone = await world.redis.get(f"recado:{{{conversation}}}:archived:{wamids[0]}")
    await archive.erase_message(conversation, wamids[0])
    await archive.erase_message(conversation, "wamid.unknown")
    assert len(kept(world)) == 2
    with pytest.raises(NotStored):
        await storage.get(gone)
    files = files_of(world.redis, world.settings)
    assert len(await files.of(conversation)) == 2
    assert await files.erase(conversation) == 2
    assert kept(world) == []
    assert await files.of(conversation) == []


async def test_a_disk_that_can_not_be_written_costs_nobody_an_answer(
    start: Start, ana: Person, media: Media, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    world = await start(STORAGE_DIR=str(tmp_path / "taken"))
    world.models.will(says("Ya la oí"))
    await world.meta.sends_media(ana, "audio", media("voice/es_hola.ogg"), "audio/ogg")
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Ya la oí"


def noise(number: int, size: int) -> bytes:
    return b"PK\x03\x04" + bytes([number]) * (size - 4)


@pytest.mark.parametrize(
    "limits",
    [
        {"STORAGE_CONTACT_MB_DAY": "0.05"},
        {"STORAGE_CONTACT_MB": "0.05"},
        {"STORAGE_CONTACT_MB": "0.05", "STORAGE_CONTACT_MB_DAY": "0.05"},
    ],
    ids=["a day", "in all", "both"],
)
async def test_of_twenty_files_the_space_of_one_person_is_kept_and_the_rest_is_answered_all_the_same(
    start: Start, ana: Person, leo: Person, limits: dict[str, str]
) -> None:
    world = await start(**limits, RATE_LIMIT_CONTACT="100/minute")
    for number in range(20):
        await world.meta.sends_media(ana, "document", noise(number, 20_000), "application/zip")
    await settled(world)
    assert sum(path.stat().st_size for path in kept(world)) == 40_000
    (reply, *_) = world.meta.sent_to(ana)
    texts = " ".join(reply.text for reply in world.meta.sent_to(ana))
    assert "Ese tipo de archivo no lo puedo leer" in texts
    assert "no guardé tu archivo" in texts
    files = files_of(world.redis, world.settings)
    assert len(await files.of(await conversation_of(world, ana))) == 2
    # Another person has a space of their own.
    await world.meta.sends_media(leo, "document", noise(99, 20_000), "application/zip")
    (reply,) = await world.meta.replies(leo)
    assert "no guardé" not in reply.text
    assert len(kept(world)) == 3


async def test_a_file_that_is_not_kept_is_understood_and_its_person_and_the_model_know(
    start: Start, ana: Person, media: Media
) -> None:
    world = await start(STORAGE_CONTACT_MB_DAY="0.001")
    world.models.will(says("Claro, tu internet"))
    await world.meta.sends_media(ana, "audio", media("voice/es_ticket.ogg"), "audio/ogg")
    (reply,) = await world.meta.replies(ana)
    assert kept(world) == []
    assert reply.text.startswith("Claro, tu internet\n\nUn aviso: no guardé tu archivo")
    assert "<kept>no: " in last_model_input(world)
    assert "<transcript>Mi internet no funciona" in last_model_input(world)


async def test_the_same_file_again_takes_no_more_of_the_space(world: World, tmp_path: Path) -> None:
    quota = Quota(day=100, all=100)
    file = received("media/c_1/2026-11-24/1", "a", "image/png", 80)
    for _ in range(3):
        assert await add(world.redis, "c_1", file, quota) == []
    with pytest.raises(NoSpace) as full:
        await add(world.redis, "c_1", received("media/c_1/2026-11-24/2", "b", "image/png", 21), quota)
    assert full.value.why == "day"
    await add(world.redis, "c_1", file.model_copy(update={"kept": file.kept - 2 * 86400}), quota)
    with pytest.raises(NoSpace) as full:
        await add(world.redis, "c_1", received("media/c_1/2026-11-26/2", "b", "image/png", 21), quota)
    assert full.value.why == "all"
    # Files that the company made for them take none of their space.
    made = received("made/c_1/1", "c", "image/png", 5000).model_copy(update={"by": "company"})
    await add(world.redis, "c_1", made, Quota())
    await add(world.redis, "c_1", received("media/c_1/2026-11-26/3", "d", "image/png", 20), quota)


async def test_a_file_that_the_newest_pushed_out_of_the_index_is_deleted(
    world: World, ana: Person, media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.file_index._MOST", 2)
    for _ in range(3):
        await world.meta.sends_media(ana, "audio", media("voice/es_hola.ogg"), "audio/ogg")
        await settled(world)
    files = files_of(world.redis, world.settings)
    listed = {file.key for file in await files.of(await conversation_of(world, ana))}
    assert {"/".join(path.parts[-4:]) for path in kept(world)} == listed
    assert len(listed) == 2


async def test_a_file_is_deleted_when_its_time_is_over_by_whichever_worker_looks(
    start: Start, ana: Person, media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker._EXPIRE_SECONDS", 0.05)
    world = await start(STORAGE_KEEP_DAYS="30")
    for _ in range(2):
        await world.meta.sends_media(ana, "audio", media("voice/es_hola.ogg"), "audio/ogg")
        await settled(world)
    old, new = ("/".join(path.parts[-4:]) for path in sorted(kept(world)))
    await world.redis.zadd("recado:files", {old: time.time() - 31 * 86400})
    files = files_of(world.redis, world.settings)
    conversation = await conversation_of(world, ana)

    async def gone() -> bool:
        return [file.key for file in await files.of(conversation)] == [new]

    await eventually(gone)
    assert ["/".join(path.parts[-4:]) for path in kept(world)] == [new]
    assert await files.erase(conversation) == 1
    assert await world.redis.exists("recado:files") == 0


async def test_a_disk_that_is_nearly_full_is_left_to_those_who_need_it(
    world: World, ana: Person, media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.local._LEFT_FREE", 2**60)
    world.models.will(says("Ya la oí"))
    await world.meta.sends_media(ana, "audio", media("voice/es_hola.ogg"), "audio/ogg")
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Ya la oí"
    assert kept(world) == []
    assert await files_of(world.redis, world.settings).of(await conversation_of(world, ana)) == []
