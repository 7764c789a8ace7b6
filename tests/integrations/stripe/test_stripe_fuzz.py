"""Random bodies and headers for Stripe's webhook: the answer is 200 or 400, and a good event is stored."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import time
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.infra import queue_admin
from bot.infra.redis import answer
from bot.integrations.stripe.event_kinds import ACTED_ON
from sandbox.stripe import StripeSimulator
from tests.billing import WEBHOOK_SECRET, billing
from tests.integrations.stripe.test_stripe_webhook import EVENT
from tests.world import Start, World

BOUNDED = settings(
    derandomize=True,
    max_examples=75,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20)
    | st.sampled_from(["evt_1", "cus_1", "", "\ud83d", "evt_1\n", "9" * 400, "invoice.paid", 10**400]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["id", "type", "data", "object", "customer", "created"]), inner, max_size=6),
    max_leaves=10,
)  # fmt: skip
numbers = count()


@pytest.fixture
async def server(stripe: StripeSimulator, start: Start) -> World:
    return await start(workers=0, **billing(stripe))


async def post(world: World, body: bytes, header: str | None = None) -> int:
    now = int(time.time())
    headers = {"Stripe-Signature": _signed(body, now) if header is None else header}
    async with world.http.post(f"{world.url}/webhooks/stripe", data=io.BytesIO(body), headers=headers) as response:
        return response.status


def _signed(body: bytes, at: int) -> str:
    """A signature of any bytes, as the simulator makes it."""
    return f"t={at},v1={hmac.new(WEBHOOK_SECRET.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


@BOUNDED
@given(body=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
async def test_any_signed_bytes_are_an_answerable_body(server: World, body: bytes) -> None:
    assert await post(server, body) in (200, 400)


@BOUNDED
@given(event=JSON, kind=st.sampled_from(sorted(ACTED_ON)), about=JSON, created=JSON)
async def test_any_event_is_taken_and_what_is_kept_can_be_worked_on(
    server: World, event: Any, kind: str, about: Any, created: Any
) -> None:
    whole = {"id": "evt_x", "type": kind, "created": created, "data": {"object": about}}
    for body in (event, whole, whole | {"id": event}, whole | {"data": event}):
        assert await post(server, json.dumps(body).encode()) == 200
    good = EVENT | {"id": f"evt_good{next(numbers)}"}
    assert await post(server, json.dumps(good).encode()) == 200
    jobs = await answer(server.redis.lrange("bull:notification:wait", 0, 0))
    assert jobs == [good["id"]]


@BOUNDED
@given(
    header=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)
    | st.just("v1=\udcff,t=1")
)
async def test_any_header_that_proves_nothing_is_400(server: World, header: str) -> None:
    given_ = f"t={int(time.time())},{header}"
    assert await post(server, json.dumps(EVENT).encode(), given_.strip()) == 400
    assert (await queue_admin.counts(server.redis, "notification"))["waiting"] == 0


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"a":' * 100_000, b"9" * 10_000, b'{"created": ' + b"9" * 5000 + b"}", b"\xff\xfe{}"]
)
async def test_deep_and_long_json_is_no_json(server: World, body: bytes) -> None:
    assert await post(server, body) in (200, 400)


async def test_a_body_that_is_too_large_is_413(server: World) -> None:
    assert await post(server, b" " * (1024 * 1024 + 1)) == 413
    assert await post(server, b" " * (4 * 1024 * 1024 + 1)) == 413
