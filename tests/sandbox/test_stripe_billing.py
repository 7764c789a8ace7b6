"""Subscriptions and their invoices over time, with cards that pay and cards that are declined."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdfium2
import pytest
import stripe

from tests.sandbox.stripe_shop import NOON, Shop

DAY = timedelta(days=1)


def at(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def period_end(subscription: Any) -> datetime:
    return at(subscription["items"].data[0].current_period_end)


async def test_a_catalogue_is_there_in_two_currencies_and_intervals(shop: Shop) -> None:
    prices = (await shop.api.prices.list_async({"active": True, "expand": ["data.product"]})).data
    assert len({(each.product.name, each.currency, each.recurring.interval) for each in prices}) == 8
    pesos = await shop.api.prices.list_async({"currency": "mxn", "product": prices[0].product.id})
    assert sorted(each.unit_amount for each in pesos.data) == [49900, 499000]
    assert (await shop.price("pro_year_usd")).unit_amount == 29000


async def test_products_and_prices_are_made_and_retired(shop: Shop) -> None:
    product = await shop.api.products.create_async({"name": "Extra"})
    wanted = {"product": product.id, "currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
    price = await shop.api.prices.create_async(wanted)
    await shop.api.prices.update_async(price.id, {"active": False})
    assert (await shop.api.prices.list_async({"product": product.id, "active": True})).data == []
    customer = await shop.customer()
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        await shop.api.subscriptions.create_async({"customer": customer.id, "items": [{"price": price.id}]})
    with pytest.raises(stripe.InvalidRequestError, match="lookup key"):
        await shop.api.prices.create_async(wanted | {"lookup_key": "pro_year_usd"})


async def test_metadata_is_merged_and_cleared(shop: Shop) -> None:
    customer = await shop.customer(None, metadata={"a": "1", "b": "2"})
    changed = await shop.api.customers.update_async(customer.id, {"metadata": {"a": "", "c": "3"}, "name": ""})
    assert (changed.metadata.to_dict(), changed.name) == ({"b": "2", "c": "3"}, None)
    assert (await shop.api.customers.update_async(customer.id, {"metadata": ""})).metadata.to_dict() == {}
    told = shop.simulator.events[1]["data"]["previous_attributes"]
    assert told == {"metadata": {"a": "1", "c": None}, "name": "Ana"}


async def test_a_subscription_is_billed_at_once_with_an_invoice_that_can_be_read(shop: Shop) -> None:
    customer = await shop.customer()
    made = await shop.subscribe(customer.id, "pro_month_mxn", expand=["latest_invoice"])
    invoice = made.latest_invoice
    assert (made.status, invoice.status, invoice.amount_paid, invoice.currency) == ("active", "paid", 49900, "mxn")
    assert invoice.parent.subscription_details.subscription == made.id
    async with shop.http.get(invoice.hosted_invoice_url) as page:
        assert (page.status, invoice.number in await page.text()) == (200, True)
    async with shop.http.get(invoice.invoice_pdf) as answer:
        assert answer.content_type == "application/pdf"
        document = pypdfium2.PdfDocument(io.BytesIO(await answer.read()))
    text = document[0].get_textpage().get_text_range()
    assert invoice.number in text
    assert "499.00 MXN" in text
    listed = await shop.api.invoices.list_async({"customer": customer.id, "status": "paid"})
    assert [each.id for each in listed.data] == [invoice.id]


async def test_months_follow_the_calendar_from_their_anchor(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    ends = [period_end(made)]
    for _ in range(3):
        shop.simulator.advance_to(ends[-1] + timedelta(hours=1))
        ends.append(period_end(await shop.api.subscriptions.retrieve_async(made.id)))
    assert [(end.month, end.day, end.hour) for end in ends] == [(2, 28, 12), (3, 31, 12), (4, 30, 12), (5, 31, 12)]
    paid = await shop.api.invoices.list_async({"subscription": made.id})
    assert [(each.status, each.billing_reason) for each in paid.data] == [
        *[("paid", "subscription_cycle")] * 3,
        ("paid", "subscription_create"),
    ]


async def test_a_renewal_is_a_draft_for_an_hour(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.advance_to(period_end(made) + timedelta(minutes=59))
    renewed = await shop.api.subscriptions.retrieve_async(made.id, {"expand": ["latest_invoice"]})
    assert (renewed.status, renewed.latest_invoice.status, renewed.latest_invoice.number) == ("active", "draft", None)
    shop.simulator.advance(seconds=60)
    assert (await shop.api.invoices.retrieve_async(renewed.latest_invoice.id)).status == "paid"


async def test_events_tell_of_the_moment_they_happened_in_order(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id, trial_period_days=7)
    shop.simulator.advance(days=60)
    told = [(at(event["created"]) - NOON, event["type"]) for event in shop.simulator.events]
    assert [moment for moment, _ in told] == sorted(moment for moment, _ in told)
    assert (4 * DAY, "customer.subscription.trial_will_end") in told
    assert (7 * DAY, "customer.subscription.updated") in told
    assert (7 * DAY + timedelta(hours=1), "invoice.paid") in told
    assert period_end(await shop.api.subscriptions.retrieve_async(made.id)) == NOON + timedelta(days=7 + 28 + 31)


async def test_a_trial_costs_nothing_until_it_ends(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer(None)).id, trial_period_days=7, expand=["latest_invoice"])
    assert (made.status, made.latest_invoice.amount_due, made.latest_invoice.status) == ("trialing", 0, "paid")
    assert at(made.trial_end) == period_end(made) == NOON + 7 * DAY
    preview = await shop.api.invoices.create_preview_async({"subscription": made.id})
    assert preview.amount_due == 19900
    changed = await shop.api.subscriptions.update_async(made.id, await shop.change_to(made, "pro_month_mxn"))
    assert (changed.status, changed["items"].data[0].price.unit_amount) == ("trialing", 49900)
    assert len((await shop.api.invoices.list_async({"subscription": made.id})).data) == 1


async def test_a_trial_shorter_than_its_warning_is_warned_of_at_once(shop: Shop) -> None:
    await shop.subscribe((await shop.customer()).id, trial_period_days=2)
    shop.simulator.catch_up()
    assert shop.told()[-1] == "customer.subscription.trial_will_end"


async def test_a_trial_can_end_now(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id, trial_period_days=7)
    details = {"trial_end": "now"}
    preview = await shop.api.invoices.create_preview_async({"subscription": made.id, "subscription_details": details})
    ended = await shop.api.subscriptions.update_async(made.id, details | {"expand": ["latest_invoice"]})
    assert (ended.status, ended.latest_invoice.amount_paid, preview.amount_due) == ("active", 19900, 19900)
    assert at(ended.trial_end) == NOON


async def test_a_trial_without_a_card_may_end_the_subscription(shop: Shop) -> None:
    settings = {"end_behavior": {"missing_payment_method": "cancel"}}
    made = await shop.subscribe((await shop.customer(None)).id, trial_period_days=7, trial_settings=settings)
    shop.simulator.advance(days=7)
    assert (await shop.api.subscriptions.retrieve_async(made.id)).status == "canceled"


async def test_a_cancellation_waits_for_the_end_of_the_period_and_can_be_taken_back(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    ending = await shop.api.subscriptions.update_async(made.id, {"cancel_at_period_end": True})
    assert (ending.status, at(ending.cancel_at)) == ("active", period_end(made))
    with pytest.raises(stripe.InvalidRequestError) as none:
        await shop.api.invoices.create_preview_async({"subscription": made.id})
    assert none.value.code == "invoice_upcoming_none"
    kept = await shop.api.subscriptions.update_async(made.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    await shop.api.subscriptions.update_async(made.id, {"cancel_at_period_end": True})
    shop.simulator.advance(days=28)
    ended = await shop.api.subscriptions.retrieve_async(made.id)
    assert (ended.status, at(ended.ended_at)) == ("canceled", period_end(made))
    assert shop.told()[-1] == "customer.subscription.deleted"
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        await shop.api.subscriptions.update_async(made.id, {"cancel_at_period_end": False})
    assert (await shop.api.subscriptions.list_async({})).data == []
    assert len((await shop.api.subscriptions.list_async({"status": "all"})).data) == 1


async def test_a_cancellation_now_is_now_and_once(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    details = {"cancellation_details": {"feedback": "too_expensive"}}
    ended = await shop.api.subscriptions.cancel_async(made.id, details)
    assert (ended.status, ended.cancellation_details.feedback) == ("canceled", "too_expensive")
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        await shop.api.subscriptions.cancel_async(made.id)


async def test_a_renewal_that_is_declined_is_tried_again_and_then_ends_the_subscription(shop: Shop) -> None:
    customer = await shop.customer()
    made = await shop.subscribe(customer.id)
    await shop.set_card(customer.id, "pm_card_chargeCustomerFail")
    shop.simulator.advance_to(period_end(made) + timedelta(hours=1))
    late = await shop.api.subscriptions.retrieve_async(made.id, {"expand": ["latest_invoice"]})
    invoice = late.latest_invoice
    assert (late.status, invoice.status, invoice.amount_remaining) == ("past_due", "open", 19900)
    assert (invoice.attempt_count, at(invoice.next_payment_attempt)) == (1, shop.simulator.now + 3 * DAY)
    shop.simulator.advance(days=15)
    ended = await shop.api.subscriptions.retrieve_async(made.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert shop.told().count("invoice.payment_failed") == 4


async def test_a_new_card_pays_what_was_due(shop: Shop) -> None:
    customer = await shop.customer()
    made = await shop.subscribe(customer.id)
    await shop.set_card(customer.id, "pm_card_chargeCustomerFail")
    shop.simulator.advance_to(period_end(made) + timedelta(hours=1))
    owed = (await shop.api.invoices.list_async({"customer": customer.id, "status": "open"})).data[0]
    with pytest.raises(stripe.CardError) as refused:
        await shop.api.invoices.pay_async(owed.id)
    assert (refused.value.code, refused.value.http_status) == ("card_declined", 402)
    assert (await shop.api.invoices.retrieve_async(owed.id)).next_payment_attempt == owed.next_payment_attempt
    await shop.set_card(customer.id, "pm_card_mastercard")
    shop.simulator.advance(days=3)
    assert (await shop.api.subscriptions.retrieve_async(made.id)).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        await shop.api.invoices.pay_async(owed.id)


async def test_a_first_payment_that_fails_leaves_it_incomplete_for_a_day(shop: Shop) -> None:
    customer = await shop.customer("pm_card_chargeCustomerFail")
    made = await shop.subscribe(customer.id)
    other = await shop.subscribe(customer.id, "pro_month_mxn", payment_behavior="default_incomplete")
    assert (made.status, other.status) == ("incomplete", "incomplete")
    await shop.set_card(customer.id, "pm_card_visa")
    await shop.api.invoices.pay_async(made.latest_invoice)
    shop.simulator.advance(days=1)
    statuses = [(await shop.api.subscriptions.retrieve_async(each.id)).status for each in (made, other)]
    assert statuses == ["active", "incomplete_expired"]


async def test_error_if_incomplete_makes_nothing(shop: Shop) -> None:
    customer = await shop.customer("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        await shop.subscribe(customer.id, payment_behavior="error_if_incomplete")
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        await shop.subscribe((await shop.customer(None)).id)
    assert "customer.subscription.created" not in shop.told()


async def test_a_card_that_is_declined_at_once_is_not_saved(shop: Shop) -> None:
    customer = await shop.customer(None)
    with pytest.raises(stripe.CardError):
        await shop.set_card(customer.id, "pm_card_chargeDeclined")
    card = {"number": "4000000000009995", "exp_month": 5, "exp_year": 2030, "cvc": "123"}
    method = await shop.api.payment_methods.create_async({"type": "card", "card": card})
    assert (method.card.last4, method.card.exp_month, method.customer) == ("9995", 5, None)
    with pytest.raises(stripe.CardError) as refused:
        await shop.api.payment_methods.attach_async(method.id, {"customer": customer.id})
    error: Any = refused.value.error
    assert error.decline_code == "insufficient_funds"
    assert (await shop.api.payment_methods.list_async({"customer": customer.id})).data == []


async def test_the_bank_can_decline_one_payment_of_a_good_card(shop: Shop) -> None:
    customer = await shop.customer()
    shop.simulator.will_decline(code="insufficient_funds")
    made = await shop.subscribe(customer.id, expand=["latest_invoice.payments"])
    intent = await shop.api.payment_intents.retrieve_async(made.latest_invoice.payments.data[0].payment.payment_intent)
    assert (made.status, intent.last_payment_error.decline_code) == ("incomplete", "insufficient_funds")
    assert (await shop.api.invoices.pay_async(made.latest_invoice.id)).status == "paid"


async def test_a_change_that_is_refused_changes_nothing(shop: Shop) -> None:
    customer = await shop.customer()
    made = await shop.subscribe(customer.id)
    told = shop.told()
    with pytest.raises(stripe.InvalidRequestError, match="in the future"):
        await shop.api.subscriptions.update_async(made.id, {"metadata": {"a": "1"}, "trial_end": 1})
    other = {"invoice_settings": {"default_payment_method": "pm_none"}, "name": "Leo"}
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        await shop.api.customers.update_async(customer.id, other)
    assert (await shop.api.subscriptions.retrieve_async(made.id)).metadata.to_dict() == {}
    assert (await shop.api.customers.retrieve_async(customer.id)).name == "Ana"
    assert shop.told() == told


async def test_a_customer_has_one_currency_at_a_time(shop: Shop) -> None:
    customer = await shop.customer()
    made = await shop.subscribe(customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="cannot combine currencies"):
        await shop.subscribe(customer.id, "pro_month_usd")
    with pytest.raises(stripe.InvalidRequestError, match="expected currency: `mxn`"):
        await shop.api.subscriptions.update_async(made.id, await shop.change_to(made, "pro_month_usd"))
