"""Stripe's events: each is told once, in any order, through the right channel and in the right language."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from bot.cli.templates import _open
from bot.conversations.contacts import Contacts
from bot.infra.queues import Job
from bot.infra.redis import answer
from bot.integrations.stripe.billing import billing_of, event_handler_of
from bot.integrations.stripe.event_kinds import ACTED_ON
from bot.integrations.stripe.events import PublishedEvent
from bot.storage.factory import storage_of
from bot.whatsapp.client import Graph
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.phone.demo_customers import customer, subscribe
from sandbox.stripe import StripeSimulator
from sandbox.stripe.forms_billing import SubscriptionUpdate
from tests.billing import billing, end_period, mails, stripe_of, stripe_settled, subscriber
from tests.outgoing import acquainted, text
from tests.world import Start, World


def owner_of(world: World, subscription: str) -> str:
    return str(stripe_of(world).account.get("subscription", subscription)["customer"])


def refuse_renewals(world: World) -> None:
    for method in stripe_of(world).account.all("payment_method"):
        stripe_of(world).set_decline(method["id"])


async def renewed(world: World) -> None:
    """Let the period end, and an hour more, in which Stripe finalizes the renewal's invoice."""
    end_period(stripe_of(world))
    await stripe_settled(world)


async def test_a_payment_that_failed_is_told_in_the_open_chat_with_the_way_to_pay(shop: World, ana: Person) -> None:
    await subscriber(shop, ana)
    await acquainted(shop, ana)
    refuse_renewals(shop)
    await renewed(shop)
    (told,) = shop.meta.sent_to(ana)
    assert told.text.startswith("No pudimos cobrar $199.00 MXN de tu suscripción. Lo intentaremos otra vez el ")
    assert stripe_of(shop).snapshot()["invoices"][0]["hosted_invoice_url"] in told.text


async def test_outside_the_window_a_reminder_leaves_as_a_template(shop: World, ana: Person) -> None:
    await subscriber(shop, ana)
    await acquainted(shop, ana, hours_ago=30)
    refuse_renewals(shop)
    await renewed(shop)
    (told,) = shop.meta.sent_to(ana)
    template = told.request["template"]
    assert template["name"] == "payment_reminder"
    values = [parameter["text"] for parameter in template["components"][0]["parameters"]]
    assert values[:2] == ["Ana", "$199.00 MXN"]


async def test_every_attempt_is_told_and_the_end_too(shop: World, ana: Person) -> None:
    await subscriber(shop, ana)
    await acquainted(shop, ana)
    refuse_renewals(shop)
    await renewed(shop)
    for days in (4, 6, 8):
        stripe_of(shop).advance(days=days)
        await stripe_settled(shop)
    told = [sent.text for sent in shop.meta.sent_to(ana)]
    assert sum(reply.startswith("No pudimos cobrar") for reply in told) == 4
    assert [reply for reply in told if reply.startswith("Tu plan *Básico* terminó")]
    assert len(told) == 5


async def test_english_is_answered_in_english(shop: World, ana: Person) -> None:
    await subscriber(shop, ana)
    await shop.meta.writes(ana, text("hello, what are your opening hours please?"))
    await shop.meta.replies(ana)
    refuse_renewals(shop)
    await renewed(shop)
    assert shop.meta.sent_to(ana)[-1].text.startswith("We could not charge $199.00 MXN for your subscription.")


async def test_a_renewal_is_recorded_and_mailed_once_however_often_it_is_told(shop: World, ana: Person) -> None:
    stripe_of(shop).webhooks.twice = True
    await subscriber(shop, ana)
    await acquainted(shop, ana)
    await renewed(shop)
    for event in stripe_of(shop).events:
        stripe_of(shop).deliver_again(event["id"])
    await stripe_settled(shop)
    assert [mail["template"] for mail in await mails(shop, 2)] == ["invoice_paid", "invoice_paid"]
    assert shop.meta.sent_to(ana) == []


async def test_events_in_the_wrong_order_leave_the_right_state(shop: World, ana: Person) -> None:
    await acquainted(shop, ana)
    stripe = stripe_of(shop)
    stripe.webhooks.holding = True
    subscription = await subscriber(shop, ana)
    stripe.subscriptions.update(SubscriptionUpdate.model_validate({"cancel_at_period_end": "true"}), subscription)
    stripe.webhooks.release(backwards=True)
    await stripe_settled(shop)
    state = await answer(shop.redis.hget(f"recado:stripe:state:{owner_of(shop, subscription)}", "state"))
    assert '"status":"active"' in str(state)
    assert '"ends":true' in str(state)
    (told,) = shop.meta.sent_to(ana)
    assert told.text.startswith("¡Listo! Tu plan *Básico* está activo")


async def test_a_failure_that_was_paid_since_is_not_told(shop: World, ana: Person) -> None:
    await subscriber(shop, ana)
    await acquainted(shop, ana)
    refuse_renewals(shop)
    stripe = stripe_of(shop)
    stripe.webhooks.holding = True
    await renewed(shop)
    for method in stripe.account.all("payment_method"):
        stripe.set_decline(method["id"], None)
    stripe.advance(days=4)
    stripe.webhooks.release()
    await stripe_settled(shop)
    assert shop.meta.sent_to(ana) == []


async def test_old_subscriptions_are_not_announced_on_the_first_day(shop: World, ana: Person) -> None:
    await acquainted(shop, ana)
    stripe = stripe_of(shop)
    address, stripe.webhooks.url = stripe.webhooks.url, ""
    subscription = await subscriber(shop, ana)
    stripe.advance(days=3)
    stripe.webhooks.url = address
    metadata = {"metadata": {"note": "x"}}
    stripe.subscriptions.update(SubscriptionUpdate.model_validate(metadata), subscription)
    await stripe_settled(shop)
    assert shop.meta.sent_to(ana) == []


async def test_a_trial_that_ends_soon_is_mailed_once(shop: World, ana: Person) -> None:
    await subscriber(shop, ana, trial_period_days=14)
    stripe_of(shop).advance(days=12)
    await stripe_settled(shop)
    (mail,) = await mails(shop)
    assert (mail["to"], mail["template"], mail["data"]["name"]) == ("ana@example.com", "trial_ending", "Ana")
    assert date.fromisoformat(mail["data"]["date"]) == (
        (stripe_of(shop).now + timedelta(days=2)).astimezone(ZoneInfo("America/Mexico_City")).date()
    )


async def test_a_customer_that_nobody_wrote_as_is_mailed_all_the_same(shop: World, ana: Person) -> None:
    await subscriber(shop, Person(phone=None, bsuid="MX.1111111111111111", name="Eva"))
    (mail,) = await mails(shop)
    assert mail["to"] == "eva@example.com"
    assert shop.meta.accepted == []


async def test_a_payment_by_somebody_deleted_since_is_let_go(shop: World, ana: Person) -> None:
    stripe = stripe_of(shop)
    stripe.webhooks.holding = True
    subscription = await subscriber(shop, ana)
    stripe.account.remove(stripe.account.get("customer", owner_of(shop, subscription)))
    stripe.webhooks.release()
    await stripe_settled(shop)
    assert await answer(shop.redis.zcard("bull:notification:failed")) == 0


async def test_events_wait_for_a_stripe_that_is_away(stripe: StripeSimulator, start: Start, ana: Person) -> None:
    world = await start(workers=0, stripe=stripe, **billing(stripe))
    stripe.will_be_unavailable(3, "/v1/customers")
    subscribe(stripe, customer(stripe, ana.phone, "Ana", "ana@example.com"))
    await stripe.idle()
    async with running(world.settings, ("notification",), 1):
        await stripe_settled(world)
    assert [mail["template"] for mail in await mails(world)] == ["invoice_paid"]


async def test_subscribers_hear_of_changes_and_payments_with_ids_that_stay(
    stripe: StripeSimulator, start: Start, ana: Person
) -> None:
    world = await start(workers=0, stripe=stripe, **billing(stripe))
    owner = customer(stripe, ana.phone, "Ana", "ana@example.com")
    subscription = subscribe(stripe, owner)
    stripe.will_decline(2)
    end_period(stripe)
    heard: list[tuple[str, dict[str, Any], str]] = []

    async def publish(event: PublishedEvent, data: dict[str, Any], id_: str) -> None:
        heard.append((event, data, id_))

    async with _open(world.settings) as opened, aiohttp.ClientSession() as http:
        graph, storage = Graph(http, world.settings.whatsapp), storage_of(world.settings.storage)
        contacts = Contacts(world.redis)
        services = billing_of(world.redis, http, contacts, storage, graph, world.settings)
        assert services is not None
        handler = event_handler_of(services, world.redis, opened.notifications, world.settings, publish)
        for event in [*stripe.events, *stripe.events]:
            if event["type"] in ACTED_ON:
                await handler.process(_task(event))
    by_name = {name: {id_ for heard_name, _, id_ in heard if heard_name == name} for name, _, _ in heard}
    assert {name: len(ids) for name, ids in by_name.items()} == {
        "subscription.changed": 1,
        "payment.recorded": 1,
        "payment.failed": 1,
    }
    changed = next(data for name, data, _ in heard if name == "subscription.changed")
    assert changed["subscription"] == subscription
    assert (changed["customer"], changed["status"]) == (owner, "past_due")
    assert changed["conversation"].startswith("c_")
    assert changed["contact"] == {"phone": ana.phone, "bsuid": None, "name": "Ana"}
    paid = next(data for name, data, _ in heard if name == "payment.recorded")
    assert (paid["amount"], paid["currency"], paid["status"]) == (19900, "mxn", "paid")


def _task(event: dict[str, Any]) -> Job:
    about = event["data"]["object"]
    data = {"id": event["id"], "type": event["type"], "created": event["created"]}
    return Job("stripe", data | {"object": about["id"], "customer": about["customer"]}, event["id"])
