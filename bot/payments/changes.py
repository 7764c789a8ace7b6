"""Changes of a subscription that a tap makes: shown with their amount, checked against it, done once with one key."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

import structlog

from bot.confirmations import Cards, Confirmed, Settled
from bot.language import Language
from bot.messages import Buttons, Record
from bot.payments.client import Stripe
from bot.payments.errors import Away, CardRefused, Gone, StripeFailed
from bot.payments.facts import Invoice, Price, Subscription
from bot.payments.links import Links
from bot.payments.plans import Plans
from bot.payments.shown import day, money
from bot.payments.state import States
from bot.payments.words import per, words

_log = structlog.get_logger()
KIND = "subscription"
# Looking and making together have to end before the customer must have an answer.
_CHECK_SECONDS = 20.0


class Change(Record):
    """Exactly what a card shows. `amount` is what is charged today, `total` is below 0 where money is credited;
    `price` and `charge` are what is paid from `day` on. Amounts in the currency's smallest unit, times Unix seconds.
    """

    kind: Literal["plan", "cancel", "resume"]
    customer: str
    subscription: str
    item: str
    old_price: str
    price: str
    old: str
    new: str
    interval: str
    old_interval: str
    amount: int = 0
    total: int = 0
    charge: int
    currency: str
    day: int
    proration_date: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    stripe: Stripe
    links: Links
    plans: Plans
    cards: Cards
    states: States
    zone: tzinfo

    # ---- what a change would be

    async def to_plan(self, subscription: Subscription, price: Price) -> Change:
        """Another price, with the difference as Stripe computes it for this moment."""
        preview = await self.stripe.preview_change(subscription, price.id)
        amount, total = _today(preview, subscription)
        return Change(
            kind="plan",
            **await self._facts(subscription, price),
            amount=amount,
            total=total,
            day=(preview.for_now(subscription.until) and preview.covers_until) or subscription.until,
            proration_date=preview.proration_date or int(time.time()),
        )

    async def to_end(self, subscription: Subscription) -> Change:
        """The end with the period that is paid."""
        return Change(kind="cancel", **await self._facts(subscription, subscription.item.price), day=subscription.until)

    async def to_go_on(self, subscription: Subscription) -> Change:
        """Taking back an end that is still to come."""
        return Change(kind="resume", **await self._facts(subscription, subscription.item.price), day=subscription.until)

    async def _facts(self, subscription: Subscription, price: Price) -> dict[str, str | int]:
        item = subscription.item
        return {
            "customer": subscription.customer,
            "subscription": subscription.id,
            "item": item.id,
            "old_price": item.price.id,
            "price": price.id,
            "old": await self.plans.name_of(item.price),
            "new": await self.plans.name_of(price),
            "interval": price.interval,
            "old_interval": item.price.interval,
            "charge": (price.unit_amount or 0) * item.quantity,
            "currency": price.currency,
        }

    async def card(self, conversation: str, change: Change, language: Language) -> Buttons:
        """Show a change, with a button that makes it."""
        labels = (words("confirm", language), words("leave", language))
        body = words(f"card_{_flavour(change)}", language, **self._values(change, language))
        return await self.cards.ask(conversation, KIND, change.model_dump(), body, labels)

    def _values(self, change: Change, language: Language) -> dict[str, str]:
        charge = money(change.charge, change.currency)
        today = change.amount if change.kind == "plan" else change.charge
        old, new = change.old, change.new
        if old == new:
            # Only how it is paid changes.
            old, new = (f"{change.old} {per(one, language)}" for one in (change.old_interval, change.interval))
        return {
            "plan": change.new,
            "old": old,
            "new": new,
            "amount": money(-change.total if _flavour(change) == "credit" else today, change.currency),
            "price": f"{charge} {per(change.interval, language)}".strip(),
            "day": day(change.day, self.zone, language),
        }

    # ---- making it

    async def perform(self, confirmed: Confirmed) -> Settled:
        """Make the change that was tapped, unless what it showed no longer holds."""
        change = Change.model_validate(confirmed.action)
        begun = confirmed.begun
        try:
            if not begun:
                async with asyncio.timeout(_CHECK_SECONDS):
                    refusal = await self._refusal(change, confirmed)
                if refusal is not None:
                    return refusal
                await confirmed.begin()
                begun = True
            await self.states.expect(change.customer, change.subscription, change.price, ends=change.kind == "cancel")
            done = await self._make(change, confirmed.key)
        except CardRefused:
            said = words("card_refused", confirmed.language, amount=money(change.amount, change.currency))
            return await self._not_made(change, Settled(text=said))
        except (Away, TimeoutError) as error:
            _log.warning("change_in_doubt" if begun else "change_not_made", why=str(error) or "too slow")
            said = words("not_sure" if begun else "not_now", confirmed.language)
            return await self._not_made(change, Settled(text=said, again=True))
        except Gone:
            # Once the subscription was seen to be there, so Stripe says that there is nothing to charge.
            name = "no_card" if begun and change.amount else "no_longer_possible"
            return await self._not_made(change, Settled(text=words(name, confirmed.language)))
        except StripeFailed as error:
            _log.error("change_refused", why=str(error), fix="see Stripe's log of requests")
            return await self._not_made(change, Settled(text=words("not_done", confirmed.language)))
        return Settled(text=self._outcome(change, done, confirmed.language))

    async def _not_made(self, change: Change, settled: Settled) -> Settled:
        # Whatever Stripe still tells of it is news for the customer.
        await self.states.unexpect(change.customer)
        return settled

    async def _refusal(self, change: Change, confirmed: Confirmed) -> Settled | None:
        """Why what was shown can't be made: it isn't theirs, it has changed, or it costs something else now."""
        language = confirmed.language
        customer = await self.links.customer_of(confirmed.conversation, confirmed.contact)
        impossible = Settled(text=words("no_longer_possible", language))
        if customer is None or customer.id != change.customer:
            return impossible
        now = await self.stripe.subscription(change.subscription)
        same = now.live and (now.item.id, now.item.price.id) == (change.item, change.old_price)
        if not same or now.customer != customer.id:
            return impossible
        anew = await self._anew(change, now)
        if anew is None or anew == change:
            return None if anew else impossible
        card = await self.card(confirmed.conversation, anew, language)
        return Settled(text=words("changed_meanwhile", language), parts=(card,))

    async def _anew(self, change: Change, now: Subscription) -> Change | None:
        """The same change as it would be now; itself where nothing is different, None where it can't be made."""
        if change.kind == "plan":
            preview = await self.stripe.preview_change(now, change.price, change.proration_date)
            if (*_today(preview, now), preview.currency) == (change.amount, change.total, change.currency):
                return change
            price = await self._price(change)
            return await self.to_plan(now, price) if price else None
        if now.ends == (change.kind == "cancel"):
            return None
        return await (self.to_end(now) if change.kind == "cancel" else self.to_go_on(now))

    async def _price(self, change: Change) -> Price | None:
        prices = (price for plan in await self.plans.all() for price in plan.prices)
        return next((price for price in prices if price.id == change.price), None)

    async def _make(self, change: Change, key: str) -> Subscription:
        if change.kind == "plan":
            return await self.stripe.change(
                change.subscription, change.item, change.price, change.proration_date, key=key
            )
        return await self.stripe.let_end(change.subscription, ends=change.kind == "cancel", key=key)

    def _outcome(self, change: Change, done: Subscription, language: Language) -> str:
        """What was made, as Stripe says that it is now."""
        invoice = done.latest_invoice
        charged = change.amount
        if isinstance(invoice, Invoice) and change.amount and invoice.billing_reason == "subscription_update":
            charged = invoice.amount_due
            if charged != change.amount:
                _log.error("charged_otherwise", shown=change.amount, charged=charged, subscription=change.subscription)
        made = change.model_copy(update={"amount": charged, "day": done.until or change.day})
        return words(f"done_{_flavour(change)}", language, **self._values(made, language))


def _flavour(change: Change) -> str:
    if change.kind != "plan":
        return change.kind
    return "credit" if change.total < 0 else "pay" if change.amount else "free"


def _today(preview: Invoice, subscription: Subscription) -> tuple[int, int]:
    """What is charged today, and the sum that it comes from; nothing during a trial, where the next period changes."""
    return (preview.amount_due, preview.total) if preview.for_now(subscription.until) else (0, 0)
