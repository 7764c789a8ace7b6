"""Next charge of a subscription, by Stripe's preview, which knows add-ons, coupons, taxes and credit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import NothingToBill
from bot.integrations.stripe.formatting import day, money
from bot.integrations.stripe.objects import Invoice, Subscription, SubscriptionItem
from bot.integrations.stripe.texts import phrase
from bot.messages.language import Language

# Stripe collects no invoice of the others: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
_CHARGED = frozenset({"trialing", "active", "past_due"})


@dataclass(frozen=True, slots=True)
class Charge:
    """The next charge, as Stripe previews it. Of metered items it counts the use so far."""

    amount: int
    currency: str
    at: int


async def next_charge(stripe: Stripe, subscription: Subscription) -> Charge | None:
    """None when nothing will be charged: the subscription ends before, is over, or is paused."""
    if subscription.status not in _CHARGED or not subscription.renews or paused(subscription):
        return None
    preview = await next_invoice(stripe, subscription)
    return Charge(preview.amount_due, preview.currency, subscription.renews_at) if preview else None


async def next_invoice(stripe: Stripe, subscription: Subscription, **assumed: object) -> Invoice | None:
    """Preview of the next invoice, with these assumptions about the subscription; None when none is to come."""
    try:
        return await stripe.preview(subscription, **assumed)
    except NothingToBill:
        return None


def paused(subscription: Subscription) -> bool:
    """Whether nothing is collected at the next renewal."""
    pause = subscription.pause_collection
    return pause is not None and (pause.resumes_at is None or pause.resumes_at > subscription.renews_at)


def next_charge_text(charge: Charge | None, subscription: Subscription, zone: tzinfo, language: Language) -> str:
    """The sentence about the next charge; empty when another sentence tells the end of the subscription."""
    pause = subscription.pause_collection
    if charge is None and pause is not None and paused(subscription):
        until = day(pause.resumes_at, zone, language) if pause.resumes_at else ""
        return phrase("paused_until" if until else "paused", language, day=until)
    if charge is None:
        return ""
    usage = phrase("and_usage", language) if subscription.metered else ""
    amount = f"{money(charge.amount, charge.currency)}{usage}"
    return phrase("next_charge", language, amount=amount, day=day(charge.at, zone, language))


def list_price(item: SubscriptionItem) -> int | None:
    """Price of one period of the item by the price list; None when it depends on use or on quantity."""
    unit_price = item.price.unit_price
    return None if unit_price is None or item.price.metered else round(unit_price * item.units)
