"""Memory is reserved before it is taken: first come, first served, small before large, and all of it comes back."""

import asyncio
from contextlib import suppress

import pytest

from pipelines.byte_budget import ByteBudget, ByteReservation


async def taken(budget: ByteBudget, size: int) -> "asyncio.Task[None]":
    """Take so many bytes as soon as they are free."""
    task = asyncio.ensure_future(budget.take(size))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_what_does_not_fit_waits_until_it_does() -> None:
    budget = ByteBudget(100)
    async with budget.reserved(70):
        late = await taken(budget, 50)
        assert not late.done()
    await late
    assert budget.free == 50


async def test_more_than_there_is_is_all_of_it() -> None:
    budget = ByteBudget(100)
    async with budget.reserved(10**9):
        assert budget.free == 0
    assert budget.free == 100


async def test_the_first_is_served_first_and_small_ones_pass_a_large_one() -> None:
    budget = ByteBudget(100)
    await budget.take(60)
    large, middle, small = [await taken(budget, size) for size in (90, 40, 20)]
    # A medium request that would fit stays behind the large one, because the large one would wait for ever.
    assert [task.done() for task in (large, middle, small)] == [False, False, True]
    budget.give_back(60)
    budget.give_back(20)
    await asyncio.sleep(0)
    assert [task.done() for task in (large, middle)] == [True, False]
    budget.give_back(90)
    await middle


@pytest.mark.parametrize("granted", [False, True], ids=["before its turn", "in the moment of its turn"])
async def test_whoever_gives_up_leaves_nothing_behind(*, granted: bool) -> None:
    budget = ByteBudget(100)
    await budget.take(100)
    first, second = await taken(budget, 100), await taken(budget, 100)
    if granted:
        budget.give_back(100)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    if not granted:
        budget.give_back(100)
    await second
    assert budget.free == 0


async def test_a_deadline_ends_the_wait() -> None:
    budget = ByteBudget(100)
    await budget.take(100)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await budget.take(1)
    budget.give_back(100)
    assert budget.free == 100


async def test_two_who_need_more_than_they_hold_do_not_wait_for_each_other() -> None:
    budget = ByteBudget(100)
    async with ByteReservation(budget) as first, ByteReservation(budget) as other:
        await asyncio.gather(first.grow(50), other.grow(50))

        async def grow(reservation: ByteReservation) -> None:
            await reservation.grow(100)
            reservation.release()

        await asyncio.gather(grow(first), grow(other))
        await first.grow(40)
        await first.grow(10)
        assert first.size == 40
    assert budget.free == 100
