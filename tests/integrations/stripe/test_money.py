"""Sentences about money: each amount and promise comes from the object that Stripe returned."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sandbox.meta.simulator import Person
from sandbox.phone.demo_customers import customer, price_of, subscribe
from sandbox.stripe import StripeSimulator
from sandbox.stripe.forms import PriceCreate, ProductCreate
from sandbox.stripe.forms_billing import SubscriptionUpdate
from tests.billing import (
    asks,
    body,
    buttons,
    end_period,
    last_tool_result,
    newest_invoice,
    stripe_of,
    stripe_settled,
    subscriber,
    taps,
    year_of,
)
from tests.outgoing import acquainted
from tests.world import World

MONTH = {"interval": "month"}


def priced(stripe: StripeSimulator, name: str, **price: Any) -> str:
    """A product with this price; gives the price's id."""
    product = stripe.catalog.create_product(ProductCreate(name=name))
    form = {"currency": "mxn", "recurring": MONTH, "product": product["id"]} | price
    return str(stripe.catalog.create_price(PriceCreate.model_validate(form))["id"])


async def subscribed(world: World, person: Person, *items: dict[str, Any], **more: Any) -> str:
    """A customer with a subscription of these items, whose beginning was announced already."""
    return await subscriber(world, person, items=list(items), **more)


def basico(world: World, quantity: int = 1) -> dict[str, Any]:
    return {"price": price_of(stripe_of(world), "basico_month_mxn"), "quantity": quantity}


def found(world: World, subscription: str) -> dict[str, Any]:
    return stripe_of(world).account.get("subscription", subscription)


def end_at_portal(world: World, subscription: str, *, ends: bool = True) -> None:
    stripe = stripe_of(world)
    session = {"customer": found(world, subscription)["customer"]}
    stripe.portal.set_ending(session, subscription, ends=ends)


# ---- several items, and all that changes what they cost


async def add_on(world: World, person: Person) -> str:
    support = priced(stripe_of(world), "Soporte", unit_amount=5000)
    return await subscribed(world, person, basico(world), {"price": support})


async def three_of_it(world: World, person: Person) -> str:
    return await subscribed(world, person, basico(world, 3))


async def coupon(world: World, person: Person) -> str:
    subscription = await subscribed(world, person, basico(world))
    stripe_of(world).discount(subscription, 25)
    return subscription


async def tax(world: World, person: Person) -> str:
    subscription = await add_on(world, person)
    stripe_of(world).tax(subscription, 16)
    return subscription


async def credit(world: World, person: Person) -> str:
    subscription = await add_on(world, person)
    stripe_of(world).account.get("customer", found(world, subscription)["customer"])["balance"] = -10000
    return subscription


async def tiers(world: World, person: Person) -> str:
    steps = [{"up_to": 2, "unit_amount": 10000}, {"up_to": "inf", "unit_amount": 4000}]
    price = priced(stripe_of(world), "Cajas", billing_scheme="tiered", tiers_mode="graduated", tiers=steps)
    return await subscribed(world, person, {"price": price, "quantity": 4})


async def parts_of_a_cent(world: World, person: Person) -> str:
    price = priced(stripe_of(world), "Timbres", unit_amount_decimal="12.5")
    return await subscribed(world, person, {"price": price, "quantity": 101})


async def yen(world: World, person: Person) -> str:
    return await subscribed(
        world, person, {"price": priced(stripe_of(world), "東京", currency="jpy", unit_amount=1980)}
    )


async def chilean_pesos(world: World, person: Person) -> str:
    price = priced(stripe_of(world), "Chile", currency="clp", unit_amount=9990)
    return await subscribed(world, person, {"price": price, "quantity": 2})


async def dinars(world: World, person: Person) -> str:
    return await subscribed(world, person, {"price": priced(stripe_of(world), "K", currency="kwd", unit_amount=1500)})


async def trial(world: World, person: Person) -> str:
    support = priced(stripe_of(world), "Soporte", unit_amount=5000)
    return await subscribed(world, person, basico(world), {"price": support}, trial_period_days=14)


Case = Callable[[World, Person], Awaitable[str]]
COSTS: list[tuple[Case, str, str]] = [
    (add_on, "$249.00 MXN", "Básico + Soporte"),
    (three_of_it, "$597.00 MXN", "Básico × 3"),
    (coupon, "$149.25 MXN", "Básico"),
    (tax, "$288.84 MXN", "Básico + Soporte"),
    (credit, "$149.00 MXN", "Básico + Soporte"),
    (tiers, "$280.00 MXN", "Cajas × 4"),
    (parts_of_a_cent, "$12.63 MXN", "Timbres × 101"),
    (yen, "¥1,980 JPY", "東京"),
    (chilean_pesos, "$19,980 CLP", "Chile × 2"),
    (dinars, "1.500 KWD", "K"),
    (trial, "$249.00 MXN", "Básico + Soporte"),
]


@pytest.mark.parametrize("case", COSTS, ids=lambda case: case[0].__name__)
async def test_one_amount_stands_on_the_card_in_the_tool_and_in_the_answer(
    shop: World, ana: Person, case: tuple[Case, str, str]
) -> None:
    make, amount, plan = case
    subscription = await make(shop, ana)
    await asks(shop, ana, "¿cuánto pago?", "get_subscription")
    told = json.loads(last_tool_result(shop))
    assert (told["plan"], told["next_charge"]["amount"]) == (plan, amount)
    (card,) = await asks(shop, ana, "cancélalo", "cancel_subscription")
    assert f"Cancelar tu plan *{plan}*" in body(card)
    assert f"no se cobran los *{amount}* del siguiente periodo" in body(card)
    assert (await taps(shop, ana, buttons(card)[0])).startswith(f"Listo: tu plan *{plan}* termina el ")
    (card,) = await asks(shop, ana, "mejor no", "resume_subscription")
    assert f"ese día se cobran *{amount}* y se renueva" in body(card)
    assert f"*{plan}* sigue. Próximo cobro: {amount}, el " in await taps(shop, ana, buttons(card)[0])
    assert not found(shop, subscription)["cancel_at_period_end"]


async def test_a_change_of_plan_beside_an_add_on_names_what_all_of_it_costs(shop: World, ana: Person) -> None:
    subscription = await add_on(shop, ana)
    (_, support) = found(shop, subscription)["items"]["data"]
    (card,) = await asks(shop, ana, "quiero Pro", "change_plan", plan="Pro", instead_of="Básico")
    assert "de *Básico* a *Pro*" in body(card)
    assert "Después: $549.00 MXN con Soporte al mes, próximo cobro el " in body(card)
    assert "Próximo cobro: $549.00 MXN, el " in await taps(shop, ana, buttons(card)[0])
    assert support["id"] in {item["id"] for item in found(shop, subscription)["items"]["data"]}
    assert newest_invoice(shop)["amount_paid"] == 30000


async def test_of_several_plans_the_one_that_is_replaced_is_asked_for(shop: World, ana: Person) -> None:
    await add_on(shop, ana)
    await asks(shop, ana, "quiero Pro", "change_plan", plan="Pro")
    assert "Básico, Soporte. Ask which one is replaced" in last_tool_result(shop)


async def test_items_of_different_intervals_end_together_when_the_last_is_over(shop: World, ana: Person) -> None:
    year = priced(stripe_of(shop), "Soporte", unit_amount=50000, recurring={"interval": "year"})
    subscription = await subscribed(shop, ana, {"price": year}, basico(shop))
    await asks(shop, ana, "¿cuánto pago?", "get_subscription")
    assert json.loads(last_tool_result(shop))["next_charge"]["amount"] == "$199.00 MXN"
    (card,) = await asks(shop, ana, "cancélalo", "cancel_subscription")
    assert f"de {year_of(stripe_of(shop)) + 1} y ya no se renueva." in body(card)
    assert "Hasta entonces se sigue cobrando" in body(card)
    told = await taps(shop, ana, buttons(card)[0])
    assert "Próximo cobro: $199.00 MXN, el " in told
    assert found(shop, subscription)["cancel_at"] == max(
        item["current_period_end"] for item in found(shop, subscription)["items"]["data"]
    )


async def test_of_several_subscriptions_the_one_that_is_meant_is_asked_for(shop: World, ana: Person) -> None:
    first = await subscriber(shop, ana)
    owner = found(shop, first)["customer"]
    second = subscribe(stripe_of(shop), owner, "pro_month_mxn")
    await stripe_settled(shop)
    await asks(shop, ana, "cancela", "cancel_subscription")
    assert "they have several subscriptions: Pro; Básico" in last_tool_result(shop)
    (card,) = await asks(shop, ana, "el básico", "cancel_subscription", which="basico")
    await taps(shop, ana, buttons(card)[0])
    assert [found(shop, subscription)["cancel_at_period_end"] for subscription in (first, second)] == [True, False]


async def test_what_is_charged_by_use_is_said_to_come_on_top(shop: World, ana: Person) -> None:
    stripe = stripe_of(shop)
    use = priced(stripe, "Timbres", unit_amount=200, recurring=MONTH | {"usage_type": "metered"})
    subscription = await subscribed(shop, ana, basico(shop), {"price": use})
    stripe.account.usage[found(shop, subscription)["items"]["data"][1]["id"]] = 10
    (card,) = await asks(shop, ana, "cancélalo", "cancel_subscription")
    assert "Al terminar se cobra lo que hayas usado." in body(card)
    await taps(shop, ana, buttons(card)[0])
    (card,) = await asks(shop, ana, "mejor no", "resume_subscription")
    assert "se cobran *$219.00 MXN* más lo que uses" in body(card)


# ---- promises


async def at_the_portal(world: World, subscription: str) -> None:
    end_at_portal(world, subscription)


async def on_a_date_of_somebodys(world: World, subscription: str) -> None:
    date = found(world, subscription)["items"]["data"][0]["current_period_end"] - 5 * 86400
    change = SubscriptionUpdate.model_validate({"cancel_at": str(date)})
    stripe_of(world).subscriptions.update(change, subscription)


async def by_the_flag(world: World, subscription: str) -> None:
    change = SubscriptionUpdate.model_validate({"cancel_at_period_end": "true"})
    stripe_of(world).subscriptions.update(change, subscription)


async def by_both(world: World, subscription: str) -> None:
    found(world, subscription)["cancel_at_period_end"] = True
    found(world, subscription)["cancel_at"] = found(world, subscription)["items"]["data"][0]["current_period_end"]


@pytest.mark.parametrize("end", [at_the_portal, on_a_date_of_somebodys, by_the_flag, by_both])
@pytest.mark.parametrize("mode", ["flexible", "classic"])
async def test_a_plan_goes_on_however_its_end_was_set(
    shop: World, ana: Person, end: Callable[[World, str], Awaitable[None]], mode: str
) -> None:
    subscription = await subscribed(shop, ana, basico(shop), billing_mode={"type": mode})
    await end(shop, subscription)
    await stripe_settled(shop)
    (card,) = await asks(shop, ana, "quiero seguir", "resume_subscription")
    assert (await taps(shop, ana, buttons(card)[0])).startswith("Listo: tu plan *Básico* sigue. Próximo cobro: $199")
    kept = found(shop, subscription)
    assert (kept["cancel_at"], kept["cancel_at_period_end"]) == (None, False)
    stripe_of(shop).advance(days=32)
    assert kept["status"] == "active"


async def test_an_end_that_stripe_does_not_take_back_is_said_to_hold(shop: World, ana: Person) -> None:
    subscription = await subscribed(shop, ana, basico(shop))
    end_at_portal(shop, subscription)
    (card,) = await asks(shop, ana, "quiero seguir", "resume_subscription")
    stripe_of(shop).subscriptions.stubborn = True
    told = await taps(shop, ana, buttons(card)[0])
    assert told.startswith("Tu plan *Básico* todavía termina el ")
    assert "sigue" not in told


async def test_a_schedule_decides_about_the_end(shop: World, ana: Person) -> None:
    subscription = await subscribed(shop, ana, basico(shop))
    end_at_portal(shop, subscription)
    found(shop, subscription)["schedule"] = "sub_sched_1"
    (card,) = await asks(shop, ana, "quiero seguir", "resume_subscription")
    assert "no cambié nada" in await taps(shop, ana, buttons(card)[0])
    assert found(shop, subscription)["cancel_at"] is not None


async def test_what_waits_for_a_payment_is_not_said_to_be_done(shop: World, ana: Person) -> None:
    subscription = await subscribed(shop, ana, basico(shop))
    (card,) = await asks(shop, ana, "quiero Pro", "change_plan", plan="Pro")
    stripe_of(shop).subscriptions.puts_off = True
    told = await taps(shop, ana, buttons(card)[0])
    assert told.startswith("Tu plan todavía es *Básico*: cambia a *Pro* cuando se paguen $300.00 MXN. http")
    assert "Próximo cobro: $199.00 MXN" in told
    await asks(shop, ana, "¿qué plan tengo?", "get_subscription")
    told = json.loads(last_tool_result(shop))
    assert (told["plan"], told["still_to_pay"]) == ("Básico", "$300.00 MXN")
    assert "change_waits_for_payment_until" in told
    assert found(shop, subscription)["pending_update"]


async def test_an_invoice_that_is_sent_is_not_said_to_be_charged(shop: World, ana: Person) -> None:
    await subscribed(shop, ana, basico(shop), collection_method="send_invoice", days_until_due=10)
    (card,) = await asks(shop, ana, "quiero Pro", "change_plan", plan="Pro")
    told = await taps(shop, ana, buttons(card)[0])
    assert told.startswith("Listo: tu plan ahora es *Pro*. Falta pagar $300.00 MXN de su factura. http")
    assert "Se cobró" not in told


async def test_a_bank_that_wants_the_customer_to_confirm_is_not_said_to_have_refused(shop: World, ana: Person) -> None:
    await subscribed(shop, ana, basico(shop))
    (card,) = await asks(shop, ana, "quiero Pro", "change_plan", plan="Pro")
    stripe_of(shop).will_decline(code="authentication_required")
    told = await taps(shop, ana, buttons(card)[0])
    assert told.startswith("Tu banco pide que tú mismo confirmes el cobro de $300.00 MXN, así que no cambié nada.")


async def test_while_collection_is_paused_no_charge_is_promised(shop: World, ana: Person) -> None:
    subscription = await subscribed(shop, ana, basico(shop))
    found(shop, subscription)["pause_collection"] = {"behavior": "void", "resumes_at": None}
    await asks(shop, ana, "¿cuánto pago?", "get_subscription")
    told = json.loads(last_tool_result(shop))
    assert (told["next_charge"], told["charges_paused_until"]) == (None, "somebody goes on")
    (card,) = await asks(shop, ana, "cancélalo", "cancel_subscription")
    assert "no se cobran" not in body(card)
    await taps(shop, ana, buttons(card)[0])
    (card,) = await asks(shop, ana, "mejor no", "resume_subscription")
    assert "se cobran" not in body(card)
    assert (await taps(shop, ana, buttons(card)[0])).endswith("sigue. Los cobros están en pausa.")


async def test_a_payment_that_is_open_stands_on_the_card(shop: World, ana: Person) -> None:
    await subscribed(shop, ana, basico(shop))
    stripe_of(shop).will_decline(1)
    end_period(stripe_of(shop))
    await stripe_settled(shop)
    (card,) = await asks(shop, ana, "cancélalo", "cancel_subscription")
    assert "Además están por pagar *$199.00 MXN* de tu última factura." in body(card)


async def test_a_change_that_is_pending_is_still_charged_at_the_end(shop: World, ana: Person) -> None:
    subscription = await subscribed(shop, ana, basico(shop))
    item = found(shop, subscription)["items"]["data"][0]["id"]
    change = {"items": [{"id": item, "price": price_of(stripe_of(shop), "pro_month_mxn")}]}
    stripe_of(shop).subscriptions.update(SubscriptionUpdate.model_validate(change), subscription)
    (card,) = await asks(shop, ana, "cancélalo", "cancel_subscription")
    assert "no se cobran los *$499.00 MXN* del siguiente periodo" in body(card)
    assert "Al terminar se cobran todavía *$300.00 MXN* que están pendientes." in body(card)


async def test_who_has_to_make_a_first_payment_gets_no_second_subscription(shop: World, ana: Person) -> None:
    stripe = stripe_of(shop)
    owner = customer(stripe, ana.phone, "Ana", "ana@example.com", card="")
    subscribe(stripe, owner, payment_behavior="default_incomplete")
    await stripe_settled(shop)
    (button,) = await asks(shop, ana, "quiero Pro", "start_subscription", plan="Pro")
    assert "Tu primer pago de *$199.00 MXN* está pendiente" in body(button)
    assert stripe.snapshot()["checkout_sessions"] == []
    await asks(shop, ana, "¿qué plan tengo?", "get_subscription")
    assert "waits for its first payment" in last_tool_result(shop)


async def test_a_page_to_subscribe_says_what_it_asks_for(shop: World, ana: Person) -> None:
    customer(stripe_of(shop), ana.phone, "Ana", "ana@example.com")
    (button,) = await asks(shop, ana, "quiero Pro", "start_subscription", plan="Pro")
    assert "*Pro* ($499.00 MXN al mes)" in body(button)
    assert "Hoy se cobran $499.00 MXN." in body(button)


async def test_a_subscription_that_ends_beside_another_one_is_named(shop: World, ana: Person) -> None:
    await acquainted(shop, ana)
    first = await subscriber(shop, ana)
    owner, before = found(shop, first)["customer"], len(shop.meta.sent_to(ana))
    stripe_of(shop).advance(seconds=5)
    second = subscribe(stripe_of(shop), owner, "pro_month_mxn")
    await stripe_settled(shop)
    stripe_of(shop).subscriptions.end(found(shop, second))
    await stripe_settled(shop)
    told = [message.text for message in shop.meta.sent_to(ana)[before:]]
    assert told[-1] == "Tu plan *Pro* terminó. Tu plan *Básico* sigue."


async def test_what_the_portal_did_is_told_with_all_that_is_paid(shop: World, ana: Person) -> None:
    await acquainted(shop, ana)
    subscription = await add_on(shop, ana)
    end_at_portal(shop, subscription)
    await stripe_settled(shop)
    end_at_portal(shop, subscription, ends=False)
    await stripe_settled(shop)
    (ending, resumed) = [message.text for message in shop.meta.sent_to(ana)[-2:]]
    assert ending.startswith("Tu plan *Básico + Soporte* termina el ")
    assert resumed.startswith("Tu plan *Básico + Soporte* sigue. Próximo cobro: $249.00 MXN, el ")


async def test_in_english_the_same_is_said(shop: World, leo: Person) -> None:
    await shop.meta.writes(leo, {"type": "text", "text": {"body": "hello, what are your opening hours please?"}})
    await shop.meta.replies(leo)
    subscription = await add_on(shop, leo)
    end_at_portal(shop, subscription)
    await stripe_settled(shop)
    (card,) = await asks(shop, leo, "please keep my plan", "resume_subscription")
    assert "that day *$249.00 MXN* is charged and it is renewed" in body(card)
    told = await taps(shop, leo, buttons(card)[0])
    assert told.startswith("Done: your plan *Básico + Soporte* goes on. Next charge: $249.00 MXN, on ")
