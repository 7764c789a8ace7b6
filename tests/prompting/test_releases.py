"""Releases: immutable, current for all processes at once, deleted once no longer needed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.conversations.turn_state import releases_in_use, turn_keys
from bot.infra.redis import RedisNotReachable, cancel_and_wait
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.library import Library
from bot.prompting.linter import PromptVocabulary
from bot.prompting.release_name import name_of
from bot.prompting.releases import HISTORY, Releases, UnknownRelease
from bot.prompting.watcher import watch
from tests.processes import eventually
from tests.prompting.conftest import RIGHT, Folder

RIGHT_TEXTS = {f"{name}.md": text for name, text in RIGHT.items()}


def texts(number: int) -> dict[str, str]:
    return RIGHT_TEXTS | {"assistant.md": f"Hola {number}"}


@pytest.fixture
def releases(redis: Redis) -> Releases:
    return Releases(redis, lambda: releases_in_use(redis))


@pytest.fixture
def library(redis: Redis, where: Path) -> Library:
    return library_of(redis, where)


def library_of(redis: Redis, where: Path, *, watching: bool = False) -> Library:
    return Library(redis, where, PromptVocabulary(), in_use=lambda: releases_in_use(redis), watching=watching)


async def test_a_release_is_kept_with_who_when_and_why(releases: Releases) -> None:
    assert await releases.release(texts(1), author="rosa", note="más amable")
    name = name_of(texts(1))
    assert await releases.current() == name
    assert await releases.texts(name) == texts(1)
    (entry,) = await releases.history()
    assert (entry.release, entry.author, entry.note, entry.how) == (name, "rosa", "más amable", "release")


async def test_the_same_texts_are_released_once(releases: Releases) -> None:
    done = await asyncio.gather(*(releases.release(texts(1), author="a") for _ in range(20)))
    assert sorted(done) == [False] * 19 + [True]
    assert len(await releases.history()) == 1


async def test_going_back_without_a_name_goes_to_the_release_before(releases: Releases) -> None:
    for number in range(3):
        await releases.release(texts(number), author="a")
    assert await releases.before() == name_of(texts(1))
    await releases.roll_back(name_of(texts(1)), author="b", note="se quejaron")
    assert await releases.current() == name_of(texts(1))
    assert await releases.before() == name_of(texts(2))
    assert [entry.how for entry in await releases.history()] == ["rollback", "release", "release", "release"]


@pytest.mark.parametrize("asked", ["000000000000", "", "a", "../x"])
async def test_a_release_that_is_not_there_is_told(releases: Releases, asked: str) -> None:
    await releases.release(texts(1), author="a")
    with pytest.raises(UnknownRelease, match="recado prompts list"):
        await releases.before(asked)


async def test_a_release_is_found_by_the_beginning_of_its_name(releases: Releases) -> None:
    await releases.release(texts(1), author="a")
    assert await releases.find(name_of(texts(1))[:4]) == name_of(texts(1)) == await releases.find("current")


async def test_a_thousand_releases_leave_no_garbage_and_keep_what_is_in_use(redis: Redis, releases: Releases) -> None:
    await releases.release(texts(0), author="a")
    in_use, conversation = name_of(texts(0)), "c_00000000000000000001"
    await redis.zadd("recado:open", {conversation: 1})
    await redis.hset(turn_keys(conversation)[0], "release", in_use)  # type: ignore[misc]
    for start in range(1, 1001, 50):
        await asyncio.gather(*(releases.release(texts(number), author="a") for number in range(start, start + 50)))
    kept = [key async for key in redis.scan_iter("recado:{prompts}:release:*", count=1000)]
    assert len(kept) == HISTORY + 1
    assert await redis.scard("recado:{prompts}:all") == HISTORY + 1  # type: ignore[misc]
    assert len(await releases.history()) == HISTORY
    assert await releases.texts(in_use) == texts(0)
    await redis.delete(turn_keys(conversation)[0])
    await releases.release(texts(1001), author="a")
    assert await releases.texts(in_use) is None
    assert len([key async for key in redis.scan_iter("recado:{prompts}:*", count=1000)]) == HISTORY + 3


async def test_the_current_one_is_kept_however_often_others_came_between(releases: Releases, redis: Redis) -> None:
    for number in range(HISTORY + 5):
        await releases.release(texts(number), author="a")
        await releases.roll_back(name_of(texts(number)), author="a")
    assert await releases.texts(str(await releases.current())) == texts(HISTORY + 4)
    assert await redis.scard("recado:{prompts}:all") == HISTORY  # type: ignore[misc]


async def test_the_first_start_releases_the_folder_and_the_next_takes_what_is_released(
    folder: Folder, redis: Redis, where: Path
) -> None:
    first = folder().release().release
    assert (await library_of(redis, where).open()).release == first
    folder(assistant="Otra cosa")
    assert (await library_of(redis, where).open()).release == first
    assert len(await Releases(redis, lambda: releases_in_use(redis)).history()) == 1


async def test_where_saving_is_releasing_a_start_releases_what_was_saved_before_it(
    folder: Folder, redis: Redis, where: Path
) -> None:
    folder()
    await library_of(redis, where).open()
    second = folder(assistant="Otra cosa").release().release
    assert (await library_of(redis, where, watching=True).open()).release == second


async def test_what_was_rolled_back_stays_so_until_somebody_writes_in_the_folder(
    folder: Folder, redis: Redis, where: Path
) -> None:
    old = folder().release().release
    library = library_of(redis, where, watching=True)
    await library.open()
    watching = asyncio.create_task(watch(library))
    try:
        new = folder(assistant="Nueva").release().release
        await eventually(lambda: _is(library, new))
        await library.roll_back(None, author="a")
        (where / "assistant.md").touch()
        (where / "notas.txt").write_text("nada")
        await asyncio.sleep(0.3)
        assert (await library.now()).release == old
        again = folder(assistant="Otra").release().release
        await eventually(lambda: _is(library, again))
    finally:
        await cancel_and_wait(watching)


async def _is(library: Library, release: str) -> bool:
    return (await library.now()).release == release


async def test_a_broken_folder_stops_the_first_start_and_none_after_it(
    folder: Folder, library: Library, redis: Redis, where: Path
) -> None:
    folder(assistant="{{ nobody }}")
    with pytest.raises(PromptsWrong, match=r"assistant\.md:1:4 unknown-variable"):
        await library.open()
    good = folder(assistant="Hola").release().release
    await library.open()
    folder(assistant="{{ nobody }}")
    for watching in (False, True):
        assert (await library_of(redis, where, watching=watching).open()).release == good


async def test_without_redis_a_start_says_so_and_a_broken_folder_first(folder: Folder, where: Path) -> None:
    async with Redis.from_url("redis://127.0.0.1:9/0", retry=None) as away:
        folder()
        with pytest.raises(RedisNotReachable):
            await library_of(away, where).open()
        folder(assistant="{{ nobody }}")
        with pytest.raises(PromptsWrong):
            await library_of(away, where).open()


async def test_all_processes_have_the_new_release_at_once(folder: Folder, redis: Redis, where: Path) -> None:
    folder()
    library, other = library_of(redis, where), library_of(redis, where)
    old = await library.open()
    await other.open()
    folder(assistant="Nueva")
    await library.release(await library.check(), how="release")
    assert (await library.now()).release == (await other.now()).release != old.release
    assert (await other.at(old.release)) is not None
    await library.roll_back(None, author="a")
    assert (await other.now()).release == old.release


async def test_a_release_that_redis_has_lost_leaves_the_last_one_at_work(
    library: Library, folder: Folder, redis: Redis
) -> None:
    folder()
    there = await library.open()
    await redis.flushall()
    assert await library.now() is there
    await redis.set("recado:{prompts}:current", "000000000000")
    assert await library.now() is there
