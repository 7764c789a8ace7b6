"""Events reach the shop signed, repeated until they are taken, and in any order that a test wants."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from sandbox.stripe.webhooks import signature
from tests.sandbox.stripe_shop import NOON, WEBHOOK_SECRET, Shop, open_shop


async def test_events_arrive_signed_in_their_order_and_can_be_read_again(shop: Shop) -> None:
    await shop.subscribe((await shop.customer()).id)
    await shop.simulator.idle()
    assert shop.hook.types == shop.told()
    event = shop.hook.events[-1]
    assert (event.type, event.data.to_dict()["previous_attributes"]) == (
        "customer.subscription.updated",
        {"status": "incomplete"},
    )
    assert event.api_version == stripe.api_version
    kept = await shop.api.events.retrieve_async(event.id)
    assert (kept.data.object.id, kept.pending_webhooks) == (event.data.object.id, 0)
    listed = await shop.api.events.list_async({"type": "invoice.paid"})
    assert [each.type for each in listed.data] == ["invoice.paid"]


async def test_an_event_that_isnt_taken_comes_again_with_the_same_id(shop: Shop) -> None:
    shop.hook.answers = [500, 503]
    await shop.customer(None)
    await shop.simulator.idle()
    assert (shop.hook.tries, len(shop.hook.events)) == (3, 1)
    assert shop.hook.events[0].id == shop.simulator.events[0]["id"]
    shop.hook.answers = [500] * 4
    await shop.customer(None)
    await shop.simulator.idle()
    assert [each["id"] for each in shop.simulator.webhooks.undelivered] == [shop.simulator.events[1]["id"]]


async def test_events_may_come_twice_late_and_in_the_wrong_order(shop: Shop) -> None:
    shop.simulator.webhooks.twice = True
    customer = await shop.customer(None)
    await shop.simulator.idle()
    assert len({event.id for event in shop.hook.events}) == 1
    assert len(shop.hook.events) == 2
    shop.simulator.webhooks.twice, shop.simulator.webhooks.holding = False, True
    for name in ("Leo", "Sam"):
        await shop.api.customers.update_async(customer.id, {"name": name})
    assert [event["data"]["object"]["name"] for event in shop.simulator.webhooks.held] == ["Leo", "Sam"]
    shop.simulator.webhooks.release(backwards=True)
    await shop.simulator.idle()
    assert [event.data.object.name for event in shop.hook.events[2:]] == ["Sam", "Leo"]
    shop.simulator.deliver_again(shop.hook.events[0].id)
    await shop.simulator.idle()
    assert shop.hook.events[-1].id == shop.hook.events[0].id


def test_the_signature_is_of_exactly_this_body_and_secret() -> None:
    header = signature(WEBHOOK_SECRET, '{"object": "event"}', 1)
    assert stripe.WebhookSignature.verify_header('{"object": "event"}', header, WEBHOOK_SECRET)
    for body, secret in (('{"object":"event"}', WEBHOOK_SECRET), ('{"object": "event"}', "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.WebhookSignature.verify_header(body, header, secret)


async def test_the_clock_only_goes_forward_and_dates_everything(shop: Shop) -> None:
    shop.simulator.advance_to(NOON + timedelta(days=400))
    assert (await shop.customer(None)).created == int((NOON + timedelta(days=400)).timestamp())
    with pytest.raises(ValueError, match="has passed"):
        shop.simulator.advance_to(NOON)


async def test_pages_may_be_reached_at_another_address_than_the_api() -> None:
    async with open_shop(public_url="https://sandbox.example") as shop:
        made = await shop.subscribe((await shop.customer()).id, expand=["latest_invoice"])
        assert made.latest_invoice.hosted_invoice_url.startswith("https://sandbox.example/i/")


async def test_another_run_with_another_seed_makes_other_ids() -> None:
    ids = []
    for seed in ("a", "a", "b"):
        async with open_shop(seed=seed) as shop:
            ids.append((await shop.customer(None)).id)
    assert ids[0] == ids[1] != ids[2]
