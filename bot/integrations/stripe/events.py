"""Handles Stripe's events: updates the stored state of a subscription, and tells the customer once.

An event only says where to look. The facts are read at Stripe, so that order and repetition don't matter.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.infra.queues import Job, JobRejected
from bot.integrations.stripe.amounts import list_price, next_charge, next_charge_text
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.customer_notices import Addressee, Addressees, CustomerNotifier
from bot.integrations.stripe.errors import StripeObjectGone
from bot.integrations.stripe.formatting import day, decimal, iso_day, money
from bot.integrations.stripe.objects import Customer, Invoice, Subscription
from bot.integrations.stripe.plans import Plans
from bot.integrations.stripe.subscription_state import SubscriptionState, SubscriptionStates, state_of
from bot.integrations.stripe.texts import phrase
from bot.messages.language import Language
from bot.messages.outbound import Template

_log = structlog.get_logger()
# An unknown subscription is announced only while it is this young: otherwise the first day would announce all old ones.
_YOUNG_SECONDS = 3600


PublishedEvent = Literal["subscription.changed", "payment.recorded", "payment.failed"]
PublishEvent = Callable[[PublishedEvent, dict[str, Any], str], Awaitable[None]]


class StripeEvent(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: str
    type: str
    object: str
    customer: str
    created: int


@dataclass(frozen=True, slots=True)
class StripeEventHandler:
    """`publish` passes events on to subscribed systems, if there are any."""

    stripe: Stripe
    plans: Plans
    states: SubscriptionStates
    addressees: Addressees
    notifier: CustomerNotifier
    zone: tzinfo
    publish: PublishEvent | None = None

    async def process(self, job: Job) -> None:
        """Work on the job of one event. Raises StripeFailed when Stripe can't be asked; the job is then retried."""
        try:
            event = StripeEvent.model_validate(job.data)
        except ValidationError as error:
            raise JobRejected("the data is not that of an event of Stripe's") from error
        try:
            customer = await self.stripe.customer(event.customer)
            if event.type == "invoice.paid":
                await self._paid(customer, await self.stripe.invoice(event.object))
            elif event.type == "invoice.payment_failed":
                await self._failed(customer, await self.stripe.invoice(event.object))
            elif event.type == "customer.subscription.trial_will_end":
                await self._trial_ends(customer, await self.stripe.subscription(event.object))
            else:
                await self._synchronise(customer, event)
        except StripeObjectGone:
            _log.info("stripe_event_of_the_past", type=event.type)

    # ---- subscriptions

    async def _synchronise(self, customer: Customer, event: StripeEvent) -> None:
        async with self.states.lock(customer.id):
            subscriptions = await self.stripe.subscriptions(customer.id)
            subscription = _current(subscriptions)
            now, before = state_of(subscription), await self.states.last(customer.id)
            changed = before is None or not before.equals(now) or before.until != now.until
            if subscription is not None and changed:
                expected = await self.states.expected(customer.id, now)
                addressee = await self.addressees.of(customer)
                await self._publish_change(addressee, customer, subscription, event)
                text = await self._change_text(before, (subscription, subscriptions), event, addressee.language)
                if text and not expected:
                    await self.notifier.in_open_chat(addressee, text, event.id)
                    await self.notifier.push(addressee, phrase("push_subscription", addressee.language), text, event.id)
                if expected:
                    await self.states.forget_expected(customer.id)
            await self.states.save(customer.id, now)

    async def _change_text(
        self,
        before: SubscriptionState | None,
        found: tuple[Subscription, list[Subscription]],
        event: StripeEvent,
        language: Language,
    ) -> str:
        """Text for the customer about a change, by Stripe's present state; empty when there is nothing to tell."""
        subscription, subscriptions = found
        plan = await self.plans.names_of(subscription.items.data)
        ended = next(
            (former for former in subscriptions if before and former.id == before.subscription and not former.live),
            None,
        )
        if ended is not None and ended is not subscription and subscription.created <= ended.created:
            name = await self.plans.names_of(ended.items.data)
            return phrase("event_one_ended", language, plan=name, other=plan) if subscription.live else ""
        about = _phrase_for(before, state_of(subscription), event.created)
        if about is None:
            return ""
        zone = self.zone
        charge = await next_charge(self.stripe, subscription)
        then = phrase("trial_then", language, amount=money(charge.amount, charge.currency)) if charge else ""
        text = phrase(about, language, plan=plan, day=day(subscription.until, zone, language), then=then)
        return (
            text
            if about == "event_trial"
            else f"{text} {next_charge_text(charge, subscription, zone, language)}".strip()
        )

    async def _publish_change(
        self, addressee: Addressee, customer: Customer, subscription: Subscription, event: StripeEvent
    ) -> None:
        items = subscription.items.data
        prices = [list_price(item) for item in items]
        data = {
            **addressee.as_event_data(),
            "customer": customer.id,
            "subscription": subscription.id,
            "status": subscription.status,
            "plan": await self.plans.names_of(items),
            "price": items[0].price.id,
            "interval": subscription.interval,
            "amount": None if None in prices or not subscription.interval else sum(price or 0 for price in prices),
            "currency": items[0].price.currency,
            "items": [
                {"price": item.price.id, "interval": item.price.interval, "quantity": item.quantity, "amount": amount}
                for item, amount in zip(items, prices, strict=True)
            ],
            "ends": subscription.ends,
            "until": subscription.until,
        }
        await self._publish("subscription.changed", data, f"subscription-changed-{event.id}")

    async def _trial_ends(self, customer: Customer, subscription: Subscription) -> None:
        if subscription.status != "trialing" or subscription.trial_end is None or subscription.ends:
            return
        addressee = await self.addressees.of(customer)
        date = day(subscription.trial_end, self.zone, addressee.language)
        key = f"trial-{subscription.id}-{subscription.trial_end}"
        text = phrase(
            "trial_ends", addressee.language, plan=await self.plans.names_of(subscription.items.data), day=date
        )
        plain = iso_day(subscription.trial_end, self.zone)
        if not await self.notifier.email(addressee, "trial_ending", {"date": plain}, key):
            await self.notifier.in_open_chat(addressee, text, key)
        await self.notifier.push(addressee, phrase("push_subscription", addressee.language), text, key)

    # ---- payments

    async def _paid(self, customer: Customer, invoice: Invoice) -> None:
        # A trial begins with an invoice of 0.
        if invoice.status != "paid" or not invoice.amount_paid:
            return
        addressee = await self.addressees.of(customer)
        payment = _payment(addressee, customer, invoice)
        await self._publish("payment.recorded", payment, f"payment-recorded-{invoice.id}")
        amount = money(invoice.amount_paid, invoice.currency)
        data = invoice_mail(invoice, self.zone)
        text = phrase("paid", addressee.language, amount=amount, number=invoice.number or "")
        key = f"invoice-paid-{invoice.id}"
        if not await self.notifier.email(addressee, "invoice_paid", data, key):
            await self.notifier.in_open_chat(addressee, text, key)
        await self.notifier.push(addressee, phrase("push_paid", addressee.language), text, key)

    async def _failed(self, customer: Customer, invoice: Invoice) -> None:
        # The invoice was paid or given up since the event.
        if invoice.status not in ("open", "uncollectible"):
            return
        key = f"payment-failed-{invoice.id}-{invoice.attempt_count}"
        addressee = await self.addressees.of(customer)
        await self._publish("payment.failed", _payment(addressee, customer, invoice), key)
        zone, language = self.zone, addressee.language
        due = invoice.amount_remaining or invoice.amount_due
        amount = money(due, invoice.currency)
        again = invoice.next_payment_attempt
        text = phrase(
            "event_failed",
            language,
            amount=amount,
            again=phrase("failed_again", language, day=day(again, zone, language)) if again else "",
            url=invoice.hosted_invoice_url or "",
        ).strip()
        date = day(again or invoice.due_date or time.time(), zone, language)
        name = addressee.name or phrase("customer", language)
        reminder = Template(name="payment_reminder", parameters={"name": name, "amount": amount, "date": date})
        await self.notifier.in_chat(addressee, text, key, reminder)
        await self.notifier.push(addressee, phrase("push_failed", language), text, key, invoice.hosted_invoice_url)

    async def _publish(self, event: PublishedEvent, data: dict[str, Any], id_: str) -> None:
        if self.publish is not None:
            await self.publish(event, data, id_)


def invoice_mail(invoice: Invoice, zone: tzinfo) -> dict[str, str]:
    """Data of the e-mail template `invoice_paid`: pesos, not centavos; a plain day."""
    data = {
        "number": invoice.number or str(invoice.id),
        "amount": str(decimal(invoice.amount_paid, invoice.currency)),
        "currency": invoice.currency.upper(),
        "date": iso_day(invoice.created, zone),
    }
    return data | ({"url": invoice.hosted_invoice_url} if invoice.hosted_invoice_url else {})


def _current(subscriptions: list[Subscription]) -> Subscription | None:
    """The subscription that counts: the newest live one, or else the newest."""
    newest = sorted(subscriptions, key=lambda subscription: subscription.created, reverse=True)
    return next((subscription for subscription in newest if subscription.live), newest[0] if newest else None)


_GOOD = ("active", "trialing")
_LIVING = (*_GOOD, "past_due", "unpaid", "paused")


def _phrase_for(before: SubscriptionState | None, now: SubscriptionState, at: int) -> str | None:
    """Name of the phrase for a change; None when the customer needs to hear of none."""
    if before is None and at - now.since > _YOUNG_SECONDS:
        return None
    lived = before is not None and before.status in _LIVING
    if now.status not in _LIVING:
        return "event_ended" if lived else None
    if before is None or not lived or before.subscription != now.subscription:
        begun = {"active": "event_active", "trialing": "event_trial"}
        return begun.get(now.status)
    if not before.has_items_of(now):
        return "event_changed"
    if before.ends != now.ends:
        return "event_ending" if now.ends else "event_resumed"
    return None


def _payment(addressee: Addressee, customer: Customer, invoice: Invoice) -> dict[str, Any]:
    return {
        **addressee.as_event_data(),
        "customer": customer.id,
        "invoice": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "amount": invoice.amount_paid or invoice.amount_due,
        "currency": invoice.currency,
        "attempt": invoice.attempt_count,
    }
