"""Stripe's API: keys, parameters, idempotency, lists, search, expand, and planned faults."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import stripe

from tests.sandbox.stripe_shop import SECRET_KEY, Shop, open_shop


async def raw(shop: Shop, method: str, path: str, data: Any = None, **headers: str) -> tuple[int, Any, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"Authorization": f"Bearer {SECRET_KEY}"} | named
    async with shop.http.request(method, f"{shop.base}/v1/{path}", data=data, headers=named) as response:
        return (
            response.status,
            (await response.json())["error"] if response.status >= 400 else await response.json(),
            (response.headers),
        )


async def test_a_wrong_key_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided") as refused:
        await shop.client("sk_test_other_secret").v1.customers.list_async()
    assert "other_sec" not in str(refused.value)
    status, error, _ = await raw(shop, "GET", "customers", Authorization="")
    assert (status, error["type"]) == (401, "invalid_request_error")


async def test_a_publishable_key_may_not_use_the_secret_api(shop: Shop) -> None:
    with pytest.raises(stripe.PermissionError, match="publishable API key") as refused:
        await shop.client("pk_test_shop").v1.customers.list_async()
    error: Any = refused.value.error
    assert error.code == "secret_key_required"


@pytest.mark.parametrize(
    ("path", "params", "code", "param", "words"),
    [
        ("customers", "colour=red", "parameter_unknown", "colour", "Received unknown parameter: colour"),
        ("customers", "metadata[a][b]=c", None, "metadata", "hash of strings"),
        ("customers", "email=nobody", None, "email", "Invalid email address: nobody"),
        (
            "customers",
            "invoice_settings[paper]=a4",
            "parameter_unknown",
            "invoice_settings[paper]",
            "Received unknown parameter: invoice_settings[paper]",
        ),
        (
            "customers",
            "payment_method=pm_none",
            "resource_missing",
            "payment_method",
            "No such PaymentMethod: 'pm_none'",
        ),
        ("subscriptions", "customer=cus_x", "parameter_missing", "items", "Missing required param: items."),
        (
            "subscriptions",
            "items[0][price]=p&customer=cus_x",
            "resource_missing",
            "customer",
            "No such customer: 'cus_x'",
        ),
        ("subscriptions", "items=x&customer=cus_x", None, "items", "Invalid array"),
        (
            "subscriptions",
            "customer=cus_x&items[0][price]=p&items[0][quantity]=many",
            "parameter_invalid_integer",
            "items[0][quantity]",
            "Invalid integer: many",
        ),
        (
            "subscriptions",
            "customer=cus_x&items[0][price]=p&proration_behavior=half",
            None,
            "proration_behavior",
            "must be one of create_prorations, always_invoice or none",
        ),
        ("subscriptions", "customer=&items[0][price]=p", "parameter_invalid_empty", "customer", "empty string"),
        (
            "subscriptions",
            "customer=c&items[0][price]=p&cancel_at_period_end=perhaps",
            None,
            "cancel_at_period_end",
            "Invalid boolean: perhaps",
        ),
        ("prices", "currency=xyz&product=p&unit_amount=1", None, "currency", "must be one of"),
        ("payment_methods", "type=card&card[number]=42", "parameter_missing", "card[exp_month]", "card[exp_month]"),
        ("checkout/sessions", "mode=subscription", "parameter_missing", "line_items", "line_items"),
        ("invoices/create_preview", "subscription=sub_x", "resource_missing", "subscription", "No such subscription"),
    ],
)
async def test_what_stripe_refuses_is_refused(
    shop: Shop, path: str, params: str, code: str | None, param: str, words: str
) -> None:
    status, error, headers = await raw(shop, "POST", path, params, Content_Type="application/x-www-form-urlencoded")
    assert (status, error["type"], error.get("code"), error["param"]) == (400, "invalid_request_error", code, param)
    assert words in error["message"]
    assert headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize("path", ["customers/c", "subscriptions/s", "invoices/i", "prices/p", "checkout/sessions/c"])
async def test_an_unknown_id_in_the_address_is_404(shop: Shop, path: str) -> None:
    status, error, _ = await raw(shop, "GET", path)
    assert (status, error["code"]) == (404, "resource_missing")


async def test_an_unknown_address_and_json_are_refused(shop: Shop) -> None:
    status, error, _ = await raw(shop, "GET", "shoes")
    assert (status, error["message"].startswith("Unrecognized request URL (GET: /v1/shoes)")) == (404, True)
    assert (await raw(shop, "POST", "customers", b"{}", Content_Type="application/json"))[0] == 400
    assert (await raw(shop, "POST", "customers", b"\xff\xfe"))[0] == 400


async def test_the_same_idempotency_key_answers_the_same(shop: Shop) -> None:
    options = {"idempotency_key": "once"}
    first = await shop.api.customers.create_async({"name": "Ana"}, options)
    again = await shop.api.customers.create_async({"name": "Ana"}, options)
    assert (first.id, again.last_response.headers["Idempotent-Replayed"]) == (again.id, "true")
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert shop.told() == ["customer.created"]
    assert shop.simulator.events[0]["request"]["idempotency_key"] == "once"


async def test_an_idempotency_key_is_for_one_request_and_a_day(shop: Shop) -> None:
    first = await shop.api.customers.create_async({"name": "Ana"}, {"idempotency_key": "once"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refused:
        await shop.api.customers.create_async({"name": "Leo"}, {"idempotency_key": "once"})
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        await shop.api.products.create_async({"name": "Ana"}, {"idempotency_key": "once"})
    shop.simulator.advance(days=1)
    assert (await shop.api.customers.create_async({"name": "Leo"}, {"idempotency_key": "once"})).id != first.id


async def test_a_request_that_was_refused_may_come_again_with_its_key(shop: Shop) -> None:
    options = {"idempotency_key": "once"}
    with pytest.raises(stripe.InvalidRequestError):
        await shop.api.customers.create_async({"shoe": "42"}, options)
    assert (await shop.api.customers.create_async({"name": "Ana"}, options)).name == "Ana"


async def test_a_lost_answer_is_found_again_by_the_key(shop: Shop) -> None:
    shop.simulator.will_drop(path="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        await shop.api.customers.create_async({"name": "Ana"}, {"idempotency_key": "once"})
    found = await shop.api.customers.create_async({"name": "Ana"}, {"idempotency_key": "once"})
    assert found.last_response.headers["Idempotent-Replayed"] == "true"
    assert len((await shop.api.customers.list_async()).data) == 1


async def test_a_planned_fault_happens_as_often_as_planned_and_does_nothing(shop: Shop) -> None:
    shop.simulator.will_rate_limit(path="/v1/customers")
    shop.simulator.will_fail()
    shop.simulator.will_be_unavailable()
    shop.simulator.will_html_502()
    assert len(shop.simulator.faults.armed()) == 4
    with pytest.raises(stripe.RateLimitError):
        await shop.api.customers.create_async({})
    for status in (500, 503, 502):
        with pytest.raises(stripe.APIError) as failed:
            await shop.api.customers.create_async({})
        assert failed.value.http_status == status
    assert shop.told() == []
    await shop.api.customers.create_async({})


async def test_a_slow_answer_is_to_work_done(shop: Shop) -> None:
    shop.simulator.will_be_slow(30)
    asking = asyncio.create_task(shop.api.customers.create_async({}))
    while shop.told() != ["customer.created"]:
        await asyncio.sleep(0.01)
    assert not asking.done()
    asking.cancel()
    await asyncio.wait([asking])


async def test_lists_go_page_by_page_newest_first(shop: Shop) -> None:
    made = [(await shop.api.customers.create_async({"name": str(n)})).id for n in range(5)]
    page = await shop.api.customers.list_async({"limit": 2})
    assert ([each.id for each in page.data], page.has_more) == (made[:2:-1], True)
    page = await shop.api.customers.list_async({"limit": 3, "starting_after": page.data[-1].id})
    assert ([each.id for each in page.data], page.has_more) == (made[2::-1], False)
    page = await shop.api.customers.list_async({"limit": 2, "ending_before": made[1]})
    assert ([each.id for each in page.data], page.has_more) == ([made[3], made[2]], True)
    assert [each.id async for each in (await shop.api.customers.list_async({"limit": 2})).auto_paging_iter()] == made[
        ::-1
    ]
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_x'"):
        await shop.api.customers.list_async({"starting_after": "cus_x"})
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 100"):
        await shop.api.customers.list_async({"limit": 101})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email:'ana@example.com'", ["Ana Morales"]),
        ('email:"ANA@example.com"', ["Ana Morales"]),
        ("metadata['whatsapp_id']:'5215512345678'", ["Ana Morales"]),
        ("metadata[\"whatsapp_id\"]:'5215512345678' AND email:'leo@example.com'", []),
        ("email:'leo@example.com' OR name:'morales'", ["Leo Fuentes", "Ana Morales"]),
        ("-email:'ana@example.com'", ["Leo Fuentes"]),
        ("email~'@example'", ["Leo Fuentes", "Ana Morales"]),
        ("name:'O\\'Hara'", []),
    ],
)
async def test_customers_are_found_by_search(shop: Shop, query: str, found: list[str]) -> None:
    await shop.customer(None, name="Ana Morales", metadata={"whatsapp_id": "5215512345678"})
    await shop.customer(None, name="Leo Fuentes", email="leo@example.com")
    result = await shop.api.customers.search_async({"query": query})
    assert [each.name for each in result.data] == found


@pytest.mark.parametrize(
    "query", ["ana", "email:ana", "shoe:'42'", "metadata:'x'", "email:'a' AND name:'b' OR name:'c'", "email:'\\'"]
)
async def test_a_query_that_is_none_is_refused_even_of_nobody(shop: Shop, query: str) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await shop.api.customers.search_async({"query": query})


async def test_search_may_lag_behind() -> None:
    async with open_shop(search_lag=60) as shop:
        customer = await shop.customer(None)
        await shop.api.customers.update_async(customer.id, {"metadata": {"whatsapp_id": "521"}})
        wanted = {"query": "metadata['whatsapp_id']:'521'"}
        assert (await shop.api.customers.search_async(wanted)).data == []
        assert len((await shop.api.customers.list_async({"email": "ana@example.com"})).data) == 1
        shop.simulator.advance(seconds=60)
        assert [each.id for each in (await shop.api.customers.search_async(wanted)).data] == [customer.id]


async def test_expand_puts_objects_where_ids_stand(shop: Shop) -> None:
    customer = await shop.customer()
    wanted = ["customer", "latest_invoice.payments.data.payment.payment_intent"]
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        await shop.subscribe(customer.id, expand=wanted)
    expand = ["customer", "latest_invoice.payments", "items.data.price.product", "default_payment_method"]
    made = await shop.subscribe(customer.id, expand=expand)
    assert (made.customer.name, made["items"].data[0].price.product.name) == ("Ana", "Básico")
    assert (made.latest_invoice.payments.data[0].payment.type, made.default_payment_method) == ("payment_intent", None)
    found = await shop.api.customers.retrieve_async(
        customer.id, {"expand": ["subscriptions", "invoice_settings.default_payment_method"]}
    )
    assert found.subscriptions.data[0].id == made.id
    card = found.invoice_settings.default_payment_method.card
    assert (card.brand, card.last4, card.exp_year) == ("visa", "4242", 2028)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await shop.api.customers.retrieve_async(customer.id, {"expand": ["shoes"]})


async def test_the_simulator_shows_its_objects_and_announces_changes() -> None:
    changes: list[int] = []
    async with open_shop(on_change=lambda: changes.append(1)) as shop:
        customer = await shop.customer()
        await shop.subscribe(customer.id)
        held = shop.simulator.snapshot()
        assert changes
        assert [len(held[name]) for name in ("customers", "subscriptions", "invoices")] == [1, 1, 1]
        assert held["events"][0]["type"] == "customer.subscription.updated"
