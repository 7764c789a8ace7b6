"""Invoices from draft to paid: the amount due after the customer's credit, and the bank's answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.account import Account, Json, copied
from sandbox.stripe.customers import Customers
from sandbox.stripe.errors import StripeRefusal, declined, needs_action
from sandbox.stripe.forms import InvoicePage, Page, Retrieve
from sandbox.stripe.forms_billing import InvoicePay
from sandbox.stripe.lines import InvoiceLine, invoice_line_json
from sandbox.stripe.listing import listed, page_of
from sandbox.stripe.object_fields import intent_fields, invoice_fields, payment_fields

_DRAFT_SECONDS = 3600
_DAY = 86400
_NO_METHOD = "no_payment_method"
_BY_THE_CUSTOMER = "authentication_required"


class Invoices:
    """`retries` are the seconds between tries of a renewal's payment; `settled` is called with each outcome.

    `declines` is asked before the bank: a planned reason to decline, or None.
    """

    def __init__(self, account: Account, customers: Customers, retries: Sequence[int]) -> None:
        self.account = account
        self.customers = customers
        self.retries = retries
        self.planned_decline: Callable[[], str | None] = lambda: None
        self.on_settled: Callable[[Json, bool], None] = lambda _invoice, _mark_paid: None
        self.unbilled: dict[str, list[InvoiceLine]] = {}

    # ---- Stripe's API

    def retrieve(self, _: Retrieve, invoice: str) -> Json:
        return self.account.get("invoice", invoice, "invoice")

    def all(self, page: InvoicePage) -> Json:
        found = [
            each
            for each in self.account.all("invoice")
            if page.customer in (None, each["customer"])
            and page.subscription in (None, subscription_of(each))
            and page.status in (None, each["status"])
        ]
        return page_of(found, page, "/v1/invoices")

    def lines(self, page: Page, invoice: str) -> Json:
        found = self.account.get("invoice", invoice, "invoice")
        return page_of(found["lines"]["data"][::-1], page, f"/v1/invoices/{invoice}/lines")

    def intent(self, _: Retrieve, intent: str) -> Json:
        return self.account.get("payment_intent", intent, "intent")

    def pay(self, form: InvoicePay, invoice: str) -> Json:
        """Raises StripeRefusal with 402 for a declined card, after the subscription has been updated accordingly."""
        found = self.account.get("invoice", invoice, "invoice")
        if found["status"] == "paid":
            raise StripeRefusal("Invoice is already paid", code="invoice_already_paid")
        if found["status"] not in {"draft", "open"}:
            raise StripeRefusal(f"This invoice can't be paid: it is {found['status']}.", code="invoice_not_editable")
        method = form.payment_method
        if method is not None:
            self.account.get_by_param("payment_method", method, "payment_method")
        if found["status"] == "draft":
            self.finalize(found)
        if found["status"] == "open":
            method = method or self.method_for(found)
            answer = self.decline_of_charge(found["amount_due"], method)
            if not self.attempt(found, method, answer, by_hand=True):
                raise refusal(answer, found)
        return found

    # ---- pending amounts, which the next invoice bills

    def pending(self, subscription: str) -> list[InvoiceLine]:
        return list(self.unbilled.get(subscription, ()))

    def postpone(self, lines: Sequence[InvoiceLine]) -> None:
        for line in lines:
            kept = replace(line, invoice_item=self.account.new_id("invoiceitem"))
            self.unbilled.setdefault(line.subscription, []).append(kept)

    def forget_pending(self, subscription: str) -> None:
        self.unbilled.pop(subscription, None)

    # ---- lifecycle

    def draft(self, subscription: Json, lines: Sequence[InvoiceLine], reason: str, period: tuple[int, int]) -> Json:
        """A new draft invoice that includes pending amounts; its event is emitted."""
        lines = [*self.unbilled.pop(subscription["id"], ()), *lines]
        made = self.account.make("invoice", {})
        invoice = made | self._fields(subscription, lines, made["id"], reason, period)
        invoice |= {"automatically_finalizes_at": self.account.clock.now() + _DRAFT_SECONDS}
        self.account.keep(invoice)
        self.account.emit("invoice.created", invoice)
        return invoice

    def preview(self, subscription: Json, lines: Sequence[InvoiceLine], reason: str, period: tuple[int, int]) -> Json:
        """The invoice of these lines, pending amounts included, without storing it."""
        made = self.account.make("invoice", {}, id=f"upcoming_{self.account.new_id('invoice')}")
        every = [*self.pending(subscription["id"]), *lines]
        return made | self._fields(subscription, every, made["id"], reason, period)

    def finalize(self, invoice: Json) -> None:
        """Number the invoice and apply the customer's credit; nothing due means paid."""
        customer = self.account.get("customer", invoice["customer"])
        number = customer["next_invoice_sequence"]
        customer["next_invoice_sequence"] += 1
        before = copied(customer)
        if invoice["collection_method"] == "send_invoice":
            days = self.account.get("subscription", subscription_of(invoice))["days_until_due"] or 0
            invoice["due_date"] = self.account.clock.now() + days * _DAY
        rest = customer["balance"] + invoice["total"]
        invoice |= {"starting_balance": customer["balance"], "amount_due": max(rest, 0)}
        invoice |= {"amount_remaining": max(rest, 0), "ending_balance": min(rest, 0)}
        customer["balance"] = min(rest, 0)
        token = invoice["id"].removeprefix("in_")
        now = self.account.clock.now()
        invoice |= {
            "automatically_finalizes_at": None,
            "effective_at": now,
            "hosted_invoice_url": f"{self.account.base_url}/i/{token}",
            "invoice_pdf": f"{self.account.base_url}/i/{token}/pdf",
            "number": f"{customer['invoice_prefix']}-{number:04d}",
            "status": "open",
        }
        invoice["status_transitions"]["finalized_at"] = now
        self.customers.changed(customer, before)
        self.account.keep(invoice)
        self.account.emit("invoice.finalized", invoice)
        if invoice["amount_due"] == 0:
            self._mark_paid(invoice)

    def method_for(self, invoice: Json) -> str | None:
        subscription = self.account.find("subscription", subscription_of(invoice))
        return self.method_of(subscription or invoice)

    def method_of(self, subscription: Json) -> str | None:
        customer = self.account.get("customer", subscription["customer"])
        found = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
        return str(found) if found else None

    def decline_of_charge(self, amount: int, method: str | None) -> str | None:
        """The reason for which a charge of this amount is declined; None if it succeeds."""
        if amount == 0:
            return None
        if method is None:
            return _NO_METHOD
        return self.planned_decline() or self.customers.decline_reason(method)

    def attempt(self, invoice: Json, method: str | None, answer: str | None, *, by_hand: bool = False) -> bool:
        """Charge the amount due with this answer of the bank; returns whether it is paid now.

        An attempt by hand counts only as the first, because it leaves the schedule of retries unchanged.
        """
        if invoice["status"] == "paid":
            return True
        scheduled = not by_hand or not invoice["attempted"]
        invoice |= {"attempt_count": invoice["attempt_count"] + scheduled, "attempted": True}
        intent = self._intent(invoice, method)
        if answer is None:
            intent |= {"amount_received": intent["amount"], "latest_charge": self.account.new_id("charge")}
            intent |= {"last_payment_error": None, "status": "succeeded"}
            self.account.emit("payment_intent.succeeded", intent)
            self._mark_paid(invoice)
            return True
        reason = "generic_decline" if answer == _NO_METHOD else answer
        error = declined(reason).body()["error"] if answer != _NO_METHOD else None
        waits = "requires_action" if answer == _BY_THE_CUSTOMER else "requires_payment_method"
        intent |= {"last_payment_error": error, "payment_method": None, "status": waits}
        if scheduled:
            invoice["next_payment_attempt"] = self._next_try(invoice)
        self.account.keep(invoice)
        if error is not None:
            self.account.emit("payment_intent.payment_failed", intent)
        self.account.emit("invoice.payment_failed", invoice)
        self.on_settled(invoice, False)
        return False

    def open_payment(self, invoice: Json) -> None:
        """Wait for somebody's payment: an intent without a card."""
        self._intent(invoice, None)

    def end(self, invoice: Json, status: str) -> None:
        """Close a draft or open invoice without payment."""
        now = self.account.clock.now()
        invoice |= {"auto_advance": False, "next_payment_attempt": None, "automatically_finalizes_at": None}
        if status == "void":
            invoice["status"] = status
            invoice["status_transitions"]["voided_at"] = now
            self.account.emit("invoice.voided", invoice)
        self.account.keep(invoice)

    def _mark_paid(self, invoice: Json) -> None:
        now = self.account.clock.now()
        invoice |= {
            "amount_paid": invoice["amount_due"],
            "amount_remaining": 0,
            "attempted": True,
            "next_payment_attempt": None,
            "status": "paid",
        }
        invoice["status_transitions"]["paid_at"] = now
        for payment in self.account.all("invoice_payment", invoice=invoice["id"]):
            payment |= {"amount_paid": invoice["amount_due"], "status": "paid"}
            payment["status_transitions"]["paid_at"] = now
        self.account.keep(invoice)
        for kind in ("invoice.paid", "invoice.payment_succeeded"):
            self.account.emit(kind, invoice)
        self.on_settled(invoice, True)

    def _next_try(self, invoice: Json) -> int | None:
        tried = invoice["attempt_count"] - 1
        again = invoice["billing_reason"] != "subscription_create" and tried < len(self.retries)
        return self.account.clock.now() + self.retries[tried] if again else None

    def _intent(self, invoice: Json, method: str | None) -> Json:
        payment = next(self.account.all("invoice_payment", invoice=invoice["id"]), None)
        if payment is None:
            intent = self.account.keep(self.account.make("payment_intent", intent_fields(invoice)))
            intent["client_secret"] = f"{intent['id']}_secret_sandbox"
            payment = self.account.make("invoice_payment", payment_fields(invoice, intent["id"]))
            self.account.keep(payment)
        intent = self.account.get("payment_intent", payment["payment"]["payment_intent"])
        intent["payment_method"] = method
        return intent

    def _fields(
        self, subscription: Json, lines: Sequence[InvoiceLine], name: str, reason: str, period: tuple[int, int]
    ) -> Json:
        customer = self.account.get("customer", subscription["customer"])
        subtotal = sum(line.amount for line in lines)
        off = self._part(
            subtotal, [self.account.get("discount", discount)["percent_off"] for discount in subscription["discounts"]]
        )
        tax = self._part(subtotal - off, [rate["percentage"] for rate in subscription["default_tax_rates"]])
        total = subtotal - off + tax
        balance = customer["balance"]
        due = max(total + balance, 0)
        data = [invoice_line_json(self.account, line, name) for line in lines]
        return invoice_fields(subscription, customer, reason) | {
            "amount_due": due,
            "amount_remaining": due,
            "lines": listed(data, f"/v1/invoices/{name}/lines") | {"total_count": len(data)},
            "period_end": period[1],
            "period_start": period[0],
            "starting_balance": balance,
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "total": total,
            "total_discount_amounts": [{"amount": off, "discount": discount} for discount in subscription["discounts"]],
            "total_excluding_tax": subtotal - off,
            "total_taxes": [{"amount": tax, "tax_behavior": "exclusive"}] if tax else [],
        }

    @staticmethod
    def _part(amount: int, percents: Sequence[float]) -> int:
        return int((Decimal(amount) * Decimal(str(sum(percents))) / 100).quantize(Decimal(1), ROUND_HALF_UP))


def subscription_of(invoice: Json) -> str:
    return str(invoice["parent"]["subscription_details"]["subscription"])


def refusal(answer: str | None, invoice: Json | None = None) -> StripeRefusal:
    """402 for a payment that failed; 400 without a payment method."""
    if answer == _NO_METHOD or answer is None:
        return StripeRefusal(
            "This customer has no attached payment source or default payment method. "
            "Please consider adding a default payment method.",
            code="resource_missing",
        )
    if answer == _BY_THE_CUSTOMER and invoice is None:
        return needs_action()
    return declined(answer, invoice["id"] if invoice else None)
