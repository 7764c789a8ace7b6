"""Stripe for the sandbox and the tests: its API, its pages, its webhooks, and a clock that can be moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.stripe import forms, forms_billing
from sandbox.stripe.account import API_VERSION, Account, Json, copied
from sandbox.stripe.api import ApiServer, Route
from sandbox.stripe.catalog import Catalog
from sandbox.stripe.checkout import Checkout
from sandbox.stripe.clock import Clock
from sandbox.stripe.customers import Customers
from sandbox.stripe.cycle import BillingCycle
from sandbox.stripe.faults import Kind, StripeFault, StripeFaults
from sandbox.stripe.forms import EventPage, Retrieve
from sandbox.stripe.invoices import Invoices
from sandbox.stripe.listing import page_of
from sandbox.stripe.pages import HostedPages
from sandbox.stripe.portal import Portal
from sandbox.stripe.subscriptions import Subscriptions
from sandbox.stripe.webhooks import EventSender

_DAY = 86400
_RETRIES = (3 * _DAY, 5 * _DAY, 7 * _DAY)
_LARGEST_BODY = 1024 * 1024
# Method, path below /v1/, form, and the function that answers.
_Endpoint = tuple[str, str, type[Retrieve], Callable[..., Json]]


class StripeSimulator:
    """`webhook_url` gets signed events, retried after each of `retry_pauses` seconds; "" for none.

    A declined renewal is retried after each of `payment_retries` seconds, then the subscription ends. Search finds a
    change after `search_lag` seconds. Ids depend on `seed` alone: give one where another run's ids may be remembered.
    `source` is the running clock. `public_url` is the pages' address for browsers, if it differs from the API's.
    """

    def __init__(  # noqa: PLR0913 - what may be set of a whole service
        self,
        secret_key: str,
        webhook_secret: str,
        webhook_url: str = "",
        *,
        retry_pauses: Sequence[float] = (1, 5, 30, 120),
        payment_retries: Sequence[int] = _RETRIES,
        search_lag: float = 0,
        seed: str = "",
        public_url: str = "",
        source: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.on_change = on_change
        self.account = Account(Clock(source), seed)
        self.account.public_url = public_url
        self.webhooks = EventSender(webhook_url, webhook_secret, retry_pauses)
        self.faults = StripeFaults(self._changed)
        self.catalog = Catalog(self.account)
        self.customers = Customers(self.account, search_lag)
        self.invoices = Invoices(self.account, self.customers, payment_retries)
        self.subscriptions = Subscriptions(self.account, self.invoices)
        self.checkout = Checkout(self.account, self.customers, self.subscriptions)
        self.portal = Portal(self.account, self.customers, self.subscriptions)
        self.cycle = BillingCycle(self.account, self.subscriptions, self.checkout.expire)
        self._pages = HostedPages(self.account, self.checkout, self.portal, self.catch_up)
        self._api = ApiServer(self.account, secret_key, self.faults, self.catch_up)
        self.invoices.planned_decline = self.faults.take_decline
        self.catalog.seed()
        self.account.on_event = self._send_event
        self.account.on_change = self._changed

    def app(self) -> web.Application:
        """The API and the pages; events are sent while it runs."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(self._pages.routes())
        app.add_routes(self._api.routes(_endpoints(self)))
        app.cleanup_ctx.append(self._delivering)
        return app

    def pages(self) -> web.Application:
        """The pages alone, to be mounted in a server that browsers reach."""
        app = web.Application()
        app.add_routes(self._pages.routes())
        return app

    async def _delivering(self, _: web.Application) -> AsyncIterator[None]:
        self.webhooks.open()
        yield
        await self.webhooks.close()

    # ---- time

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.account.clock.now(), UTC)

    def advance(self, *, seconds: float = 0, days: float = 0) -> None:
        """Let time pass; returns after all due work has happened, in order."""
        self.account.clock.move_to(int(self.account.clock.now() + seconds + days * _DAY))
        self.catch_up()

    def advance_to(self, moment: datetime) -> None:
        self.account.clock.move_to(int(moment.timestamp()))
        self.catch_up()

    def catch_up(self) -> None:
        """Perform due work; every request does so first."""
        self.cycle.catch_up()

    # ---- people

    def complete_checkout(self, session: str, card: str = "pm_card_visa", email: str = "", name: str = "") -> Json:
        """The customer pays on the session's page; raises StripeRefusal if it is over or the card is declined."""
        self.catch_up()
        return copied(self.checkout.complete(session, card, email, name))

    def set_decline(self, method: str, decline_code: str | None = "generic_decline") -> None:
        """Let the bank decline further charges to this card for this reason; None: accept them."""
        self.customers.set_decline(method, decline_code)

    def discount(self, subscription: str, percent_off: float) -> None:
        """Give a coupon that reduces each further invoice by this share."""
        fields: Json = {"percent_off": percent_off, "subscription": subscription}
        made = self.account.keep(self.account.make("discount", fields))
        self.account.get("subscription", subscription)["discounts"].append(made["id"])

    def tax(self, subscription: str, percentage: float) -> None:
        """Add this tax to each further invoice."""
        rates = self.account.get("subscription", subscription)["default_tax_rates"]
        rates.append({"object": "tax_rate", "inclusive": False, "percentage": percentage})

    # ---- planned faults

    def will_rate_limit(self, times: int = 1, path: str = "") -> None:
        """Answer the next calls (with this start of the path) with 429."""
        self._plan("rate_limit", times, path)

    def will_fail(self, times: int = 1, path: str = "") -> None:
        """Answer 500 without doing anything."""
        self._plan("error", times, path)

    def will_be_unavailable(self, times: int = 1, path: str = "") -> None:
        """Answer 503 without doing anything."""
        self._plan("unavailable", times, path)

    def will_html_502(self, times: int = 1, path: str = "") -> None:
        """Answer with a gateway's HTML page without doing anything."""
        self._plan("html", times, path)

    def will_drop(self, times: int = 1, path: str = "") -> None:
        """Do the work, and lose the answer."""
        self._plan("drop", times, path)

    def will_be_slow(self, seconds: float, times: int = 1, path: str = "") -> None:
        """Do the work, and answer only after this many seconds."""
        self.faults.plan(StripeFault("slow", times, path, seconds))

    def will_decline(self, times: int = 1, code: str = "generic_decline") -> None:
        """Let the bank decline the next payments of any card."""
        self.faults.plan(StripeFault("decline", times, code=code))

    def _plan(self, kind: Kind, times: int, path: str) -> None:
        self.faults.plan(StripeFault(kind, times, path))

    # ---- webhooks

    def deliver_again(self, event: str) -> None:
        """Send an event again, as Stripe may."""
        self.webhooks.send(self.account.get("event", event))

    def send_pending(self) -> None:
        """Send the events that nobody has taken, as Stripe does for days."""
        for event in list(self.account.all("event")):
            if event["pending_webhooks"]:
                self._send_event(event)

    def send_own_event(self, kind: str, thing: Json, id_: str | None = None) -> str:
        """Send an event that somebody wrote by hand, once known by a new id; returns the id."""
        fields = {"api_version": API_VERSION, "data": {"object": thing}, "pending_webhooks": 1, "type": kind}
        fields["request"] = {"id": None, "idempotency_key": None}
        named = {"id": id_} if id_ and self.account.find("event", id_) is None else {}
        event = self.account.keep(self.account.make("event", fields, **named))
        self._send_event(event)
        return str(event["id"])

    async def idle(self) -> None:
        """Return when every event is taken, held or given up."""
        await self.webhooks.idle()

    # ---- observation

    @property
    def events(self) -> list[Json]:
        """The events, oldest first."""
        return [copied(event) for event in self.account.all("event")]

    def snapshot(self) -> dict[str, Any]:
        """The account's objects for a page: each list with the newest first."""
        kinds = {
            "customers": "customer",
            "subscriptions": "subscription",
            "invoices": "invoice",
            "checkout_sessions": "checkout.session",
            "events": "event",
        }
        kept = {name: [copied(each) for each in self.account.all(kind)][::-1] for name, kind in kinds.items()}
        return kept | {"now": self.account.clock.now(), "armed": self.faults.armed()}

    def _send_event(self, event: Json) -> None:
        self.webhooks.send(event)

    def _changed(self) -> None:
        self.on_change()


def _endpoints(stripe: StripeSimulator) -> list[Route]:
    """The endpoints in matching order: fixed words before ids."""
    table = [
        *_customer_endpoints(stripe.customers),
        *_catalog_endpoints(stripe.catalog),
        *_billing_endpoints(stripe.subscriptions, stripe.invoices),
        *_hosted_page_endpoints(stripe.checkout, stripe.portal),
        *_event_endpoints(stripe.account),
    ]
    return [Route(method, f"/v1/{path}", form, act) for method, path, form, act in table]


def _customer_endpoints(customers: Customers) -> list[_Endpoint]:
    return [
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
    ]


def _catalog_endpoints(catalog: Catalog) -> list[_Endpoint]:
    return [
        ("POST", "products", forms.ProductCreate, catalog.create_product),
        ("GET", "products", forms.ProductPage, catalog.products),
        ("GET", "products/{id}", Retrieve, catalog.product),
        ("POST", "products/{id}", forms.ProductUpdate, catalog.update_product),
        ("POST", "prices", forms.PriceCreate, catalog.create_price),
        ("GET", "prices", forms.PricePage, catalog.prices),
        ("GET", "prices/{id}", Retrieve, catalog.price),
        ("POST", "prices/{id}", forms.PriceUpdate, catalog.update_price),
    ]


def _billing_endpoints(subscriptions: Subscriptions, invoices: Invoices) -> list[_Endpoint]:
    return [
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
    ]


def _hosted_page_endpoints(checkout: Checkout, portal: Portal) -> list[_Endpoint]:
    return [
        ("POST", "checkout/sessions", forms_billing.CheckoutCreate, checkout.create),
        ("GET", "checkout/sessions", forms.SessionPage, checkout.all),
        ("GET", "checkout/sessions/{id}", Retrieve, checkout.retrieve),
        ("GET", "checkout/sessions/{id}/line_items", forms.Page, checkout.lines),
        ("POST", "checkout/sessions/{id}/expire", Retrieve, checkout.expire_now),
        ("POST", "billing_portal/sessions", forms_billing.PortalCreate, portal.create),
    ]


def _event_endpoints(account: Account) -> list[_Endpoint]:
    def event(_: Retrieve, wanted: str) -> Json:
        return account.get("event", wanted)

    def events(page: EventPage) -> Json:
        kinds = set(page.types or ()) | ({page.type} if page.type else set())
        found = [each for each in account.all("event") if not kinds or each["type"] in kinds]
        return page_of(found, page, "/v1/events")

    return [
        ("GET", "events", EventPage, events),
        ("GET", "events/{id}", Retrieve, event),
    ]
