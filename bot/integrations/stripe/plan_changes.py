"""Changes of a subscription that a tap confirms: shown with their cost, checked again, and made once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import structlog

from bot.conversations.confirmations import ConfirmationCards, ConfirmedAction, TapResult
from bot.integrations.stripe.amounts import next_invoice, paused
from bot.integrations.stripe.change_card import PlanChange, card_text
from bot.integrations.stripe.change_results import ChangeResults
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.customers import CustomerDirectory
from bot.integrations.stripe.errors import CardRefused, NeedsAction, StripeFailed, StripeObjectGone, StripeUnavailable
from bot.integrations.stripe.formatting import money
from bot.integrations.stripe.objects import Invoice, Price, Subscription, SubscriptionItem
from bot.integrations.stripe.plans import Plans
from bot.integrations.stripe.subscription_state import SubscriptionStates
from bot.integrations.stripe.texts import phrase
from bot.messages.language import Language
from bot.messages.outbound import Buttons

_log = structlog.get_logger()
KIND = "subscription"
# Check and change together have to end before the customer must have an answer.
_CHECK_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class PlanChanges:
    stripe: Stripe
    customers: CustomerDirectory
    plans: Plans
    cards: ConfirmationCards
    states: SubscriptionStates
    change_results: ChangeResults
    zone: tzinfo

    # ---- what a change would be

    async def plan_switch(self, subscription: Subscription, item: SubscriptionItem, price: Price) -> PlanChange:
        """Another price for one of the items, with the difference as Stripe computes it for this moment."""
        items = [{"id": item.id, "price": price.id}]
        preview = await self.stripe.preview(subscription, items=items, proration_behavior="always_invoice")
        later = await next_invoice(self.stripe, subscription, items=items, proration_behavior="none")
        amount, total = _charged_now(preview, subscription)
        others = [other for other in subscription.items.data if other.id != item.id]
        changed = item.model_copy(update={"price": price})
        after = subscription.model_copy(
            update={"items": subscription.items.model_copy(update={"data": [*others, changed]})}
        )
        return PlanChange(
            kind="plan",
            customer=subscription.customer,
            subscription=subscription.id,
            item=item.id,
            price=price.id,
            before=subscription.price_signature,
            after=after.price_signature,
            old=await self.plans.name_of(item.price),
            new=await self.plans.name_of(price),
            others=await self.plans.names_of(others),
            interval=after.interval,
            old_interval=item.price.interval,
            amount=amount,
            total=total,
            charge=later.total if later else 0,
            currency=price.currency,
            day=_next_day(later, subscription),
            usual=later is not None and later.usual,
            metered=after.metered,
            proration_date=preview.proration_date or int(time.time()),
        )

    async def cancellation(self, subscription: Subscription) -> PlanChange:
        """An end with the paid period; of several periods, the last one."""
        mixed = subscription.interval == ""
        facts = await self._common_fields(subscription)
        if mixed:
            last = max(item.current_period_end for item in subscription.items.data)
            return PlanChange(kind="cancel", **facts, charge=0, day=last, mixed=True)
        upcoming = None if paused(subscription) else await next_invoice(self.stripe, subscription)
        rest = await next_invoice(self.stripe, subscription, cancel_at_period_end=True)
        due, amount_left = (invoice.amount_due if invoice else 0 for invoice in (upcoming, rest))
        return PlanChange(
            kind="cancel", **facts, charge=max(due - amount_left, 0), rest=amount_left, day=subscription.until
        )

    async def resumption(self, subscription: Subscription) -> PlanChange:
        """The withdrawal of a scheduled end."""
        supposed: dict[str, Any] = (
            {"cancel_at_period_end": False} if subscription.cancel_at_period_end else {"cancel_at": ""}
        )
        upcoming = None if paused(subscription) else await next_invoice(self.stripe, subscription, **supposed)
        return PlanChange(
            kind="resume",
            **await self._common_fields(subscription),
            charge=upcoming.amount_due if upcoming else 0,
            day=subscription.renews_at,
            ends_on=subscription.until,
        )

    async def _common_fields(self, subscription: Subscription) -> dict[str, Any]:
        name = await self.plans.names_of(subscription.items.data)
        return {
            "customer": subscription.customer,
            "subscription": subscription.id,
            "before": subscription.price_signature,
            "after": subscription.price_signature,
            "old": name,
            "new": name,
            "interval": subscription.interval,
            "old_interval": subscription.interval,
            "currency": subscription.items.data[0].price.currency,
            "metered": subscription.metered,
            "owed": subscription.owed.amount_left if subscription.owed else 0,
        }

    async def card(self, conversation: str, change: PlanChange, language: Language) -> Buttons:
        """The card that shows a change, with a button that confirms it."""
        labels = (phrase("confirm", language), phrase("leave", language))
        body = card_text(change, self.zone, language)
        return await self.cards.ask(conversation, KIND, change.model_dump(), body, labels)

    # ---- making it

    async def perform(self, confirmed: ConfirmedAction) -> TapResult:
        """Make the confirmed change, unless its card no longer holds."""
        change = PlanChange.model_validate(confirmed.action)
        begun = confirmed.begun
        try:
            if not begun:
                async with asyncio.timeout(_CHECK_SECONDS):
                    refusal = await self._refusal(change, confirmed)
                if refusal is not None:
                    return refusal
                await confirmed.begin()
                begun = True
            await self.states.expect(change.customer, change.subscription, change.after, ends=change.kind == "cancel")
            updated = await self._apply(change, confirmed.key)
        except (StripeFailed, TimeoutError) as error:
            # Stripe's later event of this change must reach the customer.
            await self.states.forget_expected(change.customer)
            return _failure(error, change, confirmed.language, begun=begun)
        result = await self.change_results.of(change, updated, confirmed.language)
        if not result.as_requested:
            await self.states.forget_expected(change.customer)
        return TapResult(text=result.text)

    async def _refusal(self, change: PlanChange, confirmed: ConfirmedAction) -> TapResult | None:
        """Reason against the change: it isn't this customer's, the subscription changed, or the cost did. None when it
        holds.
        """
        language = confirmed.language
        customer = await self.customers.customer_of(confirmed.conversation, confirmed.contact)
        impossible = TapResult(text=phrase("no_longer_possible", language))
        if customer is None or customer.id != change.customer:
            return impossible
        now = await self.stripe.subscription(change.subscription)
        if not now.live or now.price_signature != change.before or now.customer != customer.id:
            return impossible
        recomputed = await self._recomputed(change, now)
        if recomputed is None or recomputed == change:
            return None if recomputed else impossible
        card = await self.card(confirmed.conversation, recomputed, language)
        return TapResult(text=phrase("changed_meanwhile", language), parts=(card,))

    async def _recomputed(self, change: PlanChange, now: Subscription) -> PlanChange | None:
        """The change with today's values; itself when nothing differs, None when it is no longer possible."""
        if change.kind != "plan":
            if now.ends == (change.kind == "cancel"):
                return None
            return await (self.cancellation(now) if change.kind == "cancel" else self.resumption(now))
        item = now.item(change.item)
        if item is None:
            return None
        preview = await self.stripe.preview(
            now,
            items=[{"id": item.id, "price": change.price}],
            proration_behavior="always_invoice",
            proration_date=change.proration_date,
        )
        if (*_charged_now(preview, now), preview.currency) == (change.amount, change.total, change.currency):
            return change
        price = await self._price(change)
        return await self.plan_switch(now, item, price) if price else None

    async def _price(self, change: PlanChange) -> Price | None:
        prices = (price for plan in await self.plans.all() for price in plan.prices)
        return next((price for price in prices if price.id == change.price), None)

    async def _apply(self, change: PlanChange, key: str) -> Subscription:
        if change.kind == "plan":
            return await self.stripe.change_price(
                change.subscription, change.item, change.price, change.proration_date, key=key
            )
        if change.kind == "cancel":
            return await self.stripe.cancel_at_period_end(change.subscription, last=change.mixed, key=key)
        return await self.stripe.resume(change.subscription, key=key)


def _failure(error: Exception, change: PlanChange, language: Language, *, begun: bool) -> TapResult:
    """Text for the customer about a change that failed, or may have failed."""
    amount = money(change.amount, change.currency)
    if isinstance(error, NeedsAction):
        return TapResult(text=phrase("needs_action", language, amount=amount))
    if isinstance(error, CardRefused):
        return TapResult(text=phrase("card_refused", language, amount=amount))
    if isinstance(error, StripeUnavailable | TimeoutError):
        _log.warning("change_in_doubt" if begun else "change_not_made", why=str(error) or "too slow")
        return TapResult(text=phrase("not_sure" if begun else "not_now", language), again=True)
    if isinstance(error, StripeObjectGone):
        # The subscription was there at the check, so that Stripe means the missing card.
        return TapResult(text=phrase("no_card" if begun and change.amount else "no_longer_possible", language))
    _log.error("change_refused", why=str(error), fix="see Stripe's log of requests")
    return TapResult(text=phrase("not_done", language))


def _charged_now(preview: Invoice, subscription: Subscription) -> tuple[int, int]:
    """Today's charge and the total behind it; zeros during a trial, where only the next period changes."""
    return (preview.amount_due, preview.total) if preview.for_now(subscription.renews_at) else (0, 0)


def _next_day(later: Invoice | None, subscription: Subscription) -> int:
    """The next renewal after a change. Another interval begins at once, else the period goes on."""
    if later is None or not later.for_now(subscription.renews_at):
        return subscription.renews_at
    return min(line.period.end for line in later.lines.data)
