"""Subscriptions created, changed and ended by requests; `cycle` handles the passing of time."""

from __future__ import annotations

from sandbox.stripe.account import Account, Json, copied, submitted_values, with_metadata
from sandbox.stripe.errors import StripeRefusal
from sandbox.stripe.forms import Retrieve, SubscriptionPage
from sandbox.stripe.forms_billing import (
    CancellationDetails,
    InvoicePreview,
    PreviewDetails,
    SubscriptionCancel,
    SubscriptionCreate,
    SubscriptionUpdate,
)
from sandbox.stripe.invoices import Invoices, refusal, subscription_of
from sandbox.stripe.lines import whole_period
from sandbox.stripe.listing import listed, page_of
from sandbox.stripe.object_fields import subscription_fields
from sandbox.stripe.periods import period_after
from sandbox.stripe.plans import PlanCalculator, PlannedChange, period_of

ENDED = {"canceled", "incomplete_expired"}
_DAY = 86400
_PENDING_SECONDS = 23 * 3600
_LONGEST_TRIAL = 730 * _DAY


class Subscriptions:
    def __init__(self, account: Account, invoices: Invoices) -> None:
        self.account = account
        self.invoices = invoices
        self.plans = PlanCalculator(account)
        # A test may set it: ends stay, and every change that costs waits for its payment.
        self.stubborn = False
        self.puts_off = False
        invoices.on_settled = self._on_settled

    # ---- Stripe's API

    def retrieve(self, _: Retrieve, subscription: str) -> Json:
        return self.account.get("subscription", subscription)

    def all(self, page: SubscriptionPage) -> Json:
        found = [each for each in self.account.all("subscription") if _matches(each, page)]
        return page_of(found, page, "/v1/subscriptions")

    def create(self, form: SubscriptionCreate) -> Json:
        customer = self.account.get_by_param("customer", form.customer, "customer")
        subscription = self._new(form, customer)
        trialing = subscription["status"] == "trialing"
        lines = [
            whole_period(self.account, subscription["id"], item, period_of(subscription), free=trialing)
            for item in subscription["items"]["data"]
        ]
        method = self.invoices.method_of(subscription)
        now = self.account.clock.now()
        due = self.invoices.preview(subscription, lines, "subscription_create", (now, now))["amount_due"]
        by_hand = form.collection_method == "send_invoice"
        waits = form.payment_behavior == "default_incomplete" and due > 0
        answer = None if waits or by_hand else self.invoices.decline_of_charge(due, method)
        if answer is not None and (form.payment_behavior == "error_if_incomplete" or method is None):
            raise refusal(answer)
        self.account.keep(subscription)
        self.invoices.customers.set_currency(customer, subscription["currency"])
        invoice = self.invoices.draft(subscription, lines, "subscription_create", (now, now))
        subscription["latest_invoice"] = invoice["id"]
        self.account.emit("customer.subscription.created", subscription)
        self.invoices.finalize(invoice)
        if waits:
            self.invoices.open_payment(invoice)
        elif not by_hand:
            self.invoices.attempt(invoice, method, answer)
        return subscription

    def update(self, form: SubscriptionUpdate, subscription: str) -> Json:
        found = self.account.get("subscription", subscription)
        self._check_not_ended(found, form)
        self._checked_trial_end(form.trial_end)
        end_trial = "trial_end" in form.model_fields_set and form.trial_end is None and found["status"] == "trialing"
        change = self.plans.change(found, form.items, form.proration_behavior, form.proration_date, end_trial=end_trial)
        method = self._wanted_method(found, form.default_payment_method) or self.invoices.method_of(found)
        answer = None
        by_hand = found["collection_method"] == "send_invoice"
        if change.at_once and not by_hand:
            draft = self.invoices.preview(found, change.lines, "subscription_update", period_of(found))
            answer = self.invoices.decline_of_charge(draft["amount_due"], method)
            if answer is not None and form.payment_behavior == "error_if_incomplete":
                raise refusal(answer)
        before = copied(found)
        self._apply(found, form)
        waits = self.puts_off or (answer is not None and form.payment_behavior == "pending_if_incomplete")
        invoice = self._defer_until_paid(found, change) if waits else self._change(found, change)
        self.account.keep(found)
        self.account.emit("customer.subscription.updated", found, before)
        if invoice is not None:
            self.invoices.finalize(invoice)
            if not by_hand and not self.puts_off:
                self.invoices.attempt(invoice, method, answer)
        return found

    def cancel(self, form: SubscriptionCancel, subscription: str) -> Json:
        found = self.account.get("subscription", subscription)
        if found["status"] in ENDED:
            raise StripeRefusal(
                f"No such subscription: '{subscription}'", status=404, code="resource_missing", param="id"
            )
        self._record_reason(found, form.cancellation_details, "cancellation_requested")
        self.end(found)
        return found

    def preview(self, form: InvoicePreview) -> Json:
        """The invoice of the change if it is billed immediately, else the next invoice with the change."""
        found = self.account.get_by_param("subscription", form.subscription, "subscription")
        if form.customer not in (None, found["customer"]):
            raise StripeRefusal("The subscription doesn't belong to the customer.", param="customer")
        wanted = form.subscription_details
        end_trial = wanted.trial_end == "now" and found["status"] == "trialing"
        change = self.plans.change(
            found, wanted.items, wanted.proration_behavior, wanted.proration_date, end_trial=end_trial
        )
        period = period_of(found)
        if change.at_once:
            return self._dated(self.invoices.preview(found, change.lines, "subscription_update", period), form)
        upcoming = (
            [] if self._ends_with(found, wanted, period[1]) else self.plans.next_period(found, change.items, period[1])
        )
        lines = [*change.lines, *upcoming]
        if found["status"] in ENDED or not (lines or self.invoices.pending(found["id"])):
            raise StripeRefusal(
                f"No upcoming invoices for customer: '{found['customer']}'", status=404, code="invoice_upcoming_none"
            )
        return self._dated(self.invoices.preview(found, lines, "upcoming", period), form)

    # ---- calls by other modules

    def end(self, subscription: Json) -> None:
        """Cancel finally, now."""
        now = self.account.clock.now()
        if subscription["canceled_at"] is None:
            subscription["canceled_at"] = now
        subscription |= {"ended_at": now, "status": "canceled"}
        self.invoices.forget_pending(subscription["id"])
        for invoice in self._unpaid(subscription["id"]):
            self.invoices.end(invoice, invoice["status"])
        self.account.keep(subscription)
        self.account.emit("customer.subscription.deleted", subscription)

    def set_status(self, subscription: Json, status: str) -> None:
        if subscription["status"] != status:
            before = copied(subscription)
            subscription["status"] = status
            self.account.keep(subscription)
            self.account.emit("customer.subscription.updated", subscription, before)

    def _ends_with(self, subscription: Json, wanted: PreviewDetails, end: int) -> bool:
        """Whether the period's end bills nothing, under the assumptions of a preview."""
        _check_one_end(wanted)
        supposed = copied(subscription)
        self._set_end(supposed, wanted)
        return bool(supposed["cancel_at_period_end"]) or (supposed["cancel_at"] or end + 1) <= end

    def will_end(self, subscription: Json, *, on: bool) -> None:
        """Cancel at the end of the period, or undo that."""
        subscription |= {
            "cancel_at": period_of(subscription)[1] if on else None,
            "cancel_at_period_end": on,
            "canceled_at": self.account.clock.now() if on else None,
        }
        reason = "cancellation_requested" if on else None
        subscription["cancellation_details"] = {"comment": None, "feedback": None, "reason": reason}

    # ---- internals

    def _new(self, form: SubscriptionCreate, customer: Json) -> Json:
        prices = [self.plans.price(item.price, f"items[{n}][price]") for n, item in enumerate(form.items)]
        currency = self._currency(customer, prices, form.billing_mode.type)
        now = self.account.clock.now()
        trial_end = self._trial_end(form)
        fields = subscription_fields(customer["id"], currency, now)
        fields["billing_mode"] |= {"type": form.billing_mode.type}
        fields |= {"collection_method": form.collection_method, "days_until_due": form.days_until_due}
        subscription = self.account.make("subscription", fields)
        ends = [trial_end or period_after(now, now, price["recurring"]) for price in prices]
        items = [
            self.plans.item(subscription["id"], price, wanted.quantity, (now, end))
            for price, wanted, end in zip(prices, form.items, ends, strict=True)
        ]
        subscription |= {
            "billing_cycle_anchor": trial_end or now,
            "default_payment_method": self._wanted_method(subscription, form.default_payment_method),
            "items": listed(items, f"/v1/subscription_items?subscription={subscription['id']}"),
            "metadata": with_metadata({}, form.metadata),
            "status": "trialing"
            if trial_end
            else "active"
            if form.collection_method == "send_invoice"
            else "incomplete",
            "trial_end": trial_end,
            "trial_start": now if trial_end else None,
        }
        if form.trial_settings:
            subscription["trial_settings"] = form.trial_settings.model_dump()
        if form.cancel_at_period_end:
            self.will_end(subscription, on=True)
        return subscription

    def _currency(self, customer: Json, prices: list[Json], mode: str) -> str:
        currency, every = str(prices[0]["currency"]), {str(price["recurring"]["interval"]) for price in prices}
        if any(price["currency"] != currency for price in prices) or (mode == "classic" and len(every) > 1):
            raise StripeRefusal(
                "Currency and interval fields must match across all plans on this subscription.", param="items"
            )
        for other in self.account.all("subscription", customer=customer["id"]):
            if other["status"] not in ENDED and other["currency"] != currency:
                raise StripeRefusal(
                    "You cannot combine currencies on a single customer. This customer has an active subscription, "
                    f"subscription schedule, discount, quote, or invoice item with currency {other['currency']}.",
                )
        return currency

    def _trial_end(self, form: SubscriptionCreate) -> int | None:
        now = self.account.clock.now()
        if form.trial_period_days is None:
            return self._checked_trial_end(form.trial_end)
        if "trial_end" in form.model_fields_set:
            raise StripeRefusal("You may only specify one of these parameters: trial_end, trial_period_days.")
        return now + form.trial_period_days * _DAY

    def _checked_trial_end(self, moment: int | None) -> int | None:
        now = self.account.clock.now()
        if moment is None:
            return None
        if moment <= now:
            raise StripeRefusal("Invalid timestamp: must be in the future or now", param="trial_end")
        if moment > now + _LONGEST_TRIAL:
            raise StripeRefusal("Invalid timestamp: can be no more than two years in the future", param="trial_end")
        return moment

    def _wanted_method(self, subscription: Json, wanted: str | None) -> str | None:
        if wanted is None:
            return None
        param = "default_payment_method"
        if self.account.get_by_param("payment_method", wanted, param)["customer"] != subscription["customer"]:
            raise StripeRefusal(f"The customer does not have a payment method with the ID {wanted}.", param=param)
        return wanted

    def _check_not_ended(self, subscription: Json, form: SubscriptionUpdate) -> None:
        changed = form.model_fields_set - {"metadata", "cancellation_details", "expand"}
        if changed and subscription["status"] in ENDED:
            raise StripeRefusal("A canceled subscription can only update its cancellation_details and metadata.")
        _check_one_end(form)
        if subscription["schedule"] and changed & {"cancel_at", "cancel_at_period_end"}:
            raise StripeRefusal(
                f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating "
                "any cancelation behavior directly is not allowed. Please update the schedule instead."
            )
        if form.items and subscription["status"] == "incomplete":
            raise StripeRefusal(
                "A subscription with the status `incomplete` can't be updated this way: pay its invoice first."
            )

    def _apply(self, subscription: Json, form: SubscriptionUpdate) -> None:
        subscription |= submitted_values(form, "default_payment_method")
        subscription["metadata"] = with_metadata(subscription["metadata"], form.metadata)
        if form.trial_end is not None:
            end = form.trial_end
            for item in subscription["items"]["data"]:
                item["current_period_end"] = end
            subscription |= {"billing_cycle_anchor": end, "status": "trialing", "trial_end": end}
            subscription["trial_start"] = subscription["trial_start"] or self.account.clock.now()
        self._set_end(subscription, form)
        self._record_reason(subscription, form.cancellation_details, subscription["cancellation_details"]["reason"])

    def _record_reason(self, subscription: Json, details: CancellationDetails | None, reason: str | None) -> None:
        said = details.model_dump(exclude_unset=True) if details else {}
        subscription["cancellation_details"] = subscription["cancellation_details"] | said | {"reason": reason}

    def _set_end(self, subscription: Json, form: SubscriptionUpdate | PreviewDetails) -> None:
        """The flag moves with the period; a date stays, and only clearing the date removes it."""
        if self.stubborn and isinstance(form, SubscriptionUpdate):
            return
        if form.cancel_at_period_end is not None and form.cancel_at_period_end != subscription["cancel_at_period_end"]:
            self.will_end(subscription, on=form.cancel_at_period_end)
        if "cancel_at" not in form.model_fields_set:
            return
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        words = {"": None, "min_period_end": min(ends), "max_period_end": max(ends)}
        date = words[form.cancel_at] if isinstance(form.cancel_at, str) else form.cancel_at
        self.will_end(subscription, on=date is not None)
        subscription |= {"cancel_at": date, "cancel_at_period_end": False}

    def _defer_until_paid(self, subscription: Json, change: PlannedChange) -> Json:
        """Apply the change once its invoice is paid (https://docs.stripe.com/billing/subscriptions/pending-updates)."""
        subscription["pending_update"] = {
            "billing_cycle_anchor": None,
            "expires_at": self.account.clock.now() + _PENDING_SECONDS,
            "subscription_items": change.items,
            "trial_end": None,
            "trial_from_plan": None,
        }
        invoice = self.invoices.draft(subscription, change.lines, "subscription_update", period_of(subscription))
        subscription["latest_invoice"] = invoice["id"]
        return invoice

    def _change(self, subscription: Json, change: PlannedChange) -> Json | None:
        """Apply the items; returns the draft of an immediate invoice, if there is one."""
        ends = {item["id"]: item["current_period_end"] for item in subscription["items"]["data"]}
        items = [
            item if change.at_once else item | {"current_period_end": ends.get(item["id"], item["current_period_end"])}
            for item in change.items
        ]
        period = period_of(subscription)
        subscription["items"]["data"] = items
        subscription["billing_cycle_anchor"] = change.anchor if change.at_once else subscription["billing_cycle_anchor"]
        if subscription["cancel_at_period_end"]:
            subscription["cancel_at"] = period_of(subscription)[1]
        if change.ends_trial:
            subscription |= {"status": "active", "trial_end": self.account.clock.now()}
        if not change.at_once:
            self.invoices.postpone(change.lines)
            return None
        invoice = self.invoices.draft(subscription, change.lines, "subscription_update", period)
        subscription["latest_invoice"] = invoice["id"]
        return invoice

    def _on_settled(self, invoice: Json, paid: bool) -> None:  # noqa: FBT001 - called with the outcome
        subscription = self.account.find("subscription", subscription_of(invoice))
        if subscription is None or subscription["status"] in ENDED or subscription["status"] == "trialing":
            return
        if paid and subscription["pending_update"] and subscription["latest_invoice"] == invoice["id"]:
            before = copied(subscription)
            subscription["items"]["data"] = subscription["pending_update"]["subscription_items"]
            subscription["pending_update"] = None
            self.account.emit("customer.subscription.updated", subscription, before)
        if paid and not [each for each in self._unpaid(subscription["id"]) if each["status"] == "open"]:
            self.set_status(subscription, "active")
        elif not paid and subscription["status"] == "active" and not subscription["pending_update"]:
            self.set_status(subscription, "past_due")

    def _unpaid(self, subscription: str) -> list[Json]:
        found = self.account.all("invoice")
        return [each for each in found if subscription_of(each) == subscription and each["status"] in {"draft", "open"}]

    def _dated(self, invoice: Json, form: InvoicePreview) -> Json:
        at = form.subscription_details.proration_date
        if form.subscription_details.items:
            details = invoice["parent"]["subscription_details"]
            details["subscription_proration_date"] = self.account.clock.now() if at is None else at
        return invoice


def _check_one_end(form: SubscriptionUpdate | PreviewDetails) -> None:
    if {"cancel_at", "cancel_at_period_end"} <= form.model_fields_set:
        raise StripeRefusal("Received both cancel_at_period_end and cancel_at parameters. Please pass in only one.")


def _matches(subscription: Json, page: SubscriptionPage) -> bool:
    status = subscription["status"]
    wanted = {
        None: status != "canceled",
        "all": True,
        "ended": status in ENDED,
    }.get(page.status, status == page.status)
    prices = [item["price"]["id"] for item in subscription["items"]["data"]]
    return wanted and page.customer in (None, subscription["customer"]) and page.price in (None, *prices)
