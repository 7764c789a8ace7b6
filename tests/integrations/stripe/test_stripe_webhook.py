"""Stripe's webhook: a recent signed event is stored once before the 200, and nothing else is."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.infra import queue_admin, queues
from bot.integrations.stripe.event_kinds import JOB
from bot.integrations.stripe.signature import signed
from sandbox.stripe import StripeSimulator
from sandbox.stripe.webhooks import signature
from tests.billing import WEBHOOK_SECRET, billing
from tests.processes import eventually
from tests.rows import each
from tests.world import Start, World

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.paid",
    "created": 1_795_500_000,
    "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1"}},
}


@pytest.fixture
async def server(stripe: StripeSimulator, start: Start) -> World:
    return await start(workers=0, **billing(stripe))


async def post(
    world: World, event: Any, *, at: float | None = None, secret: str = WEBHOOK_SECRET, header: str | None = None
) -> int:
    body = event if isinstance(event, str) else json.dumps(event)
    headers = {"Stripe-Signature": signature(secret, body, int(at or time.time())) if header is None else header}
    async with world.http.post(
        f"{world.url}/webhooks/stripe", data=io.BytesIO(body.encode()), headers=headers
    ) as response:
        return response.status


async def kept(world: World) -> int:
    return (await queue_admin.counts(world.redis, "notification"))["waiting"]


async def test_a_signed_event_is_kept_once(server: World) -> None:
    assert [await post(server, EVENT) for _ in range(3)] == [200, 200, 200]
    assert await kept(server) == 1


async def test_a_repetition_in_other_bytes_is_the_same_event(server: World) -> None:
    assert await post(server, EVENT) == 200
    assert await post(server, json.dumps(EVENT, indent=4)) == 200
    assert await kept(server) == 1


@each("header", ["", "t=1", "v1=00", "t=x,v1=00", "t=²,v1=00", "nonsense", f"t={'9' * 4000},v1=aa"])
async def test_a_header_that_proves_nothing_is_400(server: World, header: str) -> None:
    assert await post(server, EVENT, header=header) == 400
    assert await kept(server) == 0


async def test_another_secret_another_body_or_another_time_is_400(server: World) -> None:
    assert await post(server, EVENT, secret="whsec_other") == 400
    assert await post(server, EVENT, at=time.time() - 301) == 400
    assert await post(server, EVENT, at=time.time() + 302) == 400
    good = signature(WEBHOOK_SECRET, json.dumps(EVENT), int(time.time()))
    assert await post(server, EVENT | {"id": "evt_2"}, header=good) == 400
    assert await kept(server) == 0
    assert await post(server, EVENT, at=time.time() - 290) == 200


async def test_both_secrets_hold_while_one_takes_over_from_the_other(stripe: StripeSimulator, start: Start) -> None:
    variables = billing(stripe) | {"STRIPE_WEBHOOK_SECRET": f"whsec_new,{WEBHOOK_SECRET}"}
    world = await start(workers=0, **variables)
    assert await post(world, EVENT) == 200
    assert await post(world, EVENT, secret="whsec_new") == 200
    assert await post(world, EVENT, secret="whsec_older") == 400


@each(
    "event",
    [
        EVENT | {"type": "customer.tax_id.created"},
        EVENT | {"data": {"object": {"id": "in_1"}}},
        EVENT | {"data": None},
        EVENT | {"id": "evt:1 2"},
        EVENT | {"created": "now"},
        [],
        {},
        "7",
        "null",
    ],
)
async def test_what_is_signed_and_of_no_use_is_200_and_left(server: World, event: Any) -> None:
    assert await post(server, event) == 200
    assert await kept(server) == 0


async def test_what_is_signed_and_no_json_is_400(server: World) -> None:
    assert await post(server, "{") == 400
    assert await post(server, "[" * 100_000) == 400


async def test_a_body_beyond_the_limit_is_413(server: World) -> None:
    assert await post(server, " " * (1024 * 1024 + 1)) == 413


async def test_without_a_secret_there_is_no_route(start: Start) -> None:
    world = await start(workers=0)
    assert await post(world, EVENT) == 404


async def test_while_redis_takes_nothing_the_answer_is_503(server: World, redis: Redis) -> None:
    await redis.config_set("maxmemory", "1")
    try:
        assert await post(server, EVENT) == 503
    finally:
        await redis.config_set("maxmemory", "0")
    assert await post(server, EVENT) == 200
    assert await kept(server) == 1


def test_the_library_signs_as_we_read() -> None:
    import stripe  # noqa: PLC0415 - half a second that only this test needs

    body, now = json.dumps(EVENT), int(time.time())
    header = stripe.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, timestamp=now)
    assert signed(body.encode(), header, ["whsec_other", WEBHOOK_SECRET], now)
    assert not signed(body.encode() + b" ", header, [WEBHOOK_SECRET], now)


async def test_with_a_secret_but_no_key_there_is_no_route_so_stripe_repeats_the_event(start: Start) -> None:
    world = await start(workers=0, STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET)
    assert await post(world, EVENT) == 404
    assert await kept(world) == 0


async def test_an_event_that_a_worker_without_the_key_gets_waits_for_one_with_it(start: Start) -> None:
    world = await start()
    job = {"id": "evt_1", "type": "invoice.paid", "object": "in_1", "customer": "cus_1", "created": 1}
    await queues.add(world.redis, "notification", JOB, job, "evt_1")

    async def waits() -> bool:
        counts = await queue_admin.counts(world.redis, "notification")
        return bool(counts["delayed"] or counts["failed"])

    await eventually(waits)
    assert await queue_admin.failed(world.redis, "notification") == []
