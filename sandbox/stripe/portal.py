"""The customer portal: a page where a customer changes the card, or whether a subscription ends with its period."""

from __future__ import annotations

from sandbox.stripe.account import Account, Json
from sandbox.stripe.customers import Customers
from sandbox.stripe.forms import Attach, CustomerUpdate
from sandbox.stripe.forms_billing import PortalCreate, SubscriptionUpdate
from sandbox.stripe.subscriptions import ENDED, Subscriptions

# Stripe's test numbers: https://docs.stripe.com/testing
_BY_NUMBER = {
    "4242424242424242": "pm_card_visa",
    "5555555555554444": "pm_card_mastercard",
    "4000000000000002": "pm_card_chargeDeclined",
    "4000000000000341": "pm_card_chargeCustomerFail",
}


class UnknownCard(Exception):
    """The number is none of Stripe's test cards."""


class Portal:
    def __init__(self, account: Account, customers: Customers, subscriptions: Subscriptions) -> None:
        self.account = account
        self._customers = customers
        self._subscriptions = subscriptions

    def create(self, form: PortalCreate) -> Json:
        self.account.get_by_param("customer", form.customer, "customer")
        fields: Json = {
            "configuration": "bpc_sandbox",
            "customer": form.customer,
            "flow": None,
            "locale": form.locale,
            "on_behalf_of": None,
            "return_url": form.return_url,
        }
        session = self.account.make("billing_portal.session", fields)
        session["url"] = f"{self.account.base_url}/p/session/{session['id']}"
        return self.account.keep(session)

    def subscriptions(self, session: Json) -> list[Json]:
        """The subscriptions that the session's customer can change."""
        found = self.account.all("subscription", customer=session["customer"])
        return [each for each in found if each["status"] not in ENDED]

    def set_ending(self, session: Json, subscription: str, *, ends: bool) -> None:
        """Raises StripeRefusal for another customer's subscription."""
        found = self.account.get("subscription", subscription)
        if not any(each["id"] == subscription for each in self.subscriptions(session)):
            return
        # Flexible billing has a date and no flag: https://docs.stripe.com/billing/subscriptions/billing-mode/compare
        wanted: Json = {"cancel_at_period_end": "true" if ends else "false"}
        if found["billing_mode"]["type"] == "flexible" and not found["cancel_at_period_end"]:
            wanted = {"cancel_at": "max_period_end" if ends else ""}
        self._subscriptions.update(SubscriptionUpdate.model_validate(wanted), subscription)

    def card(self, session: Json) -> Json | None:
        """The customer's default card."""
        method = self.account.get("customer", session["customer"])["invoice_settings"]["default_payment_method"]
        found = self.account.find("payment_method", method)
        return found["card"] if found else None

    def change_card(self, session: Json, number: str) -> None:
        """Make the card of this number the default; raises UnknownCard, or StripeRefusal where the bank declines."""
        chosen = _BY_NUMBER.get("".join(filter(str.isdigit, number)))
        if chosen is None:
            raise UnknownCard
        owner = session["customer"]
        method = self._customers.attach(Attach(customer=owner), chosen)["id"]
        default = {"invoice_settings": {"default_payment_method": method}}
        self._customers.update(CustomerUpdate.model_validate(default), owner)
        for subscription in self.subscriptions(session):
            if subscription["default_payment_method"]:
                change = SubscriptionUpdate.model_validate({"default_payment_method": method})
                self._subscriptions.update(change, subscription["id"])
