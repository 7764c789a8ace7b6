"""Billing from the chat to Stripe and back: what a customer sees, taps, and is told."""

from __future__ import annotations

import json

from bot.sandbox.meta import Person
from tests.billing import asks, buttons, stripe_of, subscriber, taps, told_by_tool
from tests.world import World


async def test_a_customer_sees_their_plan(shop: World, ana: Person) -> None:
    await subscriber(shop, ana)
    await asks(shop, ana, "¿qué plan tengo?", "get_subscription")
    told = json.loads(told_by_tool(shop))
    assert (told["plan"], told["status"], told["price"]) == ("Básico", "active", "$199.00 MXN")
    assert told["next_charge"].startswith("$199.00 MXN on ")
    assert told["payment_method"] == "visa ending in 4242"


async def test_a_change_of_plan_is_shown_and_then_tapped_for_exactly_that_amount(shop: World, ana: Person) -> None:
    subscription = await subscriber(shop, ana)
    stripe_of(shop).advance(days=10)
    (card,) = await asks(shop, ana, "quiero el plan Pro", "change_plan", plan="pro")
    shown = card.request["interactive"]["body"]["text"]
    print(shown)
    confirm, leave = buttons(card)
    assert (
        stripe_of(shop).account.get("subscription", subscription)["items"]["data"][0]["price"]["unit_amount"] == 19900
    )
    told = await taps(shop, ana, confirm)
    print(told)
    invoice = next(iter(stripe_of(shop).snapshot()["invoices"]))
    print(invoice["amount_paid"], invoice["billing_reason"])
    told = await taps(shop, ana, confirm)
    print(told)
    told = await taps(shop, ana, leave)
    print(told)
    (card,) = await asks(shop, ana, "quiero cancelar", "cancel_subscription")
    print(card.request["interactive"]["body"]["text"])
    print(await taps(shop, ana, buttons(card)[0]))
    (card,) = await asks(shop, ana, "siempre no", "resume_subscription")
    print(card.request["interactive"]["body"]["text"])
    print(await taps(shop, ana, buttons(card)[0]))
    (card,) = await asks(shop, ana, "básico por año", "change_plan", plan="BASICO", interval="year")
    print(card.request["interactive"]["body"]["text"])
    print(await taps(shop, ana, buttons(card)[0]))
    (card,) = await asks(shop, ana, "básico por mes", "change_plan", plan="BASICO", interval="month")
    print(card.request["interactive"]["body"]["text"])
    print(await taps(shop, ana, buttons(card)[0]))
    assert 0
