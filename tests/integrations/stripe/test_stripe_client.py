"""Client of Stripe against its simulator: retries, names of failures, and secrets that are never sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import (
    CardRefused,
    KeyRejected,
    RequestRefused,
    StripeFailed,
    StripeObjectGone,
    StripeUnavailable,
)
from bot.settings import StripeSettings
from bot.web.server import listening
from sandbox.phone.demo_customers import customer, price_of, subscribe
from sandbox.stripe import StripeSimulator

KEY = "sk_test_of_the_tests"


def settings(base: str, key: str = KEY) -> StripeSettings:
    return StripeSettings().model_copy(update={"api_base": base, "secret_key": SecretStr(key)})


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(stripe: StripeSimulator, http: aiohttp.ClientSession) -> Stripe:
    return Stripe(http, settings(stripe.account.base_url), attempt_seconds=5, first_wait=0.01)


@pytest.fixture
def owner(stripe: StripeSimulator) -> str:
    return customer(stripe, "5215512345678", "Ana", "ana@example.com")


Plan = Callable[[StripeSimulator, int], None]


@pytest.mark.parametrize(
    "plan",
    [
        lambda stripe, times: stripe.will_rate_limit(times),
        lambda stripe, times: stripe.will_fail(times),
        lambda stripe, times: stripe.will_be_unavailable(times),
        lambda stripe, times: stripe.will_html_502(times),
        lambda stripe, times: stripe.will_drop(times),
    ],
    ids=["429", "500", "503", "a gateway's page", "a lost connection"],
)
async def test_what_passes_is_tried_three_times_and_then_told(
    client: Stripe, stripe: StripeSimulator, owner: str, plan: Plan
) -> None:
    plan(stripe, 2)
    assert (await client.customer(owner)).name == "Ana"
    # aiohttp itself repeats a request when a kept connection was closed.
    plan(stripe, 6)
    with pytest.raises(StripeUnavailable):
        await client.customer(owner)
    stripe.faults.cancel()
    assert (await client.customer(owner)).name == "Ana"


async def test_nobody_there_and_too_slow_are_away(stripe: StripeSimulator, http: aiohttp.ClientSession) -> None:
    nobody = Stripe(http, settings("http://127.0.0.1:9"), first_wait=0.01)
    with pytest.raises(StripeUnavailable):
        await nobody.check()
    stripe.will_be_slow(1, times=3)
    hasty = Stripe(http, settings(stripe.account.base_url), attempt_seconds=0.05, first_wait=0.01)
    with pytest.raises(StripeUnavailable):
        await hasty.check()


async def test_no_other_attempt_is_made_after_the_time_for_all(
    stripe: StripeSimulator, http: aiohttp.ClientSession, owner: str
) -> None:
    stripe.will_fail(1)
    client = Stripe(http, settings(stripe.account.base_url), all_seconds=0, first_wait=0.01)
    with pytest.raises(StripeUnavailable):
        await client.customer(owner)


async def test_each_refusal_is_named_by_what_can_be_done(
    client: Stripe, stripe: StripeSimulator, http: aiohttp.ClientSession, owner: str
) -> None:
    with pytest.raises(StripeObjectGone):
        await client.customer("cus_nobody")
    with pytest.raises(RequestRefused, match="parameter limit"):
        await client.invoices(owner, limit=1000)
    for key in ("sk_test_other", "pk_test_public"):
        with pytest.raises(KeyRejected):
            await Stripe(http, settings(stripe.account.base_url, key)).check()
    subscription = await client.subscription(subscribe(stripe, owner))
    stripe.will_decline()
    with pytest.raises(CardRefused):
        await client.change_price(
            subscription.id,
            subscription.items.data[0].id,
            price_of(stripe, "pro_month_mxn"),
            int(stripe.account.clock.now()),
            key="k",
        )


async def test_an_error_holds_nothing_of_what_was_asked(client: Stripe) -> None:
    with pytest.raises(StripeFailed) as caught:
        await client.customers_by_email("not an address of ana@example.com")
    assert "ana" not in repr(caught.value)
    assert caught.value.__cause__ is None


async def test_the_same_key_is_the_same_change(client: Stripe, stripe: StripeSimulator) -> None:
    first = await client.create_customer("5215512345678", "Ana", "key-1")
    stripe.will_drop(2)
    again = await client.create_customer("5215512345678", "Ana", "key-1")
    other = await client.create_customer("5215512345678", "Ana", "key-2")
    assert first.id == again.id != other.id


async def test_every_change_carries_a_key_and_nothing_is_asked_twice_by_the_library(
    client: Stripe, stripe: StripeSimulator, owner: str
) -> None:
    subscription = await client.subscription(subscribe(stripe, owner))
    stripe.will_drop(2, "/v1/subscriptions/")
    ended = await client.cancel_at_period_end(subscription.id, key="end-1")
    assert ended.ends
    updates = [event for event in stripe.events if event["type"] == "customer.subscription.updated"]
    assert [event["request"]["idempotency_key"] for event in updates[1:]] == ["end-1"]


async def test_prices_come_with_their_products_from_every_page(
    client: Stripe, stripe: StripeSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.integrations.stripe.client._PAGE", 3)
    prices = await client.prices()
    assert len({price.id for price in prices}) == 8
    assert {price.product.name for price in prices if not isinstance(price.product, str)} == {"Básico", "Pro"}


async def test_what_is_no_stripe_is_told_so(http: aiohttp.ClientSession) -> None:
    async def page(request: web.Request) -> web.Response:
        if request.path.endswith("/customers"):
            return web.Response(text="<html>", content_type="text/html")
        return web.json_response({"id": "cus_1", "object": "customer", "metadata": 7})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", page)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        client = Stripe(http, settings(url), first_wait=0.01)
        with pytest.raises(RequestRefused, match="STRIPE_API_BASE"):
            await client.check()
        with pytest.raises(RequestRefused, match="STRIPE_API_BASE"):
            await client.customer("cus_1")


async def test_a_pdf_is_fetched_from_stripes_hosts_alone(client: Stripe, stripe: StripeSimulator, owner: str) -> None:
    subscribe(stripe, owner)
    (invoice,) = await client.invoices(owner, limit=1)
    assert (await client.pdf(str(invoice.invoice_pdf))).startswith(b"%PDF")
    for address in (
        "http://127.0.0.1:9/i/x/pdf",
        "http://169.254.169.254/latest",
        "https://stripe.com.evil.example/pdf",
        "http://pay.stripe.com/pdf",
        "file:///etc/passwd",
    ):
        with pytest.raises(RequestRefused):
            await client.pdf(address)


@pytest.mark.parametrize("kind", ["elsewhere", "page", "round", "gone"])
async def test_a_pdf_that_is_none_is_refused(http: aiohttp.ClientSession, kind: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        if kind == "elsewhere":
            raise web.HTTPFound("http://169.254.169.254/")
        if kind == "round":
            raise web.HTTPFound("/again")
        return web.Response(text="<html>", status=404 if kind == "gone" else 200)

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        with pytest.raises((RequestRefused, StripeUnavailable)):
            await Stripe(http, settings(url)).pdf(f"{url}/i/1/pdf")


async def test_the_library_is_loaded_beside_the_loop_by_many_at_once(client: Stripe, owner: str) -> None:
    found: list[Any] = await asyncio.gather(*(_name(client.customer(owner)) for _ in range(5)))
    assert found == ["Ana"] * 5


async def _name(asked: Awaitable[Any]) -> Any:
    return (await asked).name
