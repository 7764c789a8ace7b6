"""Files on the local disk: stored whole, found again, erased, and never outside their folder."""

import asyncio
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.storage.factory import storage_of
from bot.storage.local import LocalStorage
from bot.storage.storage import NotStored, Storage, StorageFailed, WrongKey, segment

KEY = "media/c_1/2026-11-24/9001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def linked(folder: Path, tmp_path: Path) -> Path:
    """A secret outside, and links to it inside the folder."""
    secret = tmp_path / "outside" / "secret"
    secret.parent.mkdir()
    secret.write_bytes(b"secret")
    folder.mkdir()
    (folder / "media").symlink_to(secret.parent)
    (folder / "file").symlink_to(secret)
    return secret


def files(folder: Path) -> list[str]:
    """All files, and all folders, below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def disk(folder: Path) -> Storage:
    return LocalStorage(folder)


async def test_another_process_finds_it(disk: Storage, folder: Path) -> None:
    await disk.put(KEY, b"x", "text/plain")
    assert await LocalStorage(folder).get(KEY) == b"x"


async def test_a_prefix_erases_what_is_below_it_and_no_neighbour(disk: Storage, folder: Path) -> None:
    for key in ("media/c_1/a/1", "media/c_1/b/2", "media/c_12/a/3"):
        await disk.put(key, b"x", "text/plain")
    await disk.delete("media/c_1")
    for key in ("media/c_1/a/1", "media/c_1/b/2"):
        with pytest.raises(NotStored):
            await disk.get(key)
    assert await disk.get("media/c_12/a/3") == b"x"
    assert [path for path in files(folder) if path.endswith("c_1")] == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/.",
        ".types/a",
        "a\\..\\b",
        "a\0b",
        "a/ñ",
        "a/" + "x" * 201,
    ],
)
async def test_a_key_that_leads_elsewhere_is_refused(disk: Storage, key: str) -> None:
    with pytest.raises(WrongKey):
        await disk.put(key, b"x", "text/plain")
    with pytest.raises(WrongKey):
        await disk.get(key)
    with pytest.raises(WrongKey):
        await disk.delete(key)


async def test_a_link_is_not_followed_out_of_the_folder(disk: Storage, linked: Path) -> None:
    for key in ("media/secret", "file"):
        with pytest.raises(StorageFailed):
            await disk.get(key)
        with pytest.raises(StorageFailed):
            await disk.put(key, b"x", "text/plain")
        with pytest.raises(StorageFailed):
            await disk.delete(key)
    assert await LocalStorage(linked.parent).get("secret") == b"secret"


async def test_readers_see_a_whole_file_while_others_write_it(disk: Storage) -> None:
    sizes = {100_000, 300_000}
    await disk.put(KEY, b"x" * 100_000, "text/plain")

    async def write(size: int) -> None:
        for _ in range(10):
            await disk.put(KEY, b"x" * size, "text/plain")

    async def read() -> set[int]:
        return {len(await disk.get(KEY)) for _ in range(30)}

    async with asyncio.TaskGroup() as group:
        for size in sizes:
            group.create_task(write(size))
        seen = group.create_task(read())
    assert seen.result() <= sizes


async def test_a_folder_that_can_not_be_written_says_so(disk: Storage, folder: Path) -> None:
    await disk.put("taken", b"a file where the folder should be", "text/plain")
    with pytest.raises(StorageFailed):
        await LocalStorage(folder / "taken").put(KEY, b"x", "text/plain")


async def test_nothing_half_written_is_left_behind(disk: Storage, folder: Path) -> None:
    await disk.put("a", b"x", "text/plain")
    assert files(folder) == [".types", ".types/a", "a"]


def test_a_strange_name_becomes_a_plain_one() -> None:
    assert segment("9001") == "9001"
    assert "/" not in segment("../../etc")
    assert segment("../../etc") != segment("../etc")


async def test_the_settings_name_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STORAGE_DIR", str(tmp_path / "kept"))
    await storage_of(Settings().storage).put("a/b", b"x", "text/plain")
    assert (tmp_path / "kept" / "a" / "b").read_bytes() == b"x"
