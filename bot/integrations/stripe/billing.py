"""Makes the services for billing where Stripe is configured: for the tools, and for Stripe's events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo

import aiohttp
from redis.asyncio import Redis

from bot.conversations.confirmations import ConfirmationCards
from bot.conversations.contacts import Contacts
from bot.delivery.notifications import Notifications
from bot.infra.cache import Cache
from bot.integrations.stripe.change_results import ChangeResults
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.customer_notices import Addressees, CustomerNotifier
from bot.integrations.stripe.customers import CustomerDirectory
from bot.integrations.stripe.events import PublishEvent, StripeEventHandler
from bot.integrations.stripe.invoice_pdfs import InvoicePdfs
from bot.integrations.stripe.plan_changes import PlanChanges
from bot.integrations.stripe.plans import Plans
from bot.integrations.stripe.subscription_state import SubscriptionStates
from bot.messages.language import Language
from bot.settings import Settings
from bot.storage.files import Files
from bot.storage.storage import Storage
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable


@dataclass(frozen=True, slots=True)
class BillingTerms:
    """`zone` and `default_language` are those of our texts."""

    zone: tzinfo
    default_language: Language
    trial_days: int


@dataclass(frozen=True, slots=True)
class Billing:
    """Services of the billing tools. `return_url` gives the address to which Stripe's pages lead back."""

    stripe: Stripe
    customers: CustomerDirectory
    plans: Plans
    changes: PlanChanges
    invoice_pdfs: InvoicePdfs
    return_url: Callable[[], Awaitable[str]]
    terms: BillingTerms


def billing_of(  # noqa: PLR0913, PLR0917 - what billing stands on
    redis: Redis,
    http: aiohttp.ClientSession,
    contacts: Contacts,
    storage: Storage,
    graph: Graph,
    settings: Settings,
) -> Billing | None:
    """None without STRIPE_SECRET_KEY."""
    if settings.stripe.secret_key is None:
        return None
    zone, language = settings.service.zone, settings.service.default_language
    stripe = Stripe(http, settings.stripe)
    customers, plans = CustomerDirectory(redis, stripe, contacts), Plans(Cache(redis), stripe)
    change_results = ChangeResults(stripe, plans, zone)
    files = Files(redis, storage, link_minutes=settings.storage.link_minutes, public_url=settings.service.public_url)

    async def return_url() -> str:
        return settings.stripe.return_url or await _chat(graph)

    return Billing(
        stripe=stripe,
        customers=customers,
        plans=plans,
        changes=PlanChanges(
            stripe, customers, plans, ConfirmationCards(redis), SubscriptionStates(redis), change_results, zone
        ),
        invoice_pdfs=InvoicePdfs(stripe, files),
        return_url=return_url,
        terms=BillingTerms(zone, language, settings.stripe.trial_days),
    )


def event_handler_of(
    billing: Billing,
    redis: Redis,
    notifications: Notifications,
    settings: Settings,
    publish: PublishEvent | None = None,
) -> StripeEventHandler:
    """The handler of Stripe's events, for a worker."""
    terms, customers = billing.terms, billing.customers
    return StripeEventHandler(
        stripe=billing.stripe,
        plans=billing.plans,
        states=SubscriptionStates(redis),
        addressees=Addressees(customers.contacts, customers, terms.default_language),
        notifier=CustomerNotifier(
            redis, notifications, by_email=bool(settings.mail.configured), by_push=settings.push.configured
        ),
        zone=terms.zone,
        publish=publish,
    )


async def _chat(graph: Graph) -> str:
    """The address that opens a chat with our number (https://faq.whatsapp.com/5913398998672934)."""
    try:
        number = str((await graph.number_state()).get("display_phone_number", ""))
    except (GraphError, MetaUnavailable):
        number = ""
    return f"https://wa.me/{''.join(filter(str.isdigit, number))}"
