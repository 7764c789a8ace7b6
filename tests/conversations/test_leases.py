"""Keeping a conversation while somebody works on it: always let go of, done once, and nothing is written too late."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from redis.asyncio import Redis

from bench.chaos.redis_proxy import RedisProxy
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, held, lease_key
from bot.delivery.statuses import DUE
from bot.infra import queue_admin
from bot.infra.queues import QUEUES
from bot.infra.redis import answer, key
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.outgoing import acquainted
from tests.waiting import PATIENCE
from tests.world import Start

NAME = "c_01234567890123456789"


def lose_the_next_answer(proxy: RedisProxy) -> None:
    """Break the connection after the next script has run, before its answer comes."""
    left = 1

    def cuts(request: bytes) -> bool:
        nonlocal left
        if b"EVAL" not in request or not left:
            return False
        left -= 1
        return True

    proxy.cuts = cuts


async def test_the_end_of_the_work_is_the_end_of_the_renewing_however_they_meet(through: Redis) -> None:
    # A lease that is renewed without a pause: the end comes in the middle of it.
    leases = ConversationLeases(through, lease_seconds=0.003)
    chance = random.Random(3)

    async def work(number: int) -> None:
        lease = Lease(f"{NAME}{number}", "mine")
        for _ in range(10):
            await through.set(lease_key(lease.conversation), "mine", ex=60)
            async with held(leases, lease):
                await asyncio.sleep(chance.uniform(0.001, 0.003))

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(work(number) for number in range(20)))


async def test_the_work_ends_where_the_lease_goes_to_another(redis: Redis) -> None:
    leases = ConversationLeases(redis, lease_seconds=3)
    lease = Lease(NAME, "mine")
    assert await leases.take(lease)
    with pytest.RaisesGroup(LeaseLost):
        async with held(leases, lease):
            await redis.set(lease_key(NAME), "another's")
            await asyncio.sleep(PATIENCE)


async def test_what_was_committed_before_the_connection_broke_is_done_once(proxy: RedisProxy, through: Redis) -> None:
    leases = ConversationLeases(through, lease_seconds=5)
    lease = Lease(NAME, "mine")
    assert await leases.take(lease)
    lose_the_next_answer(proxy)
    await leases.commit(lease, lambda pipeline: pipeline.rpush(key(NAME, "outbox"), "reply"))
    assert proxy.cut == 1
    assert await answer(through.lrange(key(NAME, "outbox"), 0, -1)) == ["reply"]


async def test_who_took_a_conversation_before_the_connection_broke_has_it(proxy: RedisProxy, through: Redis) -> None:
    left = [1]
    proxy.cuts = lambda request: b"SET" in request and NAME.encode() in request and bool(left) and bool(left.pop())
    assert await ConversationLeases(through, lease_seconds=5).take(Lease(NAME, "mine"))
    assert proxy.cut == 1
    assert not await ConversationLeases(through, lease_seconds=5).take(Lease(NAME, "another's"))


async def test_an_answer_of_who_lost_the_conversation_is_not_the_next_turns(start: Start, ana: Person) -> None:
    world = await start()
    taken_over = asyncio.Event()
    world.models.will(says("tarde", until=taken_over), says("a tiempo"))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "uno"}})
    async with asyncio.timeout(PATIENCE):
        while not world.models.requests:
            await asyncio.sleep(0.01)
    name = await world.redis.get(f"recado:identity:{ana.bsuid}")
    # Another worker has taken over, and has answered, while this one still waits for its model.
    await world.redis.set(lease_key(name), "another's", ex=60)
    await world.redis.delete(key(name, "turn"), key(name, "journal"), key(name, "waiting"))
    await world.redis.incr(key(name, "epoch"))
    taken_over.set()
    async with asyncio.timeout(PATIENCE):
        while await answer(world.redis.llen("bull:llm:active")):
            await asyncio.sleep(0.02)
    await world.redis.delete(lease_key(name))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "dos"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "a tiempo"


async def test_conversations_that_are_held_take_no_worker_s_place(start: Start, ana: Person) -> None:
    world = await start(workers=0)
    other = Person(phone="5215587654399", bsuid="MX.8809876543210999", name="Eva")
    async with running(world.settings, QUEUES, 2):
        busy = [await acquainted(world, person) for person in (ana, other)]
        for conversation in busy:
            await world.redis.set(lease_key(conversation), "a slow turn elsewhere", px=30_000)
            await world.redis.zadd(DUE, {conversation: time.time()})
        # Twice as long as it takes to ask for what is due.
        await asyncio.sleep(2)
        assert (await queue_admin.counts(world.redis, "llm"))["active"] == 0
        await world.redis.delete(*map(lease_key, busy))
