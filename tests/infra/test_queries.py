"""Reads of several modules in one round trip."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.conversations.lease import ConversationLeases, Lease
from bot.infra.queries import Query, ask, gathered, mapping
from bot.infra.redis import answer

ONE: Query[str] = Query((("GET", "one"),), lambda found: str(found[0]))
TWO: Query[list[str]] = Query((("GET", "two"), ("GET", "one")), list)
NOTHING: Query[str] = Query((), lambda _: "nothing was asked")
HASH: Query[dict[str, str]] = Query((("HGETALL", "hash"),), lambda found: mapping(found[0]))


async def test_each_query_reads_its_own_answers(redis: Redis) -> None:
    await redis.mset({"one": "1", "two": "2"})
    assert await ask(redis, gathered(ONE, NOTHING, TWO)) == ["1", "nothing was asked", ["2", "1"]]
    assert await ask(redis, gathered(gathered(TWO, ONE), ONE)) == [[["2", "1"], "1"], "1"]


async def test_a_query_without_commands_costs_no_round_trip(redis: Redis) -> None:
    await redis.config_resetstat()
    assert await ask(redis, gathered(NOTHING, NOTHING)) == ["nothing was asked"] * 2
    assert set(await redis.info("commandstats")) <= {"cmdstat_config|resetstat", "cmdstat_info"}


async def test_a_hash_is_read_alike_from_a_pipeline_and_from_a_script(redis: Redis) -> None:
    leases, lease = ConversationLeases(redis, lease_seconds=5), Lease("c_1", "mine")
    assert await leases.take(lease)
    for fields in ({}, {"a": "1", "b": ""}):
        if fields:
            await answer(redis.hset("hash", mapping=fields))
        assert await ask(redis, HASH) == fields
        assert await leases.commit_and_ask(lease, lambda _: None, HASH) == fields
