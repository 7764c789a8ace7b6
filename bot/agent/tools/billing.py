"""The customer's own subscription, invoices and pages at Stripe. The identity alone decides whose they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import structlog
from pydantic import Field

from bot.agent.tool import Arguments, NoArguments, ToolContext, ToolError, tool
from bot.conversations.handoff_cause import HandOffCause
from bot.infra.logs import masked
from bot.infra.queues import JobRejected
from bot.integrations.stripe.amounts import list_price, next_charge
from bot.integrations.stripe.billing import Billing
from bot.integrations.stripe.customers import SeveralCustomers
from bot.integrations.stripe.errors import KeyRejected, StripeFailed, StripeUnavailable
from bot.integrations.stripe.events import invoice_mail
from bot.integrations.stripe.formatting import day, money
from bot.integrations.stripe.objects import Customer, HostedPage, Invoice, PageOptions, Subscription
from bot.integrations.stripe.plans import normalized
from bot.integrations.stripe.texts import phrase
from bot.messages.language import Language
from bot.messages.outbound import Attachment, LinkButton
from bot.storage.storage import StorageFailed

_log = structlog.get_logger()
_SHOWN = (
    "A button that opens the page is shown with your answer. Say in a sentence what it is for; don't write the link."
)
_INVOICES = 24
# Stripe's word for a subscription whose first payment is still to come.
_UNPAID = "incomplete"
_FIRST_PAYMENT = "their subscription waits for its first payment; start_subscription shows the button to pay it"
_LABELS: dict[str, dict[Language, tuple[str, str]]] = {
    "checkout": {
        "es": ("Para suscribirte a *{plan}* ({price}), abre la página segura de Stripe.{today}", "Suscribirme"),
        "en": ("To subscribe to *{plan}* ({price}), open Stripe's secure page.{today}", "Subscribe"),
    },
    "first_payment": {
        "es": ("Tu primer pago de *{amount}* está pendiente; puedes hacerlo en la página segura de Stripe:", "Pagar"),
        "en": ("Your first payment of *{amount}* is still to be made; you can do so at Stripe's secure page:", "Pay"),
    },
    "portal": {
        "es": ("En tu portal ves tus pagos y cambias tu tarjeta o tus datos:", "Abrir mi portal"),
        "en": ("In your portal you see your payments and change your card or your details:", "Open my portal"),
    },
}


def billing_of(context: ToolContext) -> Billing:
    if context.services.billing is None:  # pragma: no cover - the catalog doesn't offer the tool then
        raise ToolError("billing is not set up here")
    return context.services.billing


@asynccontextmanager
async def as_tool_errors(context: ToolContext) -> AsyncIterator[None]:
    """Turn failures of Stripe and the storage into ToolErrors that tell the model what to say."""
    try:
        yield
    except SeveralCustomers as error:
        await context.services.handoff.call_a_person(context.conversation, HandOffCause("several_customers"))
        raise ToolError(
            "several accounts have this number, so a colleague has been called. Say so, and stop"
        ) from error
    except StripeUnavailable as error:
        _log.warning("stripe_away", why=str(error))
        message = "the payment system does not answer now. Say so, and that it can be asked again in a few minutes"
        raise ToolError(message) from error
    except KeyRejected as error:
        _log.error("stripe_key_rejected", why=str(error), fix="see STRIPE_SECRET_KEY and `recado doctor`")
        raise ToolError("billing is out of order on our side. Say so, and offer a person of the team") from error
    except StripeFailed as error:
        _log.error("stripe_refused", why=str(error))
        raise ToolError("the payment system refused this. Say so, and offer a person of the team") from error
    except StorageFailed as error:
        raise ToolError("the document can't be stored now. Say so; it can be asked for again later") from error


async def customer_of(context: ToolContext) -> Customer:
    """The contact's customer at Stripe. If unknown, the ToolError says how to find out."""
    found = await billing_of(context).customers.customer_of(context.conversation, context.contact)
    if found is None:
        way = (
            "Ask for the e-mail address of their account and call verify_email"
            if context.services.verification is not None
            else "Offer a person of the team, who can find the account"
        )
        why = "; their number was another person's before" if context.contact.phone_contested else ""
        raise ToolError(f"it is not known which account this contact has{why}. {way}")
    return found


async def subscription_of(context: ToolContext, customer: Customer, which: str | None = None) -> Subscription:
    """The live subscription, of several the one with this plan. Raises ToolError unless there is exactly one."""
    billing = billing_of(context)
    every = await billing.stripe.subscriptions(customer.id)
    living = [subscription for subscription in every if subscription.live]
    if not living and any(subscription.status == _UNPAID for subscription in every):
        raise ToolError(_FIRST_PAYMENT)
    if not living:
        raise ToolError("there is no subscription. list_plans shows what there is, start_subscription begins one")
    names = [await billing.plans.names_of(subscription.items.data) for subscription in living]
    meant = [
        subscription
        for subscription, name in zip(living, names, strict=True)
        if which is None or normalized(which) in normalized(name)
    ]
    if len(meant) != 1:
        raise ToolError(f"they have several subscriptions: {'; '.join(names)}. Ask which one, and name it as `which`")
    return meant[0]


class WhichSubscription(Arguments):
    which: str | None = Field(None, description="Only where they have several subscriptions: a plan of the one meant")


@tool(WhichSubscription)
async def get_subscription(arguments: WhichSubscription, context: ToolContext) -> str:
    """The customer's own plan, its status, the next charge, the card that is charged, and when a trial or a cancelled
    subscription ends. Call it for every question about their plan; don't answer from memory.
    """
    billing = billing_of(context)
    async with as_tool_errors(context):
        customer = await customer_of(context)
        subscription = await subscription_of(context, customer, arguments.which)
        plan, items, charge, card = await asyncio.gather(
            billing.plans.names_of(subscription.items.data),
            _items(context, subscription),
            next_charge(billing.stripe, subscription),
            _card(context, customer, subscription),
        )
    facts: dict[str, Any] = {
        "plan": plan,
        "status": subscription.status,
        **(items[0] if len(items) == 1 else {"items": items}),
        "period_ends": _day(context, subscription.until),
        "ends_then": subscription.ends,
        "next_charge": charge and {"amount": money(charge.amount, charge.currency), "day": _day(context, charge.at)},
        "payment_method": card,
    }
    return json.dumps(facts | _special(context, subscription), ensure_ascii=False)


async def _items(context: ToolContext, subscription: Subscription) -> list[dict[str, Any]]:
    """Items at list prices; coupons and taxes appear in the next charge."""
    found = []
    for item in subscription.items.data:
        amount = list_price(item)
        price = "by use or number" if amount is None else money(amount, item.price.currency)
        facts: dict[str, Any] = {"price": price, "every": item.price.interval, "quantity": item.units}
        if len(subscription.items.data) > 1:
            facts = {"plan": await billing_of(context).plans.name_of(item.price)} | facts
        found.append(facts)
    return found


def _special(context: ToolContext, subscription: Subscription) -> dict[str, Any]:
    """Fields of some subscriptions only."""
    facts: dict[str, Any] = {}
    if subscription.status == "trialing" and subscription.trial_end:
        facts["trial_ends"] = _day(context, subscription.trial_end)
    if owed := subscription.owed:
        facts["still_to_pay"] = money(owed.amount_left, owed.currency)
    if subscription.pending_update is not None:
        facts["change_waits_for_payment_until"] = _day(context, subscription.pending_update.expires_at)
    if pause := subscription.pause_collection:
        facts["charges_paused_until"] = _day(context, pause.resumes_at) if pause.resumes_at else "somebody goes on"
    if subscription.schedule is not None:
        facts["note"] = "changes are scheduled for it; a colleague can say which"
    return facts


async def _card(context: ToolContext, customer: Customer, subscription: Subscription) -> str | None:
    stripe = billing_of(context).stripe
    chosen = subscription.default_payment_method or customer.invoice_settings.default_payment_method
    if chosen is None:
        # Stripe charges no other attached card.
        return None
    first = await stripe.payment_method(chosen)
    return f"{first.card.brand.title()} •••• {first.card.last4}" if first.card else first.type


@tool(NoArguments)
async def list_plans(_: NoArguments, context: ToolContext) -> str:
    """The plans that can be subscribed to, with their prices by month and year and in each currency."""
    async with as_tool_errors(context):
        plans = await billing_of(context).plans.all()
    shown = [
        {
            "plan": plan.name,
            "description": plan.description or "",
            "prices": [
                f"{money(price.unit_amount or 0, price.currency)} per {price.interval}" for price in plan.prices
            ],
        }
        for plan in plans
    ]
    return json.dumps({"plans": shown, "trial_days": billing_of(context).terms.trial_days}, ensure_ascii=False)


class HowMany(Arguments):
    limit: int = Field(6, description="How many of the newest, 1 to 24", ge=1, le=_INVOICES)


@tool(HowMany)
async def list_invoices(arguments: HowMany, context: ToolContext) -> str:
    """The customer's own invoices, the newest first: number, day, amount, whether it's paid. send_invoice sends one."""
    async with as_tool_errors(context):
        customer = await customer_of(context)
        invoices = await billing_of(context).stripe.invoices(customer.id, limit=arguments.limit)
    shown = [
        {
            "number": invoice.number,
            "day": _day(context, invoice.created),
            "amount": money(invoice.total, invoice.currency),
            "status": invoice.status,
            "paid": money(invoice.amount_paid, invoice.currency),
            "left_to_pay": money(invoice.amount_left, invoice.currency),
            **(
                {"given_back": money(back, invoice.currency)}
                if (back := invoice.post_payment_credit_notes_amount)
                else {}
            ),
        }
        for invoice in invoices
        if invoice.number
    ]
    return json.dumps({"invoices": shown}, ensure_ascii=False)


class WhichInvoice(Arguments):
    number: str | None = Field(None, description="Its number from list_invoices; left out, the newest", max_length=60)
    by: Literal["chat", "email"] = Field(
        "chat", description="chat: as a PDF here; email: to the address of their account"
    )


@tool(WhichInvoice, acts=True)
async def send_invoice(arguments: WhichInvoice, context: ToolContext) -> str:
    """Send one of the customer's own invoices, as a PDF in this chat or by e-mail to the address of their account."""
    billing = billing_of(context)
    async with as_tool_errors(context):
        customer = await customer_of(context)
        invoices = await billing.stripe.invoices(customer.id, limit=100)
        wanted = (arguments.number or "").strip().casefold()
        found = next(
            (invoice for invoice in invoices if invoice.number and wanted in ("", invoice.number.casefold())), None
        )
        if found is None:
            raise ToolError("there is no such invoice of this customer; list_invoices shows their own")
        if arguments.by == "email":
            return await _mail(context, customer, found)
        file = await billing.invoice_pdfs.of(context.conversation, found)
    context.parts.append(Attachment(file=file))
    return f"The PDF of invoice {found.number} is sent with your answer. Say so in a few words."


async def _mail(context: ToolContext, customer: Customer, invoice: Invoice) -> str:
    if context.services.email is None or not customer.email:
        raise ToolError("it can't be sent by e-mail: there is no address. Offer it in the chat, by=chat")
    if invoice.status != "paid" or not invoice.amount_paid:
        raise ToolError("only a paid invoice can be sent by e-mail. Offer it in the chat, by=chat")
    language = context.language
    data = invoice_mail(invoice, billing_of(context).terms.zone) | (
        {"name": customer.name[:100]} if customer.name else {}
    )
    job = {"to": customer.email, "template": "invoice", "data": data, "language": language}
    try:
        await context.services.email.order(job, f"invoice-{masked(context.effect)}")
    except JobRejected as error:
        raise ToolError(f"nothing was sent: {error}. Offer it in the chat, by=chat") from error
    return f"Done: the invoice is on its way to {_masked(customer.email)}. Name the address only like that."


def _masked(address: str) -> str:
    """An address that its owner recognises and nobody else learns."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}"


class WhichPlan(Arguments):
    plan: str = Field(description="The plan's name, from list_plans", min_length=1, max_length=100)
    interval: Literal["month", "year"] = Field("month", description="Paid by the month or by the year")
    currency: Literal["mxn", "usd"] = Field("mxn", description="The currency")
    new_customer: bool = Field(False, description="True only if they said that they have no account yet")


@tool(WhichPlan, acts=True)
async def start_subscription(arguments: WhichPlan, context: ToolContext) -> str:
    """Give the customer a button to Stripe's page where they subscribe and pay. Nothing is charged before they do so
    there. For somebody who has a plan already, use change_plan.
    """
    billing, language = billing_of(context), context.language
    async with as_tool_errors(context):
        plan = await billing.plans.find(arguments.plan)
        price = plan.price(arguments.interval, arguments.currency) if plan else None
        if plan is None or price is None:
            raise ToolError("there is no such plan with that interval and currency; list_plans shows what there is")
        if arguments.new_customer and not await billing.customers.customer_of(context.conversation, context.contact):
            customer = await billing.customers.create(context.conversation, context.contact, _key(context, "customer"))
        else:
            customer = await customer_of(context)
        earlier = await billing.stripe.subscriptions(customer.id)
        waiting = next((subscription for subscription in earlier if subscription.status == _UNPAID), None)
        if waiting is not None:
            return _first_payment(context, waiting)
        if any(subscription.live for subscription in earlier):
            raise ToolError("they have a subscription already; change_plan changes its plan")
        others = await billing.stripe.open_checkouts(customer.id)
        shown = {part.url for part in context.offered if isinstance(part, LinkButton)}
        if any(other.url in shown for other in others):
            raise ToolError(
                "a button to subscribe is shown with this answer already, and there can be only one plan at a time: "
                "say which one it is for, and that they can ask for the other instead"
            )
        trial = 0 if earlier else billing.terms.trial_days
        options = PageOptions(await billing.return_url(), language)
        page = await billing.stripe.checkout(customer.id, price.id, trial, options, _key(context, "checkout"))
        # The other pages are closed, because they would let the customer subscribe twice.
        for other in others:
            if other.id != page.id:
                await billing.stripe.expire_checkout(other.id)
    body, label = _LABELS["checkout"][language]
    amount = f"{money(price.unit_amount or 0, price.currency)} {phrase(arguments.interval, language)}"
    body = body.format(plan=plan.name, price=amount, today=_today(page, language))
    context.parts.append(LinkButton(body=body, label=label, url=str(page.url)))
    return f"{_SHOWN} Trial: {trial} days." if trial else _SHOWN


def _today(page: HostedPage, language: Language) -> str:
    """The amount that is due at once, by Stripe's page."""
    if page.amount_total is None or page.currency is None:
        return ""
    return " " + phrase("checkout_today", language, amount=money(page.amount_total, page.currency))


def _first_payment(context: ToolContext, subscription: Subscription) -> str:
    """Offer the outstanding first payment, because a second subscription beside it would be a mistake."""
    owed = subscription.owed
    if owed is None or not owed.hosted_invoice_url:
        raise ToolError(_FIRST_PAYMENT)
    body, label = _LABELS["first_payment"][context.language]
    amount = money(owed.amount_left, owed.currency)
    context.parts.append(LinkButton(body=body.format(amount=amount), label=label, url=owed.hosted_invoice_url))
    return f"Nothing new was begun: {_FIRST_PAYMENT}. {_SHOWN}"


@tool(NoArguments)
async def open_portal(_: NoArguments, context: ToolContext) -> str:
    """Give the customer a button to their own portal at Stripe: payment method, billing details, receipts."""
    billing = billing_of(context)
    async with as_tool_errors(context):
        customer = await customer_of(context)
        options = PageOptions(await billing.return_url(), context.language)
        page = await billing.stripe.portal(customer.id, options, _key(context, "portal"))
    body, label = _LABELS["portal"][context.language]
    context.parts.append(LinkButton(body=body, label=label, url=str(page.url)))
    return _SHOWN


def _key(context: ToolContext, what: str) -> str:
    return f"recado-{what}-{masked(context.effect)}"


def _day(context: ToolContext, moment: float) -> str:
    return day(moment, billing_of(context).terms.zone, context.language)
