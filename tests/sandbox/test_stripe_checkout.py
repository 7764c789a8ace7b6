"""Checkout and the portal: a customer's actions on Stripe's pages."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.stripe import StripeRefusal
from tests.sandbox.stripe_shop import Shop


async def session(shop: Shop, lookup_key: str = "pro_month_mxn", **fields: Any) -> Any:
    price = await shop.price(lookup_key)
    wanted = {
        "mode": "subscription",
        "line_items": [{"price": price.id, "quantity": 1}],
        "success_url": "https://shop.example/done?session={CHECKOUT_SESSION_ID}",
    }
    return await shop.api.checkout.sessions.create_async(wanted | fields)


async def test_a_checkout_makes_customer_subscription_and_payment_in_order(shop: Shop) -> None:
    opened = await session(
        shop,
        customer_email="leo@example.com",
        client_reference_id="5215512345678",
        metadata={"order": "7"},
        subscription_data={"metadata": {"origin": "chat"}},
    )
    assert (opened.status, opened.payment_status, opened.amount_total) == ("open", "unpaid", 49900)
    shop.simulator.complete_checkout(opened.id)
    done = await shop.api.checkout.sessions.retrieve_async(opened.id, {"expand": ["subscription", "line_items"]})
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert (done.subscription.status, done.subscription.metadata["origin"]) == ("active", "chat")
    assert (done.line_items.data[0].price.unit_amount, done.metadata["order"]) == (49900, "7")
    assert (done.customer_details.email, done.client_reference_id) == ("leo@example.com", "5215512345678")
    assert [kind for kind in shop.told() if kind != "customer.updated"] == [
        "customer.created",
        "payment_method.attached",
        "invoice.created",
        "customer.subscription.created",
        "invoice.finalized",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]


async def test_a_page_speaks_its_session_s_language_or_the_browser_s(shop: Shop) -> None:
    customer = await shop.customer("pm_card_visa")

    async def page(url: str, browser: str) -> str:
        async with shop.http.get(url, headers={"Accept-Language": browser}) as response:
            return await response.text()

    for locale, browser, words in (
        ("en", "es-MX", ('lang="en"', "Subscribe", "Today: ", "(declined)", "nothing is charged here")),
        ("es-419", "en", ('lang="es"', "Suscribirse", "Hoy: ", "(rechazada)")),
        ("auto", "en-US,en;q=0.9", ('lang="en"', "Subscribe")),
    ):
        opened = await session(shop, customer=customer.id, locale=locale)
        told = await page(opened.url, browser)
        assert [word for word in words if word not in told] == []
    portal = await shop.api.billing_portal.sessions.create_async({"customer": customer.id, "locale": "en"})
    assert "Change the card" in await page(portal.url, "es-MX")
    assert "Cambiar" not in await page(portal.url, "es-MX")


async def test_a_checkout_of_a_customer_may_start_with_a_trial(shop: Shop) -> None:
    customer = await shop.customer(None)
    opened = await session(shop, customer=customer.id, subscription_data={"trial_period_days": 14})
    assert opened.amount_total == 0
    async with shop.http.get(opened.url, headers={"Accept-Language": "en"}) as page:
        assert "The first 14 days are free." in await page.text()
    done = shop.simulator.complete_checkout(opened.id)
    made = await shop.api.subscriptions.retrieve_async(done["subscription"], {"expand": ["default_payment_method"]})
    assert (made.status, made.customer, done["payment_status"]) == ("trialing", customer.id, "no_payment_required")
    assert made.default_payment_method.card.last4 == "4242"


async def test_the_page_takes_a_card_and_leads_back(shop: Shop) -> None:
    opened = await session(shop, cancel_url="https://shop.example/no")
    async with shop.http.get(opened.url) as page:
        text = await page.text()
        assert (page.status, "Pro" in text, "499.00 MXN" in text) == (200, True, True)
    form = {"email": "sam@example.com", "card": "pm_card_chargeCustomerFail"}
    async with shop.http.post(opened.url, data=form, allow_redirects=False) as page:
        assert (page.status, "Tu tarjeta fue rechazada" in await page.text()) == (402, True)
    assert shop.told() == []
    form["card"] = "pm_card_visa"
    async with shop.http.post(opened.url, data=form, allow_redirects=False) as page:
        assert page.status == 303
        assert page.headers["Location"] == f"https://shop.example/done?session={opened.id}"
    assert [each.email for each in (await shop.api.customers.list_async()).data] == ["sam@example.com"]
    async with shop.http.post(opened.url, data=form, allow_redirects=False) as page:
        assert (page.status, "ya está hecho" in await page.text()) == (410, True)
    async with shop.http.get(f"{shop.base}/c/pay/cs_test_none") as page:
        assert page.status == 404


async def test_an_expired_session_cant_be_completed(shop: Shop) -> None:
    by_time, by_hand = await session(shop), await session(shop)
    assert (await shop.api.checkout.sessions.expire_async(by_hand.id)).status == "expired"
    shop.simulator.advance(days=1)
    for each in (by_time, by_hand):
        with pytest.raises(StripeRefusal, match="expired"):
            shop.simulator.complete_checkout(each.id)
        async with shop.http.get(each.url) as page:
            assert "ha caducado" in await page.text()
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        await shop.api.checkout.sessions.expire_async(by_time.id)
    assert shop.told() == ["checkout.session.expired"] * 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"success_url": ""}, "empty string"),
        ({"success_url": "shop.example"}, "Not a valid URL"),
        ({"mode": "payment"}, "Invalid mode"),
        ({"customer": "cus_x"}, "No such customer"),
        ({"customer": "cus_x", "customer_email": "a@b.mx"}, "only specify one of these"),
        ({"subscription_data": {"trial_period_days": 0}}, "greater than or equal to 1"),
        ({"subscription_data": {"trial_end": 1}}, "at least 2 days"),
        ({"subscription_data": {"shoes": 1}}, "unknown parameter: subscription_data"),
        ({"expires_at": 1}, "between 30 minutes and 24 hours"),
        ({"line_items": [{"price": "price_x", "quantity": 1}]}, "No such price"),
    ],
)
async def test_checkout_refuses_what_stripe_refuses(shop: Shop, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words):
        await session(shop, **fields)


async def test_prices_of_a_checkout_need_a_quantity_and_one_currency(shop: Shop) -> None:
    pesos, dollars = await shop.price("pro_month_mxn"), await shop.price("pro_month_usd")
    with pytest.raises(stripe.InvalidRequestError, match="Quantity is required"):
        await session(shop, line_items=[{"price": pesos.id}])
    with pytest.raises(stripe.InvalidRequestError, match="same currency"):
        await session(shop, line_items=[{"price": each.id, "quantity": 1} for each in (pesos, dollars)])


async def test_in_the_portal_a_customer_cancels_and_thinks_again(shop: Shop) -> None:
    customer = await shop.customer()
    made = await shop.subscribe(customer.id)
    portal = await shop.api.billing_portal.sessions.create_async(
        {"customer": customer.id, "return_url": "https://shop.example/"}
    )
    async with shop.http.get(portal.url) as page:
        text = await page.text()
        assert ("Cancelar al final del periodo" in text, "https://shop.example/" in text) == (True, True)
    for do, ends in (("cancel", True), ("resume", False)):
        async with shop.http.post(portal.url, data={"subscription": made.id, "do": do}) as page:
            assert page.status == 200
        now = await shop.api.subscriptions.retrieve_async(made.id)
        # With flexible billing the portal sets a date and no flag.
        end = now["items"].data[0].current_period_end if ends else None
        assert (now.cancel_at, now.cancel_at_period_end) == (end, False)
    other = await shop.subscribe((await shop.customer()).id)
    async with shop.http.post(portal.url, data={"subscription": other.id, "do": "cancel"}):
        assert (await shop.api.subscriptions.retrieve_async(other.id)).cancel_at is None


async def test_in_the_portal_a_customer_changes_the_card(shop: Shop) -> None:
    customer = await shop.customer()
    portal = await shop.api.billing_portal.sessions.create_async({"customer": customer.id})

    async def change(number: str) -> tuple[int, str]:
        form = {"do": "card", "number": number, "expiry": "12/29", "cvc": "123"}
        async with shop.http.post(portal.url, data=form) as page:
            return page.status, await page.text()

    status, page = await change("5555 5555 5555 4444")
    assert (status, "Mastercard ···· 4444" in page) == (200, True)
    status, page = await change("4000000000000002")
    assert (status, "Tu tarjeta fue rechazada" in page) == (402, True)
    status, page = await change("1234567890123")
    assert (status, "no es de una tarjeta de prueba" in page) == (400, True)
    owner = await shop.api.customers.retrieve_async(customer.id)
    method = await shop.api.payment_methods.retrieve_async(str(owner.invoice_settings.default_payment_method))
    assert method.card is not None
    assert method.card.last4 == "4444"


async def test_a_portal_is_for_a_customer_that_there_is(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await shop.api.billing_portal.sessions.create_async({"customer": "cus_x"})
