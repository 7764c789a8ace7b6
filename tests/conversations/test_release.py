"""Reading and releasing with the lease in one step: done once, and no message is left without a job or the index."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bench.chaos.redis_proxy import RedisProxy
from bot.conversations.inbox import Inbox
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, epoch_key, kept_renewed, lease_key
from bot.conversations.waiting_list import OPEN, Waiting, WaitingList, waiting, waiting_key
from bot.infra.queries import Query, ask
from bot.infra.redis import answer, key
from tests.conversations.test_inbox import conversation, message, nobody
from tests.waiting import PATIENCE

NAME = "c_01234567890123456789"
WRITTEN = key(NAME, "outbox")
READ: Query[list[str]] = Query((("LRANGE", WRITTEN, 0, -1),), lambda found: list(found[0]))


def write(pipeline: Any) -> None:
    pipeline.rpush(WRITTEN, "reply")


async def taken(redis: Redis, name: str = NAME, seconds: float = 5) -> tuple[ConversationLeases, Lease]:
    leases, lease = ConversationLeases(redis, lease_seconds=seconds), Lease(name, "mine")
    assert await leases.acquire(lease)
    return leases, lease


def lose_the_first_answer(proxy: RedisProxy, redis_address: str, *meanwhile: tuple[str, ...]) -> None:
    """Lose the answer of the next script, and perform these commands before the script is asked for again."""
    asked = 0

    def cuts(request: bytes) -> bool:
        nonlocal asked
        if b"EVAL" not in request:
            return False
        asked += 1
        if asked == 2:
            with BlockingRedis.from_url(redis_address) as client:
                for command in meanwhile:
                    client.execute_command(*command)
        return asked == 1

    proxy.cuts = cuts


async def test_the_holder_gets_what_a_query_finds_and_another_does_not_get_the_lease(redis: Redis) -> None:
    leases = ConversationLeases(redis, lease_seconds=5)
    await answer(redis.rpush(WRITTEN, "before"))
    assert await leases.acquire_and_ask(Lease(NAME, "mine"), READ) == (True, ["before"])
    assert (await leases.acquire_and_ask(Lease(NAME, "another's"), READ))[0] is False


async def test_a_query_that_fails_leaves_no_lease_behind(redis: Redis) -> None:
    leases = ConversationLeases(redis, lease_seconds=60)
    await redis.set(WRITTEN, "not a list")
    with pytest.raises(ResponseError):
        await leases.acquire_and_ask(Lease(NAME, "mine"), READ)
    assert await leases.acquire(Lease(NAME, "another's"))


async def test_a_failing_query_leaves_another_holders_lease_alone(redis: Redis) -> None:
    leases, _ = await taken(redis)
    await redis.set(WRITTEN, "not a list")
    with pytest.raises(ResponseError):
        await leases.acquire_and_ask(Lease(NAME, "another's"), READ)
    assert await redis.get(lease_key(NAME)) == "mine"


async def test_a_query_reads_what_its_commit_wrote_once_though_it_is_asked_twice(
    proxy: RedisProxy, through: Redis, redis_address: str
) -> None:
    leases, lease = await taken(through)
    lose_the_first_answer(proxy, redis_address)
    assert await leases.commit_and_ask(lease, write, READ) == ["reply"]
    assert proxy.cut == 1


async def test_a_last_write_whose_answer_is_lost_is_written_and_releases_once(
    proxy: RedisProxy, through: Redis, redis_address: str
) -> None:
    leases, lease = await taken(through)
    await through.zadd(OPEN, {NAME: 7})
    lose_the_first_answer(proxy, redis_address, ("SET", lease_key(NAME), "the next holder's"))
    assert await leases.commit_and_release(lease, write, 7.0)
    assert proxy.cut == 1
    assert await answer(through.lrange(WRITTEN, 0, -1)) == ["reply"]
    assert await through.get(epoch_key(NAME)) == "1"
    assert await through.get(lease_key(NAME)) == "the next holder's"
    assert await through.zcard(OPEN) == 0


async def test_a_lease_that_ran_out_before_the_second_asking_was_not_released(
    proxy: RedisProxy, through: Redis, redis_address: str
) -> None:
    leases, lease = await taken(through)
    await through.zadd(OPEN, {NAME: 7})
    await answer(through.rpush(waiting_key(NAME), "a message"))
    lose_the_first_answer(proxy, redis_address, ("DEL", lease_key(NAME)))
    assert not await leases.commit_and_release(lease, write, 7.0)
    assert await answer(through.lrange(WRITTEN, 0, -1)) == ["reply"]
    assert await through.zcard(OPEN) == 1
    assert await through.get(epoch_key(NAME)) is None


@pytest.mark.parametrize("something", [waiting_key(NAME), key(NAME, "joining")])
async def test_a_conversation_in_which_something_waits_is_not_released(redis: Redis, something: str) -> None:
    leases, lease = await taken(redis)
    await redis.zadd(OPEN, {NAME: 7})
    await (answer(redis.sadd(something, "x")) if something.endswith("joining") else answer(redis.rpush(something, "x")))
    assert not await leases.commit_and_release(lease, write, 7.0)
    assert await answer(redis.lrange(WRITTEN, 0, -1)) == ["reply"]
    assert await redis.get(lease_key(NAME)) == "mine"
    assert await redis.zscore(OPEN, NAME) == 7


@pytest.mark.parametrize("seen", [None, 6.0])
async def test_a_conversation_listed_anew_since_it_was_read_stays_listed(redis: Redis, seen: float | None) -> None:
    leases, lease = await taken(redis)
    await redis.zadd(OPEN, {NAME: 7})
    assert await leases.commit_and_release(lease, write, seen)
    assert await redis.zscore(OPEN, NAME) == 7


async def test_who_lost_the_lease_neither_writes_nor_reads_nor_releases(redis: Redis) -> None:
    leases, lease = await taken(redis)
    await redis.set(lease_key(NAME), "another's")
    with pytest.raises(LeaseLost):
        await leases.commit_and_release(lease, write, None)
    with pytest.raises(LeaseLost):
        await leases.commit_and_ask(lease, write, READ)
    assert not await redis.exists(WRITTEN, epoch_key(NAME))
    assert await redis.get(lease_key(NAME)) == "another's"


async def test_a_block_that_released_early_goes_on_to_its_end(redis: Redis) -> None:
    leases, lease = await taken(redis, seconds=0.15)
    async with kept_renewed(leases, lease):
        assert await leases.commit_and_release(lease, write, None)
        # Several renewals come due meanwhile.
        await asyncio.sleep(0.2)
    assert not await redis.exists(lease_key(NAME))


async def test_a_released_lease_lets_nothing_out(redis: Redis) -> None:
    leases, lease = await taken(redis)
    assert await leases.commit_and_release(lease, write, None)
    with pytest.raises(LeaseLost):
        async with lease.time_limit():
            pytest.fail("the conversation may be another's")


async def test_messages_that_come_as_the_conversation_is_released_all_get_their_turn(redis: Redis) -> None:
    jobs: asyncio.Queue[str] = asyncio.Queue()
    known: set[str] = set()
    handled: list[str] = []
    chance = random.Random(5)

    def ask_for(_: str, job: str) -> None:
        # As BullMQ does with a job whose id it has: nothing.
        if job not in known:
            known.add(job)
            jobs.put_nowait(job)

    inbox, leases = Inbox(redis, ask_for), ConversationLeases(redis, lease_seconds=5)
    await inbox.accept([message(0)])
    name = await conversation(redis)

    async def work() -> None:
        while len(handled) < 300:
            lease = Lease(name, await jobs.get())
            assert await leases.acquire(lease)
            released = False
            while not released:
                waits: Waiting = await ask(redis, waiting(name))
                count = len(waits.messages)
                handled.extend(message.id for message in waits.messages)
                released = await leases.commit_and_release(lease, drops(count), waits.listed_at)

    def drops(count: int) -> Any:
        return lambda pipeline: pipeline.ltrim(waiting_key(name), count, -1)

    async def write_to_us() -> None:
        for number in range(1, 300):
            await inbox.accept([message(number)])
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.003)))

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(work(), write_to_us())
    assert handled == [f"wamid.{number}" for number in range(300)]
    assert await WaitingList(redis).count() == 0
    assert await redis.zcard(OPEN) == 0
    assert len(known) > 10


async def test_a_crash_between_storing_and_asking_leaves_the_conversation_listed(redis: Redis) -> None:
    inbox = Inbox(redis, nobody)
    await inbox.accept([message(1)])
    name = await conversation(redis)
    leases, lease = await taken(redis, name)
    waits = await ask(redis, waiting(name))
    await inbox.accept([message(2)])
    drop_first = 1
    assert not await leases.commit_and_release(
        lease, lambda pipeline: pipeline.ltrim(waiting_key(name), drop_first, -1), waits.listed_at
    )
    assert await WaitingList(redis).unfinished() == [name]
