"""Candidates in Redis: one at a time, ended once, and counted only while they last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.prompting.canary import Canary, CurrentRelease
from bot.prompting.canary_metrics import KEYS, TallyStore, sums_of_turn
from bot.prompting.diagnostics import Diagnostic, PromptsWrong
from bot.prompting.library import Gate, Library
from bot.prompting.linter import PromptVocabulary
from bot.prompting.prompts import Prompts
from bot.prompting.release_name import name_of
from bot.prompting.releases import HISTORY, Releases, UnknownRelease
from tests.prompting.conftest import RIGHT, Folder

TURN = sums_of_turn(failed=True, handed_over=True, cost=30, length=7)


def texts(number: int) -> dict[str, str]:
    return {f"{name}.md": text for name, text in RIGHT.items()} | {"assistant.md": f"Hola {number}"}


async def _nobody() -> Sequence[str]:
    return ()


@pytest.fixture
async def releases(redis: Redis) -> Releases:
    """With a current release."""
    made = Releases(redis, _nobody)
    await made.release(texts(0), author="a")
    return made


async def tried(releases: Releases, number: int = 1, percent: int = 10) -> Canary:
    assert await releases.start_canary(texts(number), percent=percent, author="a")
    return await releases.canary()


def library_of(redis: Redis, where: Path, *, percent: int = 0, gate: Gate | None = None) -> Library:
    return Library(redis, where, PromptVocabulary(), in_use=_nobody, watching=True, percent=percent, gate=gate)


async def test_a_candidate_leaves_the_current_release_as_it_is(releases: Releases) -> None:
    canary = await tried(releases)
    assert await releases.current_release() == CurrentRelease(name_of(texts(0)), canary)
    assert (canary.release, canary.percent) == (name_of(texts(1)), 10)
    assert await releases.find("candidate") == canary.release
    assert await releases.texts(canary.release) == texts(1)


async def test_the_same_candidate_for_the_same_share_goes_on_and_for_another_it_starts_anew(
    releases: Releases, redis: Redis
) -> None:
    first = await tried(releases)
    await TallyStore(redis).count(first, "candidate", "t", TURN)
    assert not await releases.start_canary(texts(1), percent=10, author="a")
    assert await releases.canary() == first
    second = await tried(releases, percent=20)
    assert second.since > first.since
    assert (await TallyStore(redis).read()).candidate.turns == 0
    assert await TallyStore(redis).count(first, "candidate", "u", TURN) is None


@pytest.mark.parametrize("end", ["promote", "drop", "release", "roll back", "again", "try another"])
async def test_whatever_ends_a_candidate_takes_its_counts_along(releases: Releases, redis: Redis, end: str) -> None:
    await releases.release(texts(5), author="a")
    canary, signals = await tried(releases), TallyStore(redis)
    await signals.count(canary, "candidate", "t", TURN, down=["wamid.x"])
    match end:
        case "promote":
            await releases.end_canary(canary, promote=True, author="a")
        case "drop":
            await releases.end_canary(canary, promote=False, author="a")
        case "release":
            await releases.release(texts(2), author="a")
        case "roll back":
            await releases.roll_back(name_of(texts(0)), author="a")
        case "again":
            # No contact has the candidate.
            assert await releases.release(texts(5), author="a")
        case _:
            await tried(releases, 3)
    now = await releases.current_release()
    assert await redis.exists(*KEYS) == int(end == "try another")
    assert now.current == name_of(texts({"promote": 1, "release": 2, "roll back": 0}.get(end, 5)))


async def test_a_candidate_is_ended_once_whoever_comes_first(releases: Releases) -> None:
    canary = await tried(releases)
    ends = (releases.end_canary(canary, promote=number % 2 == 0, author="a") for number in range(20))
    assert sum(await asyncio.gather(*ends)) == 1
    assert len(await releases.history()) == 3


async def test_going_back_goes_to_what_was_everybodys(releases: Releases) -> None:
    await releases.release(texts(1), author="a")
    await releases.end_canary(await tried(releases, 2), promote=False, author="a")
    assert await releases.before() == name_of(texts(0))
    await releases.end_canary(await tried(releases, 3), promote=True, author="a")
    assert await releases.before() == name_of(texts(1))


async def test_a_hundred_candidates_leave_no_garbage_and_the_current_release_and_the_last_one_stay(
    releases: Releases, redis: Redis
) -> None:
    for number in range(1, HISTORY + 10):
        await tried(releases, number)
    now = await releases.current_release()
    assert now.canary
    assert await releases.texts(str(now.current)) == texts(0)
    assert await releases.texts(now.canary.release) == texts(HISTORY + 9)
    assert await redis.scard("recado:{prompts}:all") == HISTORY + 1  # type: ignore[misc]


async def test_a_turn_is_counted_once_however_often_its_worker_says_so(releases: Releases, redis: Redis) -> None:
    canary, signals = await tried(releases), TallyStore(redis)
    for _ in range(3):
        found = await signals.count(canary, "candidate", "t", TURN, down=["wamid.x"])
    assert found == await signals.read()
    assert found
    assert (found.candidate.turns, found.candidate.errors, found.candidate.hand_overs) == (1, 1, 1)
    assert (found.candidate.cost, found.candidate.cost_squares, found.candidate.length_squares) == (30, 900, 49)
    assert (found.candidate.thumbs_down, found.current.turns) == (1, 0)
    found = await signals.count(canary, "candidate", "u", {}, up=["wamid.x"])
    assert found
    assert (found.candidate.thumbs_down, found.candidate.turns) == (0, 1)


async def test_a_turn_dearer_than_any_is_counted_to_the_millionth(releases: Releases, redis: Redis) -> None:
    canary, dear = await tried(releases), 99_999_999
    found = await TallyStore(redis).count(canary, "current", "t", TURN | {"cost": dear, "cost_squares": dear * dear})
    assert found
    assert (found.current.cost, found.current.cost_squares) == (dear, dear * dear)


async def test_without_a_candidate_it_is_told_what_to_do(releases: Releases) -> None:
    with pytest.raises(UnknownRelease, match="recado prompts release --canary"):
        await releases.find("candidate")


async def test_a_candidate_that_redis_has_lost_leaves_its_contacts_the_current_release(
    folder: Folder, redis: Redis, where: Path
) -> None:
    folder()
    library = library_of(redis, where)
    there = await library.open()
    folder(assistant="Otra")
    assert await library.release(await library.check(), how="release", percent=99) == "canary"
    canary = await library.releases.canary()
    conversation = next(name for name in map(str, range(999)) if canary.arm_of(name) == "candidate")
    assert (await library.now(conversation)).release == canary.release
    assert (await library.now()).release == there.release
    await redis.delete(f"recado:{{prompts}}:release:{canary.release}")
    other = library_of(redis, where)
    assert (await other.now(conversation)).release == there.release
    # Releasing it again brings it back.
    assert await library.release(await library.check(), how="release", percent=99) == "canary"
    assert (await other.now(conversation)).release == canary.release


async def test_a_release_that_redis_has_lost_is_brought_back_by_releasing_it_again(
    folder: Folder, redis: Redis, where: Path
) -> None:
    release = folder().release().release
    library = library_of(redis, where)
    await library.open()
    await redis.delete(f"recado:{{prompts}}:release:{release}")
    gated = library_of(redis, where, gate=_refusing)
    assert await gated.release(await gated.check(), how="release") == "release"
    assert await gated.release(await gated.check(), how="release") is None
    assert await library.releases.has_files(release)


async def test_the_first_release_is_everybodys_and_needs_no_gate(folder: Folder, redis: Redis, where: Path) -> None:
    first = folder().release().release
    library = library_of(redis, where, percent=10, gate=_refusing)
    assert (await library.open()).release == first
    assert await library.releases.current_release() == CurrentRelease(first)


async def test_where_saving_is_releasing_the_settings_share_holds_and_what_was_dropped_is_not_tried_again(
    folder: Folder, redis: Redis, where: Path
) -> None:
    current = folder().release().release
    library = library_of(redis, where, percent=10)
    await library.open()
    folder(assistant="Otra")
    await library.open()
    canary = await library.releases.canary()
    assert canary.percent == 10
    # Another start changes nothing, nor does one with another share.
    await library_of(redis, where).open()
    assert await library.releases.canary() == canary
    await library.end_canary(canary, promote=False, author="recado")
    await library.open()
    assert await library.releases.current_release() == CurrentRelease(current)
    # A release by hand starts it again; the texts of the current release end a candidate.
    assert await library.release(await library.check(), how="release", percent=20) == "canary"
    folder(assistant=RIGHT["assistant"])
    assert await library.release(await library.check(), how="watch") == "watch"
    assert await library.releases.current_release() == CurrentRelease(current)


async def _refusing(_: Prompts) -> list[Diagnostic]:
    return [Diagnostic("evals", 1, 1, "no-cases", "holds no cases")]


async def test_what_the_gate_refuses_is_not_released_and_going_back_needs_no_gate(
    folder: Folder, redis: Redis, where: Path
) -> None:
    first = folder().release().release
    library = library_of(redis, where)
    await library.open()
    second = folder(assistant="Otra").release().release
    await library.release(await library.check(), how="release")
    folder(assistant="Tercera")
    gated = library_of(redis, where, gate=_refusing)
    await gated.open()
    for percent in (0, 10):
        with pytest.raises(PromptsWrong, match="evals:1:1 no-cases holds no cases"):
            await gated.release(await gated.check(), how="release", percent=percent)
    assert await gated.releases.current_release() == CurrentRelease(second)
    assert await gated.roll_back(None, author="a") == first
