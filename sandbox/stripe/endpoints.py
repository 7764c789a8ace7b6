"""The endpoints of Stripe's API that there are here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.stripe import forms, forms_billing
from sandbox.stripe.account import Json
from sandbox.stripe.api import Route
from sandbox.stripe.forms import EventPage, Retrieve
from sandbox.stripe.listing import page_of

if TYPE_CHECKING:
    from sandbox.stripe.simulator import StripeImitation


def endpoints(stripe: StripeImitation) -> list[Route]:
    """In the order in which they are tried: fixed words before ids."""
    account = stripe.account

    def event(_: Retrieve, wanted: str) -> Json:
        return account.get("event", wanted)

    def events(page: EventPage) -> Json:
        kinds = set(page.types or ()) | ({page.type} if page.type else set())
        return page_of(
            [each for each in account.all("event") if not kinds or each["type"] in kinds], page, "/v1/events"
        )

    customers, catalog, invoices = stripe.customers, stripe.catalog, stripe.invoices
    subscriptions, checkout = stripe.subscriptions, stripe.checkout
    table: list[tuple[str, str, type[Retrieve], Callable[..., Json]]] = [
        ("POST", "customers", forms.CustomerCreate, customers.create),
        ("GET", "customers", forms.CustomerPage, customers.all),
        ("GET", "customers/search", forms.Search, customers.search),
        ("GET", "customers/{id}", Retrieve, customers.retrieve),
        ("POST", "customers/{id}", forms.CustomerUpdate, customers.update),
        ("GET", "customers/{id}/payment_methods", forms.PaymentMethodPage, customers.methods),
        ("POST", "payment_methods", forms.PaymentMethodCreate, customers.create_method),
        ("GET", "payment_methods", forms.PaymentMethodPage, customers.methods),
        ("GET", "payment_methods/{id}", Retrieve, customers.method),
        ("POST", "payment_methods/{id}/attach", forms.Attach, customers.attach),
        ("POST", "payment_methods/{id}/detach", Retrieve, customers.detach),
        ("POST", "products", forms.ProductCreate, catalog.create_product),
        ("GET", "products", forms.ProductPage, catalog.products),
        ("GET", "products/{id}", Retrieve, catalog.product),
        ("POST", "products/{id}", forms.ProductUpdate, catalog.update_product),
        ("POST", "prices", forms.PriceCreate, catalog.create_price),
        ("GET", "prices", forms.PricePage, catalog.prices),
        ("GET", "prices/{id}", Retrieve, catalog.price),
        ("POST", "prices/{id}", forms.PriceUpdate, catalog.update_price),
        ("POST", "subscriptions", forms_billing.SubscriptionCreate, subscriptions.create),
        ("GET", "subscriptions", forms.SubscriptionPage, subscriptions.all),
        ("GET", "subscriptions/{id}", Retrieve, subscriptions.retrieve),
        ("POST", "subscriptions/{id}", forms_billing.SubscriptionUpdate, subscriptions.update),
        ("DELETE", "subscriptions/{id}", forms_billing.SubscriptionCancel, subscriptions.cancel),
        ("POST", "invoices/create_preview", forms_billing.InvoicePreview, subscriptions.preview),
        ("GET", "invoices", forms.InvoicePage, invoices.all),
        ("GET", "invoices/{id}", Retrieve, invoices.retrieve),
        ("GET", "invoices/{id}/lines", forms.Page, invoices.lines),
        ("POST", "invoices/{id}/pay", forms_billing.InvoicePay, invoices.pay),
        ("GET", "payment_intents/{id}", Retrieve, invoices.intent),
        ("POST", "checkout/sessions", forms_billing.CheckoutCreate, checkout.create),
        ("GET", "checkout/sessions", forms.SessionPage, checkout.all),
        ("GET", "checkout/sessions/{id}", Retrieve, checkout.retrieve),
        ("GET", "checkout/sessions/{id}/line_items", forms.Page, checkout.lines),
        ("POST", "checkout/sessions/{id}/expire", Retrieve, checkout.expire_now),
        ("POST", "billing_portal/sessions", forms_billing.PortalCreate, stripe.portal.create),
        ("GET", "events", EventPage, events),
        ("GET", "events/{id}", Retrieve, event),
    ]
    return [Route(method, f"/v1/{path}", form, act) for method, path, form, act in table]
