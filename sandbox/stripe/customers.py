"""Customers and their cards."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.account import Account, Json, copied, submitted_values, with_metadata
from sandbox.stripe.errors import StripeRefusal, declined, no_such
from sandbox.stripe.forms import (
    Attach,
    Card,
    CustomerCreate,
    CustomerPage,
    CustomerUpdate,
    Form,
    PaymentMethodCreate,
    PaymentMethodPage,
    Retrieve,
    Search,
)
from sandbox.stripe.listing import matches, page_of

# Stripe's test cards (https://docs.stripe.com/testing): brand, last4, and the bank's answer to a charge.
_CARDS = {
    "visa": ("visa", "4242", None),
    "mastercard": ("mastercard", "4444", None),
    "amex": ("amex", "8431", None),
    "chargeCustomerFail": ("visa", "0341", "generic_decline"),
    "authenticationRequired": ("visa", "3184", "authentication_required"),
    "chargeDeclined": ("visa", "0002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": ("visa", "9995", "insufficient_funds"),
}
_NUMBERS = {
    "4242424242424242": "visa",
    "5555555555554444": "mastercard",
    "378282246310005": "amex",
    "4000000000000341": "chargeCustomerFail",
    "4000000000000002": "chargeDeclined",
    "4000002760003184": "authenticationRequired",
    "4000000000009995": "chargeDeclinedInsufficientFunds",
}
_REFUSED_AT_ONCE = {"0002": "generic_decline", "9995": "insufficient_funds"}


class Customers:
    """`search_lag` is the seconds until search finds a change (at Stripe up to a minute)."""

    def __init__(self, account: Account, search_lag: float = 0) -> None:
        self.account = account
        self.search_lag = search_lag
        self._versions: dict[str, list[tuple[int, Json]]] = {}
        self.declines: dict[str, str | None] = {}

    # ---- customers

    def create(self, form: CustomerCreate) -> Json:
        fields: Json = {
            "address": None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "invoice_prefix": self.account.new_id("request")[4:12].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "metadata": {},
            "name": None,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }
        customer = self.account.make("customer", fields)
        method = self._method(form.payment_method, "payment_method") if form.payment_method else None
        if method is not None:
            self._check_bank(method)
            method["customer"] = customer["id"]
        self._apply(customer, form)
        self._keep(customer)
        self.account.emit("customer.created", customer)
        return customer

    def update(self, form: CustomerUpdate, customer: str) -> Json:
        found = self.account.get("customer", customer)
        before, changed = copied(found), copied(found)
        self._apply(changed, form)
        found |= changed
        self._keep(found)
        self.account.emit("customer.updated", found, before)
        return found

    def retrieve(self, _: Retrieve, customer: str) -> Json:
        return self.account.get("customer", customer)

    def all(self, page: CustomerPage) -> Json:
        found = self.account.all("customer")
        return page_of([each for each in found if page.email in (None, each["email"])], page, "/v1/customers")

    def search(self, form: Search) -> Json:
        found = [each for each in self._indexed() if matches(each, form.query)][::-1]
        if not found:
            matches(_NOBODY, form.query)
        start = int(form.page) if form.page and form.page.isdecimal() else 0
        shown = found[start : start + form.limit]
        more = len(found) > start + form.limit
        return {
            "object": "search_result",
            "data": shown,
            "has_more": more,
            "next_page": str(start + form.limit) if more else None,
            "url": "/v1/customers/search",
        }

    def changed(self, customer: Json, before: Json) -> None:
        """Store a customer that billing has changed."""
        self._keep(customer)
        self.account.emit("customer.updated", customer, before)

    def set_currency(self, customer: Json, currency: str) -> None:
        """A customer's currency is that of its first bill."""
        before = copied(customer)
        customer["currency"] = customer["currency"] or currency
        self.changed(customer, before)

    def _apply(self, customer: Json, form: CustomerUpdate) -> None:
        customer |= submitted_values(form, "email", "name", "phone", "description", "preferred_locales")
        customer["metadata"] = with_metadata(customer["metadata"], form.metadata)
        if form.invoice_settings and form.invoice_settings.default_payment_method is not None:
            wanted, param = form.invoice_settings.default_payment_method, "invoice_settings[default_payment_method]"
            if wanted and self._method(wanted, param)["customer"] != customer["id"]:
                raise StripeRefusal(
                    "The customer does not have a payment method with the ID "
                    f"{wanted}. The payment method must be attached to the customer.",
                    code="resource_missing",
                    param=param,
                )
            customer["invoice_settings"]["default_payment_method"] = wanted or None

    def index(self, customer: Json) -> None:
        """Let search find this version of a customer."""
        versions = self._versions.setdefault(customer["id"], [])
        versions.append((self.account.clock.now(), copied(customer)))

    def _keep(self, customer: Json) -> None:
        self.index(customer)
        self.account.keep(customer)

    def _indexed(self) -> list[Json]:
        """The customers as search finds them now."""
        until = self.account.clock.now() - self.search_lag
        known: list[Json] = []
        for versions in self._versions.values():
            known += [version for at, version in versions if at <= until][-1:]
        return known

    # ---- cards

    def create_method(self, form: PaymentMethodCreate) -> Json:
        return self._new_method(_card_name(form.card), form.card, with_metadata({}, form.metadata))

    def attach(self, form: Attach, method: str) -> Json:
        self.account.get_by_param("customer", form.customer, "customer")
        found = self._method(method, "payment_method", status=404)
        if found["customer"] not in (None, form.customer):
            raise StripeRefusal("The payment method you provided has already been attached to a customer.")
        self._check_bank(found)
        before = copied(found)
        found["customer"] = form.customer
        self.account.keep(found)
        if before["customer"] is None:
            self.account.emit("payment_method.attached", found)
        return found

    def detach(self, _: Form, method: str) -> Json:
        found = self.account.get("payment_method", method, "payment_method")
        owner = self.account.find("customer", found["customer"])
        if owner is None:
            raise StripeRefusal(
                "The payment method you provided is not attached to a customer so detachment is impossible."
            )
        found["customer"] = None
        if owner["invoice_settings"]["default_payment_method"] == method:
            before = copied(owner)
            owner["invoice_settings"]["default_payment_method"] = None
            self.changed(owner, before)
        self.account.keep(found)
        self.account.emit("payment_method.detached", found, {"customer": owner["id"]} | found)
        return found

    def method(self, _: Retrieve, method: str) -> Json:
        return self.account.get("payment_method", method, "payment_method")

    def methods(self, page: PaymentMethodPage, customer: str | None = None) -> Json:
        if customer is not None:
            self.account.get("customer", customer)
        owner = customer or page.customer
        found = self.account.all("payment_method", customer=owner) if owner else ()
        return page_of(found, page, f"/v1/customers/{customer}/payment_methods" if customer else "/v1/payment_methods")

    def check_card(self, card: str) -> str:
        """The id of a card for the bank to judge; raises StripeRefusal for a card that can't be saved."""
        method = self._method(card, "payment_method")
        self._check_bank(method)
        return str(method["id"])

    def decline_reason(self, method: str) -> str | None:
        """The bank's reason to decline a charge to the card, or None."""
        return self.declines[method]

    def set_decline(self, method: str, decline_code: str | None) -> None:
        """Let the bank decline further charges to the card for this reason, or accept them (None)."""
        self.declines[method] = decline_code

    def _method(self, wanted: str, param: str, status: int = 400) -> Json:
        """Stripe's test ids, such as pm_card_visa, give a new card each time."""
        if wanted.startswith("pm_card_"):
            name = wanted.removeprefix("pm_card_")
            if name not in _CARDS:
                raise no_such("payment_method", wanted, param, status)
            return self._new_method(name, Card(), {})
        return self.account.get("payment_method", wanted, param, status)

    def _new_method(self, name: str, card: Card, metadata: dict[str, str]) -> Json:
        brand, last4, self_declines = _CARDS[name]
        year = int(1970 + self.account.clock.now() / 31556952) + 1
        fields: Json = {
            "allow_redisplay": "unspecified",
            "billing_details": {"address": _NOWHERE, "email": None, "name": None, "phone": None, "tax_id": None},
            "card": {
                "brand": brand,
                "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
                "country": "US",
                "display_brand": brand,
                "exp_month": card.exp_month or 12,
                "exp_year": card.exp_year or year,
                "fingerprint": last4 * 4,
                "funding": "credit",
                "generated_from": None,
                "last4": last4,
                "networks": {"available": [brand], "preferred": None},
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "customer": None,
            "metadata": metadata,
            "type": "card",
        }
        method = self.account.keep(self.account.make("payment_method", fields))
        self.declines[method["id"]] = self_declines
        return method

    def _check_bank(self, method: Json) -> None:
        code = _REFUSED_AT_ONCE.get(method["card"]["last4"])
        if code:
            raise declined(code)


def _card_name(card: Card) -> str:
    if card.token:
        name = card.token.removeprefix("tok_")
        if name not in _CARDS:
            raise no_such("token", card.token, "card[token]", status=400)
        return name
    for part in ("number", "exp_month", "exp_year"):
        if getattr(card, part) is None:
            param = f"card[{part}]"
            raise StripeRefusal(f"Missing required param: {param}.", code="parameter_missing", param=param)
    name = _NUMBERS.get((card.number or "").replace(" ", ""), "")
    if not name:
        raise StripeRefusal(
            "Your card number is incorrect.",
            status=402,
            kind="card_error",
            code="incorrect_number",
            param="card[number]",
        )
    return name


_NOWHERE = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
_NOBODY: dict[str, Any] = {"email": None, "name": None, "phone": None, "metadata": {}}
