"""Ends of a subscription at Stripe: by a flag that moves with the period, or by a fixed date."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe_shop import Shop


def ends(subscription: Any) -> tuple[int | None, bool]:
    return subscription.cancel_at, subscription.cancel_at_period_end


async def test_a_date_is_cleared_only_as_a_date(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    end = made["items"].data[0].current_period_end
    dated = await shop.api.subscriptions.update_async(made.id, {"cancel_at": "max_period_end"})
    assert ends(dated) == (end, False)
    same = await shop.api.subscriptions.update_async(made.id, {"cancel_at_period_end": False})
    assert ends(same) == (end, False)
    kept = await shop.api.subscriptions.update_async(made.id, {"cancel_at": ""})
    assert ends(kept) == (None, False)


async def test_a_flag_takes_its_date_along(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    flagged = await shop.api.subscriptions.update_async(made.id, {"cancel_at_period_end": True})
    assert ends(flagged) == (made["items"].data[0].current_period_end, True)
    assert ends(await shop.api.subscriptions.update_async(made.id, {"cancel_at_period_end": False})) == (None, False)


async def test_one_request_takes_one_kind_of_end(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    with pytest.raises(stripe.InvalidRequestError, match="Received both cancel_at_period_end and cancel_at"):
        await shop.api.subscriptions.update_async(made.id, {"cancel_at": "", "cancel_at_period_end": False})


async def test_it_ends_on_its_date_and_is_not_renewed(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    await shop.api.subscriptions.update_async(made.id, {"cancel_at": "min_period_end"})
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        await shop.api.invoices.create_preview_async({"subscription": made.id})
    supposed = {"subscription": made.id, "subscription_details": {"cancel_at": ""}}
    assert (await shop.api.invoices.create_preview_async(supposed)).amount_due == 19900
    shop.simulator.advance(days=40)
    assert (await shop.api.subscriptions.retrieve_async(made.id)).status == "canceled"
    assert len((await shop.api.invoices.list_async({"subscription": made.id})).data) == 1


async def test_items_of_two_intervals_renew_each_at_its_own_time(shop: Shop) -> None:
    items = [{"price": (await shop.price(key)).id} for key in ("pro_year_mxn", "basico_month_mxn")]
    customer = await shop.customer()
    made = await shop.api.subscriptions.create_async({"customer": customer.id, "items": items})
    year, month = (item.current_period_end for item in made["items"].data)
    assert year > month
    assert (await shop.api.invoices.create_preview_async({"subscription": made.id})).amount_due == 19900
    shop.simulator.advance(days=32)
    now = await shop.api.subscriptions.retrieve_async(made.id)
    assert now["items"].data[0].current_period_end == year
    assert now["items"].data[1].current_period_end > month
    with pytest.raises(stripe.InvalidRequestError, match="interval fields must match"):
        await shop.api.subscriptions.create_async(
            {"customer": customer.id, "items": items, "billing_mode": {"type": "classic"}}
        )


async def test_a_change_that_is_not_paid_waits_and_is_made_when_it_is(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.will_decline()
    change = await shop.change_to(
        made, "pro_month_mxn", proration_behavior="always_invoice", payment_behavior="pending_if_incomplete"
    )
    waits = await shop.api.subscriptions.update_async(made.id, change)
    assert waits.pending_update is not None
    assert (waits.status, waits["items"].data[0].price.unit_amount) == ("active", 19900)
    await shop.api.invoices.pay_async(waits.latest_invoice)
    done = await shop.api.subscriptions.retrieve_async(made.id)
    assert (done.pending_update, done["items"].data[0].price.unit_amount) == (None, 49900)


async def test_coupons_taxes_and_tiers_are_in_the_total(shop: Shop) -> None:
    product = await shop.api.products.create_async({"name": "Cajas"})
    steps = [{"up_to": 2, "unit_amount": 10000}, {"up_to": "inf", "unit_amount": 4000}]
    for mode, total in (("graduated", 28000), ("volume", 16000)):
        wanted: Any = {"product": product.id, "currency": "mxn", "recurring": {"interval": "month"}}
        price = await shop.api.prices.create_async(
            wanted | {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": steps}
        )
        items = [{"price": price.id, "quantity": 4}]
        made = await shop.api.subscriptions.create_async({"customer": (await shop.customer()).id, "items": items})
        shop.simulator.discount(made.id, 50)
        shop.simulator.tax(made.id, 16)
        preview = await shop.api.invoices.create_preview_async({"subscription": made.id})
        assert (preview.subtotal, preview.total) == (total, total * 58 // 100)
