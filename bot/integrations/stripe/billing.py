"""All that the assistant's billing tools work with, made where Stripe is configured."""

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
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.customer_notices import CustomerNotifier, Tell
from bot.integrations.stripe.customers import CustomerDirectory
from bot.integrations.stripe.events import StripeEventHandler
from bot.integrations.stripe.invoice_pdfs import InvoicePdfs
from bot.integrations.stripe.outcomes import ChangeOutcomes
from bot.integrations.stripe.plan_changes import PlanChanges
from bot.integrations.stripe.plans import Plans
from bot.integrations.stripe.subscription_state import SubscriptionStates
from bot.settings import Settings
from bot.storage.files import Files
from bot.storage.storage import Storage
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable


@dataclass(frozen=True, slots=True)
class Billing:
    """`back` gives the address to which Stripe's pages lead back; `mail` says whether e-mail is configured."""

    stripe: Stripe
    links: CustomerDirectory
    plans: Plans
    changes: PlanChanges
    documents: InvoicePdfs
    news: StripeEventHandler
    back: Callable[[], Awaitable[str]]
    zone: tzinfo
    trial_days: int
    mail: bool


def billing_of(  # noqa: PLR0913, PLR0917 - what billing stands on
    redis: Redis,
    http: aiohttp.ClientSession,
    contacts: Contacts,
    notices: Notifications,
    storage: Storage,
    graph: Graph,
    settings: Settings,
    tell: Tell | None = None,
) -> Billing | None:
    """Billing as the settings want it; None without STRIPE_SECRET_KEY."""
    if settings.stripe.secret_key is None:
        return None
    zone, language = settings.service.zone, settings.service.default_language
    stripe = Stripe(http, settings.stripe)
    links, plans, states = (
        CustomerDirectory(redis, stripe, contacts),
        Plans(Cache(redis), stripe),
        SubscriptionStates(redis),
    )
    files = Files(redis, storage, link_minutes=settings.storage.link_minutes, public_url=settings.service.public_url)
    mail = bool(settings.mail.configured)
    notifier = CustomerNotifier(
        redis, notices, contacts, links, zone, language, by_mail=mail, by_push=settings.push.configured, tell=tell
    )

    async def back() -> str:
        return settings.stripe.return_url or await _chat(graph)

    return Billing(
        stripe=stripe,
        links=links,
        plans=plans,
        changes=PlanChanges(
            stripe, links, plans, ConfirmationCards(redis), states, ChangeOutcomes(stripe, plans, zone), zone
        ),
        documents=InvoicePdfs(stripe, files),
        news=StripeEventHandler(stripe, plans, states, notifier),
        back=back,
        zone=zone,
        trial_days=settings.stripe.trial_days,
        mail=mail,
    )


async def _chat(graph: Graph) -> str:
    """The address that opens a chat with us (https://faq.whatsapp.com/5913398998672934)."""
    try:
        number = str((await graph.number_state()).get("display_phone_number", ""))
    except (GraphError, MetaUnavailable):
        number = ""
    return f"https://wa.me/{''.join(filter(str.isdigit, number))}"
