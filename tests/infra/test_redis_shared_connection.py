"""Tasks that share one connection: each gets its own answer or its own error, whatever happens to the others."""

# mypy: disable-error-code=no-untyped-call
# redis-py has types for some of its methods only.
from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import DataError, ReadOnlyError, ResponseError, WatchError
from redis.exceptions import TimeoutError as AnswerTimeout

from bot.infra.redis import answer, connect
from bot.settings import RedisSettings
from sandbox.redis_server import redis_server
from tests.relay import Relay
from tests.waiting import PATIENCE

_TASKS = 300


@pytest.fixture
async def client(redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    async with _client(redis_address, monkeypatch) as made:
        yield made


@asynccontextmanager
async def _client(url: str, monkeypatch: pytest.MonkeyPatch, seconds: float = 5) -> AsyncIterator[Redis]:
    monkeypatch.setenv("REDIS_URL", url)
    made = connect(RedisSettings())
    made.connection_pool.connection_kwargs["socket_timeout"] = seconds
    try:
        yield made
    finally:
        async with asyncio.timeout(PATIENCE):
            await made.aclose()
    assert not [task for task in asyncio.all_tasks() if "_SharedConnection" in repr(task.get_coro())]


async def _connections(redis: Redis) -> int:
    return len(await redis.client_list())


@pytest.fixture
async def door(redis: Redis, redis_address: str) -> AsyncIterator[tuple[Relay, str]]:
    opened = Relay(urlsplit(redis_address).port or 0)
    async with opened.open() as url:
        yield opened, url


async def _echoed(client: Redis, word: str) -> str:
    return str(await answer(client.echo(word)))


async def test_requests_of_one_round_leave_in_one_write(
    door: tuple[Relay, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, url = door
    async with _client(url, monkeypatch) as client:
        await answer(client.ping())
        relay.pieces.clear()
        words = [f"word-{number}" for number in range(100)]
        assert await asyncio.gather(*(_echoed(client, word) for word in words)) == words
        assert len(relay.pieces) == 1


async def test_many_tasks_share_one_connection(client: Redis, redis: Redis) -> None:
    before = await _connections(redis)

    async def count(number: int) -> list[object]:
        pipeline = client.pipeline(transaction=number % 2 == 0)
        pipeline.set(f"key-{number}", number)
        pipeline.get(f"key-{number}")
        pipeline.hset(f"hash-{number}", mapping={"a": number})
        pipeline.hgetall(f"hash-{number}")
        return list(await pipeline.execute())

    found = await asyncio.gather(*map(count, range(200)))
    assert found == [[True, str(number), 1, {"a": str(number)}] for number in range(200)]
    assert await _connections(redis) == before + 1


async def test_an_error_is_for_the_request_that_caused_it(client: Redis) -> None:
    await client.set("text", "abc")

    async def wrong() -> object:
        with pytest.raises(ResponseError, match="not an integer"):
            await client.incr("text")
        return None

    results = await asyncio.gather(*(wrong() if n % 3 == 0 else _echoed(client, str(n)) for n in range(60)))
    assert results == [None if n % 3 == 0 else str(n) for n in range(60)]


@pytest.mark.parametrize("transaction", [True, False])
async def test_a_pipeline_tells_of_its_errors_as_it_is_asked_to(client: Redis, transaction: bool) -> None:  # noqa: FBT001
    def filled() -> object:
        pipeline = client.pipeline(transaction=transaction)
        pipeline.set("text", "abc")
        pipeline.incr("text")
        pipeline.get("text")
        return pipeline

    done, failed, kept = await filled().execute(raise_on_error=False)  # type: ignore[attr-defined] # a pipeline
    assert (done, kept) == (True, "abc")
    assert isinstance(failed, ResponseError)
    with pytest.raises(ResponseError, match=r"Command # 2 \(INCRBY text 1\) of pipeline"):
        await filled().execute()  # type: ignore[attr-defined] # a pipeline


async def test_a_value_without_a_form_fails_alone(client: Redis) -> None:
    async def wrong(value: object) -> None:
        with pytest.raises(DataError):
            await client.set("key", value)  # type: ignore[arg-type] # what is tested

    words = [f"w{number}" for number in range(9)]
    results = await asyncio.gather(*(_echoed(client, word) for word in words), wrong(None), wrong(True), wrong({}))
    assert list(results[: len(words)]) == words


async def test_bytes_that_are_no_text_fail_alone(client: Redis) -> None:
    await client.set("binary", b"\xff\xfe")

    async def wrong() -> str:
        with pytest.raises(UnicodeDecodeError):
            await client.mget("binary", "none")
        return "failed"

    assert list(await asyncio.gather(_echoed(client, "a"), wrong(), _echoed(client, "b"))) == ["a", "failed", "b"]


async def test_a_storm_of_cancellations_leaves_each_its_own_answer(client: Redis) -> None:
    chance = random.Random(3)
    right = 0

    async def work(number: int) -> None:
        nonlocal right
        for turn in range(60):
            word = f"{number}-{turn}"
            if turn % 3 == 0:
                pipeline = client.pipeline(transaction=turn % 2 == 0)
                pipeline.echo(word)
                pipeline.echo(f"{word}!")
                assert await pipeline.execute() == [word, f"{word}!"]
            else:
                assert await _echoed(client, word) == word
            right += 1
            if turn % 7 == 0:
                await asyncio.sleep(0)

    tasks = [asyncio.create_task(work(number)) for number in range(_TASKS)]
    gone = chance.sample(tasks, _TASKS // 2)
    for task in gone:
        await asyncio.sleep(chance.choice((0, 0, 0.001)))
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
    assert [task for task in tasks if task not in gone and task.cancelled()] == []
    assert right >= _TASKS // 2 * 60


async def test_a_request_cancelled_before_it_left_is_not_done(client: Redis) -> None:
    await answer(client.ping())
    task: asyncio.Future[object] = asyncio.ensure_future(answer(client.set("key", "1")))
    asyncio.get_running_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await client.get("key") is None


async def test_a_broken_connection_is_opened_again_and_no_answer_goes_astray(
    door: tuple[Relay, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, url = door
    over = asyncio.Event()
    answered, failed, broken = 0, 0, 0

    async def work(client: Redis, number: int) -> None:
        nonlocal answered, failed
        turn = 0
        while not over.is_set():
            turn += 1
            word = f"{number}-{turn}"
            try:
                assert await _echoed(client, word) == word
                answered += 1
            except ConnectionBroken:
                failed += 1

    async def slam() -> None:
        nonlocal broken
        for _ in range(8):
            before = answered
            while answered < before + 500:
                await asyncio.sleep(0.001)
            broken += len(relay.writers)
            relay.slam()
        over.set()

    async with _client(url, monkeypatch) as client, asyncio.timeout(PATIENCE):
        await asyncio.gather(slam(), *(work(client, number) for number in range(100)))
    assert broken >= 8
    # Three breaks within one request's two repetitions are rare, and an error is the right answer to them.
    assert failed < 100


async def test_a_killed_server_ends_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as servers:
        url = await servers.enter_async_context(redis_server(tmp_path))
        async with _client(url, monkeypatch) as client, asyncio.timeout(PATIENCE):

            async def work(number: int) -> bool:
                try:
                    for turn in range(100_000):
                        assert await _echoed(client, f"{number}-{turn}") == f"{number}-{turn}"
                except ConnectionBroken:
                    return True
                return False

            tasks = [asyncio.create_task(work(number)) for number in range(100)]
            await asyncio.sleep(0.1)
            async with Redis.from_url(url) as other:
                with pytest.raises(ConnectionBroken):
                    await other.execute_command("SHUTDOWN", "NOSAVE")
            assert all(await asyncio.gather(*tasks))


async def test_a_time_out_is_not_retried_and_costs_only_who_waited_so_long(
    redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _client(redis_address, monkeypatch, seconds=0.4) as client:
        await answer(client.ping())
        await redis.client_pause(600)
        with pytest.raises(AnswerTimeout):
            await client.incr("counted")
        # It was given up, and another one asks in its place once Redis answers again.
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    assert await _echoed(client, "word") == "word"
                    break
                except AnswerTimeout:
                    pass
        # Redis forgets a request that it held back for a client that has gone.
        assert await client.get("counted") in {None, "1"}


async def test_a_late_answer_reaches_nobody_else(
    redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _client(redis_address, monkeypatch, seconds=2) as client:
        await answer(client.ping())
        # Both are under way on one connection; the second one's time begins later.
        await redis.client_pause(60_000, all=False)
        first = asyncio.ensure_future(answer(client.incrby("first", 1)))
        await asyncio.sleep(1.5)
        second = asyncio.ensure_future(answer(client.incrby("second", 2)))
        with pytest.raises(AnswerTimeout):
            await first
        await redis.client_unpause()
        assert await second == 2


async def test_a_replica_is_given_up_at_its_first_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with redis_server(tmp_path) as url, _client(url, monkeypatch) as client, Redis.from_url(url) as other:
        await answer(client.ping())
        number = await client.execute_command("CLIENT", "ID")
        await other.execute_command("REPLICAOF", "127.0.0.1", "1")
        before = {connection["id"] for connection in await other.client_list()}
        with pytest.raises(ReadOnlyError):
            await client.set("key", "1")
        pipeline = client.pipeline(transaction=False)
        pipeline.set("key", "1")
        with pytest.raises(ReadOnlyError):
            await pipeline.execute()
        await other.execute_command("REPLICAOF", "NO", "ONE")
        assert await client.set("key", "1")
        found = {connection["id"] for connection in await other.client_list()}
        assert len(found - before) == 1
        assert str(number) in found


async def test_a_command_that_blocks_holds_nobody_up(client: Redis, redis: Redis) -> None:
    waiting: asyncio.Future[object] = asyncio.ensure_future(answer(client.blpop(["list"], timeout=2 * PATIENCE)))
    async with asyncio.timeout(PATIENCE):
        while "blpop" not in {connection["cmd"] for connection in await redis.client_list()}:
            await asyncio.sleep(0.01)
        assert await _echoed(client, "word") == "word"
        await answer(client.rpush("list", "item"))
        assert await waiting == ("list", "item")


async def test_a_watched_transaction_and_a_subscription_have_their_own(client: Redis, redis: Redis) -> None:
    async with client.pipeline() as pipeline:
        await pipeline.watch("key")
        await redis.set("key", "theirs")
        pipeline.multi()
        pipeline.set("key", "ours")
        with pytest.raises(WatchError):
            await pipeline.execute()
    async with client.pubsub() as pubsub:
        await pubsub.subscribe("news")
        await client.publish("news", "word")
        async with asyncio.timeout(PATIENCE):
            while (message := await pubsub.get_message(ignore_subscribe_messages=True, timeout=1)) is None:
                pass
    assert message["data"] == "word"


async def test_scripts_are_loaded_where_they_are_missing(client: Redis) -> None:
    script = client.register_script("return ARGV[1]")
    assert await script(args=["one"]) == "one"
    await client.script_flush()
    pipeline = client.pipeline()
    await script(args=["two"], client=pipeline)
    assert await pipeline.execute() == ["two"]


async def test_a_large_request_does_not_travel_with_the_others(client: Redis, redis: Redis) -> None:
    large = "x" * 3_000_000
    before = await _connections(redis)
    await asyncio.gather(answer(client.set("large", large)), _echoed(client, "word"))
    assert await client.get("large") == large
    pipeline = client.pipeline()
    pipeline.set("large", f"{large}!")
    pipeline.strlen("large")
    assert await pipeline.execute() == [True, len(large) + 1]
    assert await _connections(redis) == before + 2


async def test_the_end_ends_what_is_under_way_and_a_later_request_connects_anew(client: Redis, redis: Redis) -> None:
    await answer(client.ping())
    await redis.client_pause(300)
    under_way = [asyncio.create_task(_echoed(client, str(number))) for number in range(50)]
    await asyncio.sleep(0.02)
    async with asyncio.timeout(PATIENCE):
        await client.aclose()
        results = await asyncio.gather(*under_way, return_exceptions=True)
    assert {type(result).__name__ for result in results} == {"ClientClosed"}
    assert await _echoed(client, "again") == "again"


async def test_the_end_stops_a_connection_that_is_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    async with server, _client(url, monkeypatch) as client:
        asked = [asyncio.create_task(_echoed(client, "word")) for _ in range(3)]
        await asyncio.sleep(0.05)
        asked[0].cancel()
        async with asyncio.timeout(PATIENCE):
            await client.aclose()
            results = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert {type(result).__name__ for result in results[1:]} == {"ClientClosed"}


async def test_another_event_loop_is_refused(client: Redis) -> None:
    await answer(client.ping())

    def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            asyncio.run(_echoed(client, "word"))

    await asyncio.to_thread(elsewhere)
    assert await _echoed(client, "word") == "word"


async def test_a_name_given_to_the_client_is_seen_by_the_server(
    redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _client(f"{redis_address}?client_name=recado-test", monkeypatch) as client:
        await answer(client.ping())
        assert "recado-test" in {connection["name"] for connection in await redis.client_list()}
