"""Effects of passing time: trials end, periods renew, payments are retried, sessions expire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sandbox.stripe.account import Account, Json, copied
from sandbox.stripe.invoices import Invoices, subscription_of
from sandbox.stripe.lines import whole_period
from sandbox.stripe.periods import period_after
from sandbox.stripe.plans import period_of
from sandbox.stripe.subscriptions import ENDED, Subscriptions

_WARNING_SECONDS = 3 * 86400
_INCOMPLETE_SECONDS = 23 * 3600
Due = tuple[int, Callable[[], None]]


class BillingCycle:
    """Performs due work, each piece at its own moment and in the order of time."""

    def __init__(self, account: Account, subscriptions: Subscriptions, expire: Callable[[Json], None]) -> None:
        self._account = account
        self._subscriptions = subscriptions
        self._invoices: Invoices = subscriptions.invoices
        self._expire = expire
        self.warned: set[tuple[str, int]] = set()

    def catch_up(self) -> None:
        """Perform all work that is due by now."""
        until = self._account.clock.now()
        before, self._account.request = self._account.request, {"id": None, "idempotency_key": None}
        while due := [each for each in self._due() if each[0] <= until]:
            moment, act = min(due, key=lambda each: each[0])
            with self._account.clock.at(moment):
                act()
        self._account.request = before

    def _due(self) -> Iterator[Due]:
        for subscription in self._account.all("subscription"):
            if subscription["status"] not in ENDED:
                yield from self._due_for_subscription(subscription)
        for invoice in self._account.all("invoice"):
            yield from self._due_for_invoice(invoice)
        for session in self._account.all("checkout.session", status="open"):
            yield session["expires_at"], partial(self._expire, session)

    def _due_for_subscription(self, subscription: Json) -> Iterator[Due]:
        end = period_of(subscription)[1]
        if subscription["status"] == "incomplete":
            yield subscription["created"] + _INCOMPLETE_SECONDS, lambda: self._expire_incomplete(subscription)
            return
        if subscription["status"] == "trialing" and (subscription["id"], end) not in self.warned:
            # For a trial shorter than the warning period, the warning comes immediately.
            at = max(subscription["trial_end"] - _WARNING_SECONDS, subscription["trial_start"])
            yield at, lambda: self._warn(subscription, end)
        over = end if subscription["cancel_at_period_end"] else subscription["cancel_at"]
        if over is not None and over <= end:
            yield over, lambda: self._cancel(subscription)
        else:
            yield end, lambda: self._renew(subscription, end)

    def _due_for_invoice(self, invoice: Json) -> Iterator[Due]:
        if invoice["status"] == "draft" and invoice["automatically_finalizes_at"] is not None:
            yield invoice["automatically_finalizes_at"], lambda: self._bill(invoice)
        elif invoice["status"] == "open" and invoice["next_payment_attempt"] is not None:
            yield invoice["next_payment_attempt"], lambda: self._charge(invoice)

    def _warn(self, subscription: Json, end: int) -> None:
        self.warned.add((subscription["id"], end))
        self._account.emit("customer.subscription.trial_will_end", subscription)

    def _expire_incomplete(self, subscription: Json) -> None:
        """A first payment that never came (https://docs.stripe.com/billing/subscriptions/overview)."""
        subscription["ended_at"] = self._account.clock.now()
        invoice = self._account.find("invoice", subscription["latest_invoice"])
        if invoice is not None and invoice["status"] == "open":
            self._invoices.end(invoice, "void")
        self._subscriptions.set_status(subscription, "incomplete_expired")

    def _cancel(self, subscription: Json) -> None:
        """Cancel at the period's end, with a last invoice for changes that were not billed yet."""
        if self._invoices.pending(subscription["id"]):
            invoice = self._invoices.draft(subscription, (), "subscription_cycle", period_of(subscription))
            subscription["latest_invoice"] = invoice["id"]
            self._bill(invoice)
        self._subscriptions.end(subscription)

    def _renew(self, subscription: Json, start: int) -> None:
        before, period = copied(subscription), period_of(subscription)
        trial_ends = subscription["status"] == "trialing"
        if trial_ends and self._ends_without_card(subscription):
            self._subscriptions.end(subscription)
            return
        items = [item for item in subscription["items"]["data"] if item["current_period_end"] == start]
        anchor = subscription["billing_cycle_anchor"]
        for item in items:
            end = period_after(anchor, start, item["price"]["recurring"])
            item |= {"current_period_start": start, "current_period_end": end}
        lines = [
            whole_period(self._account, subscription["id"], item, (start, item["current_period_end"])) for item in items
        ]
        invoice = self._invoices.draft(subscription, lines, "subscription_cycle", period)
        self._pause_collection(invoice, subscription["pause_collection"])
        subscription["latest_invoice"] = invoice["id"]
        subscription["status"] = "active" if trial_ends else subscription["status"]
        self._account.keep(subscription)
        self._account.emit("customer.subscription.updated", subscription, before)

    def _pause_collection(self, invoice: Json, pause: Json | None) -> None:
        """A paused collection asks for no money (https://docs.stripe.com/billing/subscriptions/pause-payment)."""
        if pause is not None and pause["behavior"] == "keep_as_draft":
            invoice["automatically_finalizes_at"] = None
        elif pause is not None:
            self._invoices.end(invoice, {"void": "void"}.get(pause["behavior"], "uncollectible"))

    def _ends_without_card(self, subscription: Json) -> bool:
        behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        return behavior == "cancel" and self._invoices.method_of(subscription) is None

    def _bill(self, invoice: Json) -> None:
        self._invoices.finalize(invoice)
        if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
            self._charge(invoice)

    def _charge(self, invoice: Json) -> None:
        method = self._invoices.method_for(invoice)
        answer = self._invoices.decline_of_charge(invoice["amount_due"], method)
        paid = self._invoices.attempt(invoice, method, answer)
        subscription = self._account.find("subscription", subscription_of(invoice))
        over = not paid and invoice["next_payment_attempt"] is None
        if over and subscription is not None and subscription["status"] not in ENDED:
            subscription["cancellation_details"] |= {"reason": "payment_failed"}
            self._subscriptions.end(subscription)
