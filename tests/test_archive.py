"""What people send is kept by contact and day, can be erased, and a full disk costs nobody an answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.archive import Archive
from bot.files import files_of
from bot.sandbox.meta import Person
from bot.sandbox.openrouter import says
from bot.storage.connect import storage_of
from bot.storage.door import NotStored
from tests.test_conversation import conversation_of, settled
from tests.world import Start, World

Media = Callable[[str], bytes]


def kept(world: World) -> list[Path]:
    return [path for path in world.settings.storage.dir.glob("media/*/*/*") if path.is_file()]


async def test_a_voice_note_is_kept_below_its_contact_and_day(world: World, ana: Person, media: Media) -> None:
    world.models.will(says("Listo"))
    note = media("voice/es_hola.ogg")
    await world.meta.sends_media(ana, "audio", note, "audio/ogg")
    await world.meta.replies(ana)
    (path,) = kept(world)
    conversation = await conversation_of(world, ana)
    day = datetime.now(UTC).date().isoformat()
    assert path.parts[-4:-1] == ("media", conversation, day)
    storage = storage_of(world.settings.storage)
    key = "/".join(path.parts[-4:])
    assert await storage.get(key) == note
    assert await storage.mime(key) == "audio/ogg"


async def test_a_message_that_was_taken_back_loses_its_file_and_a_contact_all_of_them(
    world: World, ana: Person, media: Media
) -> None:
    note = media("voice/es_hola.ogg")
    wamids = [await world.meta.sends_media(ana, "audio", note, "audio/ogg") for _ in range(3)]
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
