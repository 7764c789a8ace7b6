"""Plans changed, cancelled and resumed by a tap: the shown change is made, once, even when Stripe fails."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.infra.redis import answer, key
from sandbox.meta.simulator import Person
from sandbox.phone.demo_customers import customer, price_of, subscribe
from sandbox.simulators.openrouter import calls, says
from sandbox.stripe.forms import CustomerUpdate
from sandbox.stripe.forms_billing import SubscriptionUpdate
from tests.billing import (
    asks,
    billing,
    body,
    buttons,
    newest_invoice,
    stripe_of,
    stripe_settled,
    subscriber,
    taps,
    year_of,
)
from tests.outgoing import conversation_of
from tests.processes import eventually, running
from tests.world import Start, World


def price(world: World, subscription: str) -> int:
    found = stripe_of(world).account.get("subscription", subscription)
    return int(found["items"]["data"][0]["price"]["unit_amount"])


def next_april() -> datetime:
    now = datetime.now(UTC)
    return datetime(now.year + 1, 4, 1, 12, tzinfo=UTC)


async def offered_pro(world: World, person: Person) -> tuple[str, list[dict[str, Any]], str]:
    """Shows a subscriber of Básico the cost of Pro; gives the subscription, the buttons and the card's text."""
    # A month has 28 to 31 days and a change costs the rest of it, so that the subscription begins with a month of 30.
    stripe_of(world).advance_to(next_april())
    subscription = await subscriber(world, person)
    stripe_of(world).advance(days=10)
    (card,) = await asks(world, person, "quiero el plan Pro", "change_plan", plan="pro")
    return subscription, buttons(card), body(card)


# ---- changes by a tap


async def test_a_change_of_plan_is_shown_and_then_tapped_for_exactly_that_amount(shop: World, ana: Person) -> None:
    subscription, (confirm, _), shown = await offered_pro(shop, ana)
    amount = re.findall(r"Hoy se cobra: \*\$([\d.]+) MXN\*", shown)
    assert price(shop, subscription) == 19900
    told = await taps(shop, ana, confirm)
    invoice = newest_invoice(shop)
    assert (invoice["billing_reason"], f"{invoice['amount_paid'] / 100:.2f}") == ("subscription_update", *amount)
    assert price(shop, subscription) == 49900
    assert told.startswith(f"Listo: tu plan ahora es *Pro*. Se cobró ${amount[0]} MXN.")
    again = await taps(shop, ana, confirm)
    assert again.startswith("Ya habías contestado")
    await stripe_settled(shop)
    assert len(shop.meta.sent_to(ana)) == 3
    assert len(stripe_of(shop).snapshot()["invoices"]) == 2


async def test_a_tap_for_a_subscription_that_is_gone_asks_for_no_card(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    stripe_of(shop).account.remove(stripe_of(shop).account.get("subscription", subscription))
    assert "ya no está como cuando te lo mostré" in await taps(shop, ana, confirm)


async def test_the_last_button_leaves_everything_as_it_is(shop: World, ana: Person) -> None:
    subscription, (confirm, leave), _ = await offered_pro(shop, ana)
    assert await taps(shop, ana, leave) == "De acuerdo, no cambié nada."
    assert "no cambié nada" in await taps(shop, ana, confirm)
    assert price(shop, subscription) == 19900


async def test_a_downgrade_credits_and_charges_nothing(shop: World, ana: Person) -> None:
    subscription = await subscriber(shop, ana, "pro_month_mxn")
    (card,) = await asks(shop, ana, "quiero el básico", "change_plan", plan="BASICO")
    assert "Hoy no se cobra nada; quedan *$300.00 MXN* a tu favor" in body(card)
    told = await taps(shop, ana, buttons(card)[0])
    assert "quedan $300.00 MXN a tu favor" in told
    assert price(shop, subscription) == 19900
    assert newest_invoice(shop)["total"] == -30000


async def test_a_year_is_charged_at_once_and_the_next_day_is_right(shop: World, ana: Person) -> None:
    await subscriber(shop, ana)
    (card,) = await asks(shop, ana, "por año", "change_plan", plan="Básico", interval="year")
    assert "de *Básico al mes* a *Básico al año*" in body(card)
    assert "$1,791.00 MXN" in body(card)
    told = await taps(shop, ana, buttons(card)[0])
    next_year = year_of(stripe_of(shop)) + 1
    assert f"de {next_year}" in body(card)
    assert told.endswith(f"de {next_year}.")


async def test_during_a_trial_a_change_costs_nothing_today(shop: World, ana: Person) -> None:
    subscription = await subscriber(shop, ana, trial_period_days=14)
    (card,) = await asks(shop, ana, "quiero Pro", "change_plan", plan="Pro")
    assert "Hoy se cobra: *$0.00 MXN*" in body(card)
    assert "Hoy no se cobró nada" in await taps(shop, ana, buttons(card)[0])
    assert price(shop, subscription) == 49900
    assert newest_invoice(shop)["amount_paid"] == 0


async def test_a_subscription_is_cancelled_and_resumed_by_taps_each_told_once(shop: World, ana: Person) -> None:
    subscription = await subscriber(shop, ana)
    (card,) = await asks(shop, ana, "quiero cancelar", "cancel_subscription")
    assert "$199.00 MXN" in body(card)
    assert (await taps(shop, ana, buttons(card)[0])).startswith("Listo: tu plan *Básico* termina el ")
    assert stripe_of(shop).account.get("subscription", subscription)["cancel_at_period_end"]
    (card,) = await asks(shop, ana, "mejor no", "resume_subscription")
    assert (await taps(shop, ana, buttons(card)[0])).startswith("Listo: tu plan *Básico* sigue.")
    assert not stripe_of(shop).account.get("subscription", subscription)["cancel_at_period_end"]
    await stripe_settled(shop)
    assert len(shop.meta.sent_to(ana)) == 4


async def test_a_card_is_good_for_minutes_only(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    card = key(await conversation_of(shop, ana), "card", confirm["id"].partition(".")[2])
    until = float(str(await answer(shop.redis.hget(card, "until"))))
    assert 14 * 60 < until - time.time() <= 15 * 60
    await answer(shop.redis.hset(card, "until", str(time.time() - 1)))
    assert "ya no vale" in await taps(shop, ana, confirm)
    assert price(shop, subscription) == 19900


async def test_a_tap_by_somebody_else_does_nothing_and_spoils_nothing(shop: World, ana: Person, leo: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    await subscriber(shop, leo)
    assert "ya no vale" in await taps(shop, leo, confirm)
    assert price(shop, subscription) == 19900
    assert (await taps(shop, ana, confirm)).startswith("Listo: ")


@pytest.mark.parametrize("words", ["sí, confirmo", "Confirmar", "do.{token}"])
async def test_words_confirm_nothing_even_with_a_model_that_wants_to(shop: World, ana: Person, words: str) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    shop.models.will(
        calls(("change_plan", {"plan": "pro", "confirmed": True}), ("confirm_change", {"token": confirm["id"]})),
        calls(("change_plan", {"plan": "Pro"})),
        says("Listo, ya tienes Pro."),
    )
    await shop.meta.writes(ana, {"type": "text", "text": {"body": words.format(token=confirm["id"][3:])}})
    await shop.meta.replies(ana, 2)
    assert price(shop, subscription) == 19900


async def test_a_tap_and_words_together_are_both_minded(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    shop.models.will(says("Abrimos a las 9."))
    async with shop.meta.batch():
        reply = {"type": "button_reply", "button_reply": confirm}
        await shop.meta.writes(ana, {"type": "interactive", "interactive": reply})
        await shop.meta.writes(ana, {"type": "text", "text": {"body": "¿y a qué hora abren?"}})
    (_, told) = await shop.meta.replies(ana, 2)
    assert price(shop, subscription) == 49900
    assert told.text.startswith("Listo: tu plan ahora es *Pro*")
    assert told.text.endswith("Abrimos a las 9.")
    assert "<tap_settled>" in str(shop.models.requests[-1]["messages"][-1]["content"])


async def test_what_costs_something_else_by_now_is_shown_anew(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    found = stripe_of(shop).account.get("subscription", subscription)
    stripe_of(shop).account.get("customer", found["customer"])["balance"] = -5000
    told = await taps(shop, ana, confirm)
    assert told.startswith("No cambié nada: los datos o el importe ya no son")
    assert price(shop, subscription) == 19900
    card = shop.meta.sent_to(ana)[-1]
    assert "Hoy se cobra: *$150.00 MXN*" in body(card)
    assert "Se cobró $150.00 MXN" in await taps(shop, ana, buttons(card)[0])
    assert newest_invoice(shop)["amount_paid"] == 15000


async def test_a_subscription_that_changed_otherwise_is_left_alone(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    stripe = stripe_of(shop)
    item = stripe.account.get("subscription", subscription)["items"]["data"][0]["id"]
    change = {"items": [{"id": item, "price": price_of(stripe, "pro_month_mxn")}]}
    stripe.subscriptions.update(SubscriptionUpdate.model_validate(change), subscription)
    before = len(stripe.snapshot()["invoices"])
    await stripe_settled(shop)
    assert "ya no está como cuando te lo mostré" in await taps(shop, ana, confirm)
    assert len(stripe.snapshot()["invoices"]) == before


# ---- what goes wrong between us and Stripe


async def test_an_answer_that_is_lost_after_the_work_bills_once(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    stripe_of(shop).will_drop(1, f"/v1/subscriptions/{subscription}")
    stripe_of(shop).will_drop(1, f"/v1/subscriptions/{subscription}")
    told = await taps(shop, ana, confirm)
    assert told.startswith("Listo: tu plan ahora es *Pro*")
    assert len(stripe_of(shop).snapshot()["invoices"]) == 2


async def test_in_doubt_the_same_button_asks_again_and_bills_once(shop: World, ana: Person) -> None:
    subscription, (confirm, leave), _ = await offered_pro(shop, ana)
    # The check of the shown values is answered. The change itself is made, and its answers are lost.
    stripe_of(shop).will_be_slow(0, 1, f"/v1/subscriptions/{subscription}")
    stripe_of(shop).will_drop(3, f"/v1/subscriptions/{subscription}")
    assert "no me confirmó si se hizo" in await taps(shop, ana, confirm)
    told = await taps(shop, ana, confirm)
    assert told.startswith("Listo: tu plan ahora es *Pro*")
    assert "Ya habías contestado" in await taps(shop, ana, leave)
    assert price(shop, subscription) == 49900
    assert len(stripe_of(shop).snapshot()["invoices"]) == 2


async def test_a_worker_killed_while_stripe_works_bills_once_and_is_made_good(
    stripe: Any, start: Start, ana: Person
) -> None:
    world = await start(workers=0, stripe=stripe, **billing(stripe))
    async with running("worker", "--queues", "llm") as doomed:
        owner = customer(stripe, ana.phone, "Ana", "ana@example.com")
        subscription = subscribe(stripe, owner)
        stripe.advance(days=10)
        (card,) = await asks(world, ana, "quiero el plan Pro", "change_plan", plan="pro")
        stripe.will_be_slow(0, 1, f"/v1/subscriptions/{subscription}")
        stripe.will_be_slow(20, 1, f"/v1/subscriptions/{subscription}")
        reply = {"type": "button_reply", "button_reply": buttons(card)[0]}
        await world.meta.writes(ana, {"type": "interactive", "interactive": reply})

        async def changed() -> bool:
            return price(world, subscription) == 49900

        await eventually(changed)
        doomed.process.kill()
        await doomed.process.wait()
    async with running("worker", "--queues", "llm") as second:
        (_, told) = await world.meta.replies(ana, 2)
    for secret in ("5512345678", ana.bsuid, "Ana", "ana@", "sk_test", "whsec"):
        assert secret not in doomed.text + second.text
    assert told.text.startswith("Listo: tu plan ahora es *Pro*")
    assert len(stripe.snapshot()["invoices"]) == 2


async def test_a_card_that_is_declined_changes_nothing(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    stripe_of(shop).will_decline()
    assert "El banco no aceptó el cobro de $200.00 MXN" in await taps(shop, ana, confirm)
    assert price(shop, subscription) == 19900


async def test_without_a_card_nothing_is_changed(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    owner = stripe_of(shop).account.get("subscription", subscription)["customer"]
    stripe_of(shop).customers.update(
        CustomerUpdate.model_validate({"invoice_settings": {"default_payment_method": ""}}), owner
    )
    assert "no hay una tarjeta" in await taps(shop, ana, confirm)
    assert price(shop, subscription) == 19900


async def test_while_stripe_is_away_a_tap_can_be_done_again(shop: World, ana: Person) -> None:
    subscription, (confirm, _), _ = await offered_pro(shop, ana)
    stripe_of(shop).will_be_unavailable(3)
    assert "Toca *Confirmar* otra vez" in await taps(shop, ana, confirm)
    assert price(shop, subscription) == 19900
    assert (await taps(shop, ana, confirm)).startswith("Listo: ")
