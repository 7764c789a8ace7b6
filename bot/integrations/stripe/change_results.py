"""Tells the result of a confirmed change, by the subscription that Stripe returned and never by the card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import structlog

from bot.integrations.stripe import amounts
from bot.integrations.stripe.change_card import PlanChange
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import StripeFailed
from bot.integrations.stripe.formatting import day, money
from bot.integrations.stripe.objects import Invoice, Subscription
from bot.integrations.stripe.plans import Plans
from bot.integrations.stripe.texts import phrase
from bot.messages.language import Language

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """`as_requested`: Stripe's answer shows the change that the tap confirmed."""

    text: str
    as_requested: bool = True


@dataclass(frozen=True, slots=True)
class ChangeResults:
    stripe: Stripe
    plans: Plans
    zone: tzinfo

    async def of(self, change: PlanChange, updated: Subscription, language: Language) -> ChangeResult:
        if change.kind == "plan":
            result = self._plan(change, updated, language)
        elif change.kind == "cancel":
            result = self._cancellation(change, updated, language)
        else:
            result = self._resume(change, updated, language)
        if not result.as_requested:
            _log.error(
                "change_not_as_asked", kind=change.kind, status=updated.status, scheduled=updated.schedule is not None
            )
        following = await self._next_charge(updated, language)
        return ChangeResult(f"{result.text} {following}".strip(), result.as_requested)

    def _plan(self, change: PlanChange, updated: Subscription, language: Language) -> ChangeResult:
        invoice = _invoice(change, updated)
        owed = invoice if invoice and invoice.amount_left else None
        link = (owed and owed.hosted_invoice_url) or ""
        amount_left = money(owed.amount_left if owed else change.amount, change.currency)
        if updated.pending_update is not None or change.price not in {item.price.id for item in updated.items.data}:
            result = phrase("plan_waits", language, old=change.old, new=change.new, amount=amount_left)
            return ChangeResult(f"{result} {link}".strip(), as_requested=False)
        if owed is not None:
            return ChangeResult(f"{phrase('done_owed', language, plan=change.new, amount=amount_left)} {link}".strip())
        charged = invoice.amount_paid if invoice else 0
        if charged != change.amount:
            _log.error("charged_otherwise", shown=change.amount, charged=charged, subscription=change.subscription)
        credit = -invoice.total if invoice else 0
        kind_of_charge = "credit" if credit > 0 else "pay" if charged else "free"
        amount = money(credit if kind_of_charge == "credit" else charged, change.currency)
        return ChangeResult(phrase(f"done_{kind_of_charge}", language, plan=change.new, amount=amount))

    def _cancellation(self, change: PlanChange, updated: Subscription, language: Language) -> ChangeResult:
        if not updated.live:
            return ChangeResult(phrase("done_ended", language, plan=change.old))
        if not updated.ends:
            return ChangeResult(phrase("still_goes_on", language, plan=change.old), as_requested=False)
        return ChangeResult(
            phrase("done_cancel", language, plan=change.old, day=day(updated.until, self.zone, language))
        )

    def _resume(self, change: PlanChange, updated: Subscription, language: Language) -> ChangeResult:
        if not updated.live:
            return ChangeResult(phrase("event_ended", language, plan=change.old), as_requested=False)
        if updated.ends:
            ends = day(updated.until, self.zone, language)
            return ChangeResult(phrase("still_ends", language, plan=change.old, day=ends), as_requested=False)
        return ChangeResult(phrase("done_resume", language, plan=change.old))

    async def _next_charge(self, updated: Subscription, language: Language) -> str:
        """The sentence about the next charge. It is left out when Stripe can't be asked, because the change is made."""
        try:
            charge = await amounts.next_charge(self.stripe, updated)
        except StripeFailed as error:
            _log.warning("next_charge_unknown", why=str(error))
            return ""
        return amounts.next_charge_text(charge, updated, self.zone, language)


def _invoice(change: PlanChange, updated: Subscription) -> Invoice | None:
    """The invoice of this change. A change during a trial makes none; the latest invoice is an older one then."""
    latest = updated.latest_invoice
    if not isinstance(latest, Invoice) or not (change.amount or change.total):
        return None
    return latest if latest.billing_reason == "subscription_update" else None
