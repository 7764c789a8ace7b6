"""Outcome of a tapped change: every sentence is made of the subscription that Stripe returned, not of the card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import structlog

from bot.integrations.stripe import amounts
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import StripeFailed
from bot.integrations.stripe.formatting import day, money
from bot.integrations.stripe.objects import Invoice, Subscription
from bot.integrations.stripe.plans import Plans
from bot.integrations.stripe.price_changes import PlanChange
from bot.integrations.stripe.texts import words
from bot.messages.language import Language

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`as_asked`: whether Stripe's answer shows what the tap asked for."""

    text: str
    as_asked: bool = True


@dataclass(frozen=True, slots=True)
class ChangeOutcomes:
    stripe: Stripe
    plans: Plans
    zone: tzinfo

    async def of(self, change: PlanChange, done: Subscription, language: Language) -> Outcome:
        if change.kind == "plan":
            told = self._plan(change, done, language)
        elif change.kind == "cancel":
            told = self._end(change, done, language)
        else:
            told = self._resumed(change, done, language)
        if not told.as_asked:
            _log.error("change_not_as_asked", kind=change.kind, status=done.status, scheduled=done.schedule is not None)
        following = await self._next(done, language)
        return Outcome(f"{told.text} {following}".strip(), told.as_asked)

    def _plan(self, change: PlanChange, done: Subscription, language: Language) -> Outcome:
        invoice = _invoice(change, done)
        owed = invoice if invoice and invoice.left else None
        link = (owed and owed.hosted_invoice_url) or ""
        left = money(owed.left if owed else change.amount, change.currency)
        if done.pending_update is not None or change.price not in {item.price.id for item in done.items.data}:
            told = words("plan_waits", language, old=change.old, new=change.new, amount=left)
            return Outcome(f"{told} {link}".strip(), as_asked=False)
        if owed is not None:
            return Outcome(f"{words('done_owed', language, plan=change.new, amount=left)} {link}".strip())
        charged = invoice.amount_paid if invoice else 0
        if charged != change.amount:
            _log.error("charged_otherwise", shown=change.amount, charged=charged, subscription=change.subscription)
        credit = -invoice.total if invoice else 0
        flavour = "credit" if credit > 0 else "pay" if charged else "free"
        amount = money(credit if flavour == "credit" else charged, change.currency)
        return Outcome(words(f"done_{flavour}", language, plan=change.new, amount=amount))

    def _end(self, change: PlanChange, done: Subscription, language: Language) -> Outcome:
        if not done.live:
            return Outcome(words("done_ended", language, plan=change.old))
        if not done.ends:
            return Outcome(words("still_goes_on", language, plan=change.old), as_asked=False)
        return Outcome(words("done_cancel", language, plan=change.old, day=day(done.until, self.zone, language)))

    def _resumed(self, change: PlanChange, done: Subscription, language: Language) -> Outcome:
        if not done.live:
            return Outcome(words("news_ended", language, plan=change.old), as_asked=False)
        if done.ends:
            ends = day(done.until, self.zone, language)
            return Outcome(words("still_ends", language, plan=change.old, day=ends), as_asked=False)
        return Outcome(words("done_resume", language, plan=change.old))

    async def _next(self, done: Subscription, language: Language) -> str:
        """The next charge. The change is made: where Stripe can't be asked now, no amount is named."""
        try:
            charge = await amounts.next_charge(self.stripe, done)
        except StripeFailed as error:
            _log.warning("next_charge_unknown", why=str(error))
            return ""
        return amounts.said(charge, done, self.zone, language)


def _invoice(change: PlanChange, done: Subscription) -> Invoice | None:
    """The invoice that the change made; a change during a trial makes none, and an older one is still the latest."""
    latest = done.latest_invoice
    if not isinstance(latest, Invoice) or not (change.amount or change.total):
        return None
    return latest if latest.billing_reason == "subscription_update" else None
