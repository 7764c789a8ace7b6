"""A failover that loses the last writes: what was acknowledged is there, where replicas are waited for."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from bench.chaos.redis_faults import RedisServer
from bench.chaos.redis_proxy import RedisProxy, proxy_to
from bot.cli.doctor import service
from bot.conversations.ledger import name_of
from bot.infra.redis import connect, refuse_cluster
from bot.infra.replicas import Replicas
from bot.settings import RedisSettings, Settings
from bot.whatsapp.signature import signature_of
from sandbox.meta.simulator import Person
from sandbox.ports import free_port
from sandbox.redis_server import redis_server
from sandbox.stripe import StripeSimulator
from sandbox.stripe.webhooks import signature
from tests.billing import WEBHOOK_SECRET, billing
from tests.processes import eventually, recado
from tests.world import SECRET, Start, World

pytestmark = pytest.mark.timeout(120)


@dataclass
class Pair:
    """A primary with one replica; Recado comes through `door`, and the replica gets its copy through `link`."""

    primary: RedisServer
    replica: RedisServer
    door: RedisProxy
    link: RedisProxy

    async def follow(self) -> None:
        self.link.target = self.primary.port
        await self.primary.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        await self.replica.ask("REPLICAOF", "127.0.0.1", str(self.link.port))
        await eventually(lambda: _linked(self.replica), 40)

    def cut(self) -> None:
        """From now on nothing more reaches the replica."""
        self.link.target = None
        self.link.close()

    async def fail_over(self) -> None:
        """The primary dies with what only it has; the replica takes over, and another one follows it."""
        await self.primary.kill()
        await self.replica.ask("REPLICAOF", "NO", "ONE")
        self.door.target = self.replica.port
        self.door.close()

    async def recover(self) -> None:
        """The dead one comes back as the replica of the new primary."""
        self.primary, self.replica = self.replica, self.primary
        await self.replica.start()
        await self.follow()


async def _linked(server: RedisServer) -> bool:
    async with Redis.from_url(server.url) as client:
        return bool((await client.info("replication")).get("master_link_status") == "up")


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        primary, other = (RedisServer(tmp_path / name) for name in ("one", "other"))
        for server in (primary, other):
            await server.start()
            stack.push_async_callback(server.stop)
        door = await stack.enter_async_context(proxy_to(primary.port))
        link = await stack.enter_async_context(proxy_to(primary.port))
        found = Pair(primary, other, door, link)
        await found.follow()
        yield found


def message(number: int) -> dict[str, Any]:
    told = {
        "id": f"wamid.{number}",
        "from": "5215512345678",
        "from_user_id": "MX.1",
        "timestamp": str(int(time.time())),
    }
    return {"messages": [told | {"type": "text", "text": {"body": "hola"}}]}


def status(number: int) -> dict[str, Any]:
    callback = f"c_{'0' * 20}.t_{number}.0"
    return {"statuses": [{"id": f"wamid.s{number}", "status": "sent", "biz_opaque_callback_data": callback}]}


def choice(number: int) -> dict[str, Any]:
    told = {"wa_id": f"52155000000{number:02}", "category": "marketing_messages", "value": "stop"}
    return {"user_preferences": [told | {"timestamp": int(time.time())}]}


async def by_meta(world: World, field: str, value: dict[str, Any]) -> int:
    entry = {"id": "1", "time": int(time.time()), "changes": [{"field": field, "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    headers = {"X-Hub-Signature-256": signature_of(body, SECRET)}
    async with world.http.post(f"{world.url}/webhooks/whatsapp", data=io.BytesIO(body), headers=headers) as response:
        return response.status


async def by_stripe(world: World, number: int) -> int:
    about = {"id": f"in_{number}", "object": "invoice", "customer": "cus_1"}
    event = {"id": f"evt_{number}", "type": "invoice.paid", "created": 1_795_500_000, "data": {"object": about}}
    body = json.dumps(event)
    headers = {"Stripe-Signature": signature(WEBHOOK_SECRET, body, int(time.time()))}
    data = io.BytesIO(body.encode())
    async with world.http.post(f"{world.url}/webhooks/stripe", data=data, headers=headers) as response:
        return response.status


async def told(world: World, what: str, number: int) -> int:
    match what:
        case "a message":
            return await by_meta(world, "messages", message(number))
        case "a status":
            return await by_meta(world, "messages", status(number))
        case "a choice":
            return await by_meta(world, "user_preferences", choice(number))
        case _:
            return await by_stripe(world, number)


async def knows(server: RedisServer, what: str, number: int) -> bool:
    """Whether this server has it."""
    traces = {
        "a message": ("recado:{c_*}:ledger", name_of(f"wamid.{number}")),
        "a status": (f"recado:{{c_{'0' * 20}}}:delivery:*.t_{number}.0", "wamid"),
        "a choice": (f"recado:identity:52155000000{number:02}", ""),
        "an event": (f"bull:notification:evt_{number}", "data"),
    }
    pattern, field = traces[what]
    async with Redis.from_url(server.url, decode_responses=True) as client:
        names = [name async for name in client.scan_iter(pattern)]
        if not field:
            return bool(names)
        return any([await client.hexists(name, field) for name in names])  # type: ignore[misc] # redis-py's types


@pytest.mark.parametrize(
    ("what", "wanted"),
    [("a message", "0"), ("a message", "1"), ("a status", "1"), ("a choice", "1"), ("an event", "1")],
)
async def test_what_was_acknowledged_outlives_a_failover_where_a_replica_is_waited_for(
    start: Start, stripe: StripeSimulator, pair: Pair, what: str, wanted: str
) -> None:
    world = await start(workers=0, REDIS_URL=pair.door.url, REDIS_WAIT_REPLICAS=wanted, **billing(stripe))
    assert await told(world, what, 1) == 200
    pair.cut()
    assert await told(world, what, 2) == (503 if wanted == "1" else 200)
    await pair.fail_over()
    # The fault that it is about: a 200 for what is gone. With 1 Meta and Stripe deliver it again.
    assert not await knows(pair.replica, what, 2)
    if wanted == "0":
        return
    assert await knows(pair.replica, what, 1)
    await pair.recover()
    assert await told(world, what, 3) == 503, "another Redis answers: nobody knows what it has of what came before"
    assert [await told(world, what, 2), await told(world, what, 3)] == [200, 200]
    assert await knows(pair.primary, what, 2)
    await eventually(lambda: knows(pair.replica, what, 2))


async def test_many_share_a_round_trip_and_each_hears_of_the_failure(start: Start, pair: Pair) -> None:
    world = await start(workers=0, REDIS_URL=pair.door.url, REDIS_WAIT_REPLICAS="1")
    assert set(await asyncio.gather(*(told(world, "a message", number) for number in range(20)))) == {200}
    pair.cut()
    assert set(await asyncio.gather(*(told(world, "a message", number) for number in range(20, 40)))) == {503}
    await pair.follow()
    assert set(await asyncio.gather(*(told(world, "a message", number) for number in range(40)))) == {200}


async def test_a_reply_leaves_though_a_replica_is_away(start: Start, pair: Pair, ana: Person) -> None:
    world = await start(REDIS_URL=pair.door.url, REDIS_WAIT_REPLICAS="1")
    pair.cut()
    await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    assert await world.meta.replies(ana)


async def test_without_the_setting_nothing_is_asked_of_redis(redis: Redis, redis_address: str) -> None:
    before = (await redis.info("commandstats")).get("cmdstat_wait")
    async with Redis.from_url(redis_address) as client, Replicas(client, 0).running() as replicas:
        await replicas.caught_up()
    assert (await redis.info("commandstats")).get("cmdstat_wait") == before


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[str]:
    # Its bus would have a port of its own beyond the last one.
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    async with redis_server(tmp_path / "cluster", options=options) as url:
        yield url


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_a_cluster_is_refused_at_the_start(start: Start, cluster: str, command: str) -> None:
    await start(workers=0)
    port = ("--port", "0") if command == "serve" else ()
    ended = await recado(command, *port, REDIS_URL=cluster)
    assert ended.code == 1
    assert "Redis Cluster, which Recado does not support" in ended.err
    assert "Traceback" not in ended.err


async def examined(url: str, **environment: str) -> tuple[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (environment | {"REDIS_URL": url}).items():
            patch.setenv(name, value)
        settings = Settings()
    async with aiohttp.ClientSession() as http:
        found = await service.redis(settings, http)
    return found.state, found.words


async def test_doctor_sees_a_cluster(cluster: str) -> None:
    assert await examined(cluster) == (
        "wrong", "is a Redis Cluster, which Recado does not support; use one primary, with replicas if you like",
    )  # fmt: skip


ALONE: dict[str, tuple[tuple[str, ...], dict[str, str], str, str]] = {
    "always": (("--appendfsync", "always"), {}, "ok", "each write is on the disk before it is acknowledged"),
    "every second": (("--appendfsync", "everysec"), {}, "ok", "loses the last second"),
    "when the system likes": (("--appendfsync", "no"), {}, "ok", "what its system has not written yet"),
    "no file": (("--appendonly", "no"), {}, "wrong", "set appendonly to yes"),
    "forgetful": (("--maxmemory-policy", "allkeys-lru"), {}, "wrong", "maxmemory-policy allkeys-lru"),
    "both": (("--appendonly", "no", "--maxmemory-policy", "volatile-ttl"), {}, "wrong", "noeviction; and it loses"),
    "nobody to wait for": ((), {"REDIS_WAIT_REPLICAS": "1"}, "wrong", "0 of 1 replicas"),
    "does not tell": (("--rename-command", "CONFIG", ""), {}, "ok", "its appendfsync is not told"),
}


@pytest.mark.parametrize(("options", "environment", "state", "words"), ALONE.values(), ids=ALONE)
async def test_doctor_says_what_redis_keeps(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], state: str, words: str
) -> None:
    async with redis_server(tmp_path / "redis", options=options) as url:
        found, said = await examined(url, **environment)
    assert (found, words in said) == (state, True), said


async def test_doctor_counts_the_replicas_and_knows_one_when_it_is_asked(pair: Pair) -> None:
    state, said = await examined(pair.primary.url, REDIS_WAIT_REPLICAS="1")
    assert (state, "1 replicas, 1 of them waited for" in said) == ("ok", True), said
    state, said = await examined(pair.primary.url, REDIS_WAIT_REPLICAS="2")
    assert (state, "1 of 2 replicas" in said) == ("wrong", True), said
    state, said = await examined(pair.replica.url)
    assert (state, "name the primary" in said) == ("wrong", True), said
    await pair.primary.ask("CONFIG", "SET", "appendonly", "no")
    assert (await examined(pair.primary.url))[0] == "wrong"
    assert (await examined(pair.primary.url, REDIS_WAIT_REPLICAS="1"))[0] == "ok", "a replica has it"


async def test_a_redis_that_does_not_answer_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
    async with connect(RedisSettings()) as client:
        await refuse_cluster(client)
