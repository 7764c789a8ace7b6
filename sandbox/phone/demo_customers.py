"""Demo customers in the Stripe simulator: a contact's customer with a card and a subscription."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import StripeSimulator
from sandbox.stripe.forms import Attach, CustomerCreate, CustomerUpdate
from sandbox.stripe.forms_billing import SubscriptionCreate


def customer(
    stripe: StripeSimulator, whatsapp_id: str | None, name: str, email: str, card: str = "pm_card_visa"
) -> str:
    """Create a customer with a card ("" for none); returns its id."""
    metadata = {"whatsapp_id": whatsapp_id} if whatsapp_id else {}
    form = CustomerCreate.model_validate({"name": name, "email": email, "metadata": metadata})
    made = stripe.customers.create(form)
    if card:
        method = stripe.customers.attach(Attach(customer=made["id"]), card)
        default = {"invoice_settings": {"default_payment_method": method["id"]}}
        stripe.customers.update(CustomerUpdate.model_validate(default), made["id"])
    return str(made["id"])


def speaks(stripe: StripeSimulator, owner: str, locale: str) -> None:
    """Set the language of a customer's mails and pages."""
    stripe.customers.update(CustomerUpdate.model_validate({"preferred_locales": [locale]}), owner)


def subscribe(stripe: StripeSimulator, owner: str, price: str = "basico_month_mxn", **more: Any) -> str:
    """Create a subscription to the price with this lookup key; returns its id."""
    wanted = {"customer": owner, "items": [{"price": price_of(stripe, price)}]} | more
    return str(stripe.subscriptions.create(SubscriptionCreate.model_validate(wanted))["id"])


def price_of(stripe: StripeSimulator, lookup_key: str) -> str:
    return str(next(stripe.account.all("price", lookup_key=lookup_key))["id"])
