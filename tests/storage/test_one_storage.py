"""The storage that all processes share: a process with another one says so, and erases nothing by half."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.infra.redis import key
from bot.privacy import PersonalData
from bot.storage.files import Files, FilesLost, files_of
from bot.storage.local import LocalStorage
from sandbox.meta.simulator import Person
from tests.cli.test_contacts import person_of, personal_data_of
from tests.notifications import settled
from tests.outgoing import acquainted
from tests.paths import ROOT
from tests.processes import recado, running
from tests.world import Start, World

PDF = b"%PDF-1.7 a bill"
Lose = Callable[[Path], None]


async def kept(world: World, ana: Person, *names: str) -> tuple[str, list[str]]:
    """The conversation, and the keys of documents that were made for the person."""
    conversation = await acquainted(world, ana)
    await settled(world)
    files = files_of(world.redis, world.settings)
    return conversation, [await files.keep(conversation, name, "application/pdf", PDF) for name in names]


def below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and ".types" not in path.parts]


async def test_an_erasure_beside_another_storage_fails_names_the_file_and_erases_nothing(
    world: World, ana: Person, tmp_path: Path
) -> None:
    conversation, places = await kept(world, ana, "Factura 7.pdf")
    before = sorted([name async for name in world.redis.scan_iter(f"{key(conversation)}:*")])
    ended = await recado("contacts", "erase", "--yes", ana.bsuid, STORAGE_DIR=str(tmp_path / "elsewhere"))
    assert (ended.code, ended.out) == (1, "")
    assert places[0] in ended.err
    assert "STORAGE_DIR" in ended.err
    left = sorted([name async for name in world.redis.scan_iter(f"{key(conversation)}:*")])
    assert [name for name in before if name not in left] == []
    assert len(below(world.settings.storage.dir)) == 1
    ended = await recado("contacts", "erase", "--yes", ana.bsuid)
    assert (ended.code, ended.err) == (0, "")
    assert "1 files" in ended.out
    assert below(world.settings.storage.dir) == []


async def test_an_export_beside_another_storage_says_what_it_lacks(world: World, ana: Person, tmp_path: Path) -> None:
    _, places = await kept(world, ana, "Factura 7.pdf")
    ended = await recado("contacts", "export", ana.bsuid, STORAGE_DIR=str(tmp_path / "elsewhere"))
    assert ended.code == 1
    assert places[0] in ended.err
    assert json.loads(ended.out)["files"] == []


async def test_files_that_are_lost_for_good_hold_no_erasure_up(world: World, ana: Person) -> None:
    conversation, _ = await kept(world, ana, "1.pdf", "2.pdf")
    below(world.settings.storage.dir)[0].unlink()
    assert (await recado("contacts", "erase", "--yes", ana.bsuid)).code == 1
    ended = await recado("contacts", "erase", "--yes", ana.bsuid, "--files-lost")
    assert (ended.code, ended.err) == (0, "")
    assert "1 files" in ended.out
    assert not await world.redis.exists(key(conversation, "files"))


class Dying(LocalStorage):
    """A disk whose process dies right after the first deletion."""

    async def delete(self, prefix: str) -> None:
        await super().delete(prefix)
        raise KeyboardInterrupt


async def test_an_erasure_that_was_broken_off_goes_on(world: World, ana: Person) -> None:
    conversation, _ = await kept(world, ana, "1.pdf")
    dying = Files(world.redis, Dying(world.settings.storage.dir), link_minutes=1)
    # The files are erased by half: the folder `media` goes first, so that one of its files has to be there.
    with pytest.raises(KeyboardInterrupt):
        await dying.erase(conversation)
    await LocalStorage(world.settings.storage.dir).delete(f"made/{conversation}")
    assert (await recado("contacts", "erase", "--yes", ana.bsuid)).code == 0


async def test_of_a_person_with_several_conversations_none_is_erased_where_one_lacks_a_file(
    world: World, ana: Person, tmp_path: Path
) -> None:
    conversation, _ = await kept(world, ana, "1.pdf")
    earlier = f"c_{'0' * 20}"
    elsewhere = Files(world.redis, LocalStorage(tmp_path / "elsewhere"), link_minutes=1)
    lost = await elsewhere.keep(earlier, "2.pdf", "application/pdf", PDF)
    await world.redis.hset(key(conversation, "contact"), "earlier", earlier)  # type: ignore[misc] # redis-py's types
    found: PersonalData = personal_data_of(world)
    with pytest.raises(FilesLost, match=lost):
        await found.erase(await person_of(world, ana.bsuid))
    assert len(below(world.settings.storage.dir)) == 1


@pytest.mark.parametrize("other", [{"STORAGE_DIR": "elsewhere"}, {"MINIO_ACCESS_KEY": "k", "MINIO_SECRET_KEY": "s",
                                   "MINIO_BUCKET": "b", "MINIO_ENDPOINT": "http://127.0.0.1:9"}],
                         ids=["another folder", "a bucket"])  # fmt: skip
async def test_a_server_with_another_storage_tells_its_log_why_a_good_link_finds_nothing(
    start: Start, ana: Person, other: dict[str, str]
) -> None:
    world = await start(PUBLIC_URL="https://erp.example")
    conversation, (place,) = await kept(world, ana, "1.pdf")
    files = files_of(world.redis, world.settings)
    link = await files.link(conversation, place)
    async with running("serve", "--host", "127.0.0.1", "--port", "0", **other) as serve:
        port = (await serve.line("server_ready"))["port"]
        for good in (True, False):
            async with world.http.get(
                link.replace("https://erp.example", f"http://127.0.0.1:{port}") + ("" if good else "x")
            ) as response:
                assert response.status == 404
        line = await serve.line("file_missing")
        assert line["level"] == "error"
        assert "STORAGE_DIR" in line["fix"]
        assert sum('"file_missing"' in line for line in serve.text.splitlines()) == 1, "a wrong link is nobody's matter"
        assert conversation not in str(line)


async def test_doctor_sees_that_files_lie_elsewhere(world: World, ana: Person, tmp_path: Path) -> None:
    await kept(world, ana, "1.pdf")
    for folder, state in ((world.settings.storage.dir, "ok"), (tmp_path / "elsewhere", "wrong")):
        ended = await recado("doctor", "--format", "json", STORAGE_DIR=str(folder))
        (found,) = [entry for entry in json.loads(ended.out) if entry["integration"] == "Storage"]
        assert found["state"] == state
    assert "of 1 files that people have, 1 are not here" in found["words"]
    assert "STORAGE_DIR" in found["words"]


def test_in_compose_all_of_recado_has_one_storage() -> None:
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    ours = {name: service for name, service in services.items() if "build" in service}
    assert {"serve", "worker"} <= set(ours)
    folders = {our["environment"]["STORAGE_DIR"] for our in ours.values()}
    assert len(folders) == 1
    (folder,) = folders
    assert {mount for our in ours.values() for mount in our["volumes"] if mount.endswith(f":{folder}")} == {
        f"files:{folder}"
    }
    assert all(f"files:{folder}" in our["volumes"] for our in ours.values())
