"""A change within a period costs by the second, and the preview equals the bill."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.periods import anchored, period_after, share
from tests.sandbox.stripe_shop import NOON, Shop

MONTH = 28 * 86400  # From 31 January 2027 to 28 February.
BASICO, PRO = 19900, 49900
INTERVALS = st.sampled_from([{"interval": "month", "interval_count": 1}, {"interval": "year", "interval_count": 1}])


def due(amount: int, seconds: int, whole: int = MONTH) -> int:
    """Rounded half up, in whole cents."""
    return (2 * amount * seconds + whole) // (2 * whole)


async def both(shop: Shop, subscription: Any, change: dict[str, Any]) -> tuple[Any, Any]:
    """The preview of a change, and the subscription after it."""
    wanted = {"subscription": subscription.id, "subscription_details": change}
    preview = await shop.api.invoices.create_preview_async(wanted)
    return preview, await shop.api.subscriptions.update_async(subscription.id, change | {"expand": ["latest_invoice"]})


@pytest.mark.parametrize("passed", [1, 3600, 864001, 1209600, MONTH - 1])
async def test_an_upgrade_billed_at_once_costs_the_difference_by_the_second(shop: Shop, passed: int) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.advance(seconds=passed)
    change = await shop.change_to(made, "pro_month_mxn", proration_behavior="always_invoice")
    preview, changed = await both(shop, made, change)
    left = MONTH - passed
    assert [line.amount for line in preview.lines.data] == [-due(BASICO, left), due(PRO, left)]
    billed = changed.latest_invoice
    assert [line.amount for line in billed.lines.data] == [line.amount for line in preview.lines.data]
    assert (billed.amount_paid, billed.billing_reason) == (preview.amount_due, "subscription_update")
    assert all(line.parent.subscription_item_details.proration for line in billed.lines.data)
    assert changed.billing_cycle_anchor == made.billing_cycle_anchor


async def test_the_date_of_a_proration_holds_while_the_customer_thinks(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.advance(days=10)
    moment = int(shop.simulator.now.timestamp())
    change = await shop.change_to(made, "pro_month_mxn", proration_behavior="always_invoice", proration_date=moment)
    shown = await shop.api.invoices.create_preview_async({"subscription": made.id, "subscription_details": change})
    shop.simulator.advance(seconds=900)
    changed = await shop.api.subscriptions.update_async(made.id, change | {"expand": ["latest_invoice"]})
    assert changed.latest_invoice.amount_paid == shown.amount_due
    assert shown.parent.subscription_details.subscription_proration_date == moment
    for outside in (int(NOON.timestamp()) - 1, int(NOON.timestamp()) + MONTH + 1):
        with pytest.raises(stripe.InvalidRequestError, match="current period"):
            await shop.api.subscriptions.update_async(made.id, change | {"proration_date": outside})


async def test_prorations_that_wait_are_on_the_next_invoice_as_previewed(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.advance(days=7)
    preview, changed = await both(shop, made, await shop.change_to(made, "pro_month_mxn"))
    assert changed.latest_invoice.id == made.latest_invoice
    assert preview.amount_due == -due(BASICO, 21 * 86400) + due(PRO, 21 * 86400) + PRO
    again = await shop.api.invoices.create_preview_async({"subscription": made.id})
    shop.simulator.advance(days=22)
    renewed = await shop.api.subscriptions.retrieve_async(made.id, {"expand": ["latest_invoice"]})
    assert renewed.latest_invoice.amount_paid == preview.amount_due == again.amount_due
    assert len(renewed.latest_invoice.lines.data) == 3


async def test_a_downgrade_leaves_credit_that_later_invoices_use(shop: Shop) -> None:
    customer = await shop.customer()
    made = await shop.subscribe(customer.id, "pro_month_mxn")
    shop.simulator.advance(days=14)
    change = await shop.change_to(made, "basico_month_mxn", proration_behavior="always_invoice")
    preview, changed = await both(shop, made, change)
    credit = due(PRO, 14 * 86400) - due(BASICO, 14 * 86400)
    assert (preview.total, preview.amount_due, changed.latest_invoice.status) == (-credit, 0, "paid")
    assert (await shop.api.customers.retrieve_async(customer.id)).balance == -credit
    upcoming = await shop.api.invoices.create_preview_async({"subscription": made.id})
    shop.simulator.advance(days=15)
    renewed = await shop.api.subscriptions.retrieve_async(made.id, {"expand": ["latest_invoice"]})
    assert renewed.latest_invoice.amount_paid == upcoming.amount_due == BASICO - credit
    assert (await shop.api.customers.retrieve_async(customer.id)).balance == 0


async def test_without_proration_the_new_price_counts_from_the_next_period(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.advance(days=7)
    change = await shop.change_to(made, "pro_month_mxn", proration_behavior="none")
    preview, changed = await both(shop, made, change)
    assert (preview.amount_due, changed.latest_invoice.id) == (PRO, made.latest_invoice)


@pytest.mark.parametrize("behavior", ["create_prorations", "always_invoice", "none"])
async def test_from_month_to_year_a_new_cycle_is_billed_at_once(shop: Shop, behavior: str) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.advance(days=7)
    change = await shop.change_to(made, "basico_year_mxn", proration_behavior=behavior)
    preview, changed = await both(shop, made, change)
    credit = 0 if behavior == "none" else due(BASICO, 21 * 86400)
    assert changed.latest_invoice.amount_paid == preview.amount_due == 199000 - credit
    item = changed["items"].data[0]
    period = [datetime.fromtimestamp(each, UTC) for each in (item.current_period_start, item.current_period_end)]
    assert period == [NOON + timedelta(days=7), datetime(2028, 2, 7, 12, tzinfo=UTC)]
    assert changed.billing_cycle_anchor == item.current_period_start


async def test_an_upgrade_that_is_declined_may_change_nothing(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    shop.simulator.advance(days=7)
    change = await shop.change_to(made, "pro_month_mxn", proration_behavior="always_invoice")
    shop.simulator.will_decline()
    with pytest.raises(stripe.CardError):
        await shop.api.subscriptions.update_async(made.id, change | {"payment_behavior": "error_if_incomplete"})
    same = await shop.api.subscriptions.retrieve_async(made.id)
    assert (same.status, same["items"].data[0].price.unit_amount) == ("active", BASICO)
    shop.simulator.will_decline()
    changed = await shop.api.subscriptions.update_async(made.id, change)
    assert (changed.status, changed["items"].data[0].price.unit_amount) == ("past_due", PRO)


async def test_an_item_without_its_id_is_a_second_item(shop: Shop) -> None:
    made = await shop.subscribe((await shop.customer()).id)
    added = {"items": [{"price": (await shop.price("pro_month_mxn")).id}]}
    changed = await shop.api.subscriptions.update_async(made.id, added)
    assert len(changed["items"].data) == 2
    with pytest.raises(stripe.InvalidRequestError, match="same plan"):
        await shop.api.subscriptions.update_async(made.id, added)
    gone = {"items": [{"id": item.id, "deleted": True} for item in changed["items"].data]}
    with pytest.raises(stripe.InvalidRequestError, match="at least one"):
        await shop.api.subscriptions.update_async(made.id, gone)


@given(st.integers(0, 10**8), st.integers(1, 366 * 86400), st.data())
def test_what_is_used_and_what_is_left_make_the_whole(amount: int, whole: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, whole))
    left = share(amount, at, 0, whole)
    assert 0 <= left <= amount
    assert abs(left * whole - amount * (whole - at)) * 2 <= whole
    assert share(amount, 0, 0, whole) == amount
    assert share(amount, whole, 0, whole) == 0


@given(st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)), INTERVALS, st.integers(0, 40))  # noqa: DTZ001
def test_periods_follow_each_other_without_a_gap(start: datetime, recurring: dict[str, Any], count: int) -> None:
    anchor = int(start.replace(tzinfo=UTC).timestamp())
    begin, end = (anchored(anchor, number, recurring) for number in (count, count + 1))
    assert period_after(anchor, begin, recurring) == period_after(anchor, end - 1, recurring) == end
    assert datetime.fromtimestamp(end, UTC).day <= start.day
