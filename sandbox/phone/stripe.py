"""The Stripe simulator on the page: its state, and actions such as paying, advancing time, declining a card."""

from __future__ import annotations

import time
from itertools import islice
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from sandbox.phone.request_body import read_json, validated
from sandbox.stripe import StripeSimulator
from sandbox.stripe.account import Json
from sandbox.stripe.errors import StripeRefusal
from sandbox.stripe.invoices import subscription_of
from sandbox.stripe.lines import amount_of
from sandbox.stripe.plans import period_of

_MOST_EVENTS = 100
_Id = Annotated[str, Field(min_length=1, max_length=100)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdvanceClock(_Action):
    days: Annotated[float, Field(gt=0, le=366)]


class PayCheckout(_Action):
    """The customer completes this Checkout session with one of Stripe's test cards."""

    session: _Id
    card: Literal["pm_card_visa", "pm_card_chargeDeclined"] = "pm_card_visa"


class SetBankDecision(_Action):
    """Whether the bank declines further charges to this customer's card."""

    customer: _Id
    declines: bool


def routes(stripe: StripeSimulator) -> list[web.RouteDef]:
    """`/stripe` and its actions: each answers with the new state, 400 with a reason, or 402 for a declined card."""

    async def shown(_: web.Request) -> web.Response:
        stripe.catch_up()
        return web.json_response(holdings(stripe))

    async def advance(request: web.Request) -> web.Response:
        stripe.advance(days=validated(AdvanceClock, await read_json(request)).days)
        return web.json_response(holdings(stripe))

    async def pay(request: web.Request) -> web.Response:
        wanted = validated(PayCheckout, await read_json(request))
        try:
            stripe.complete_checkout(wanted.session, wanted.card)
        except StripeRefusal as error:
            declined = error.kind == "card_error"
            raise (web.HTTPPaymentRequired if declined else web.HTTPBadRequest)(text=str(error)) from error
        return web.json_response(holdings(stripe))

    async def bank(request: web.Request) -> web.Response:
        wanted = validated(SetBankDecision, await read_json(request))
        customer = stripe.account.find("customer", wanted.customer)
        method = _method(stripe, customer) if customer else None
        if method is None:
            raise web.HTTPBadRequest(text="there is no such customer with a card")
        stripe.set_decline(method["id"], "generic_decline" if wanted.declines else None)
        stripe.on_change()
        return web.json_response(holdings(stripe))

    return [
        web.get("/stripe", shown),
        web.post("/stripe/advance", advance),
        web.post("/stripe/pay", pay),
        web.post("/stripe/bank", bank),
    ]


def holdings(stripe: StripeSimulator) -> dict[str, Any]:
    """`{now, ahead, customers, checkouts, events}`: newest first; times in Unix seconds, amounts in minor units."""
    account = stripe.account
    checkouts = [_checkout(stripe, session) for session in account.all("checkout.session", status="open")]
    events = reversed([*account.all("event")])
    return {
        "now": account.clock.now(),
        "ahead": max(account.clock.now() - int(time.time()), 0),
        "customers": [_customer(stripe, customer) for customer in account.all("customer")][::-1],
        "checkouts": checkouts[::-1],
        "events": [
            {
                "id": event["id"],
                "type": event["type"],
                "created": event["created"],
                "taken": not event["pending_webhooks"],
            }
            for event in islice(events, _MOST_EVENTS)
        ],
    }


def _customer(stripe: StripeSimulator, customer: Json) -> dict[str, Any]:
    method = _method(stripe, customer)
    card = None
    if method is not None:
        card = {name: method["card"][name] for name in ("brand", "last4")}
        card["declines"] = stripe.customers.decline_reason(method["id"]) is not None
    owned = {"customer": customer["id"]}
    return {
        "id": customer["id"],
        "name": customer["name"],
        "email": customer["email"],
        "whatsapp_id": customer["metadata"].get("whatsapp_id"),
        "card": card,
        "subscriptions": [
            _subscription(stripe, subscription) for subscription in stripe.account.all("subscription", **owned)
        ][::-1],
        "invoices": [_invoice(invoice) for invoice in stripe.account.all("invoice", **owned)][::-1],
    }


def _subscription(stripe: StripeSimulator, subscription: Json) -> dict[str, Any]:
    items = subscription["items"]["data"]
    price = items[0]["price"]
    return {
        "id": subscription["id"],
        "status": subscription["status"],
        "plan": " + ".join(stripe.account.get("product", each["price"]["product"])["name"] for each in items),
        "amount": sum(map(amount_of, items)),
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "period_end": period_of(subscription)[1],
        "ends": subscription["cancel_at_period_end"] or subscription["cancel_at"] is not None,
    }


def _invoice(invoice: Json) -> dict[str, Any]:
    return {
        "id": invoice["id"],
        "number": invoice["number"],
        "status": invoice["status"],
        "amount": invoice["total"],
        "currency": invoice["currency"],
        "created": invoice["created"],
        "subscription": subscription_of(invoice),
        "page": invoice["hosted_invoice_url"],
        "pdf": invoice["invoice_pdf"],
    }


def _checkout(stripe: StripeSimulator, session: Json) -> dict[str, Any]:
    lines = stripe.account.line_items[session["id"]]
    return {
        "id": session["id"],
        "customer": session["customer"],
        "what": ", ".join(line["description"] for line in lines),
        "amount": session["amount_total"],
        "currency": session["currency"],
        "expires_at": session["expires_at"],
        "page": session["url"],
    }


def _method(stripe: StripeSimulator, customer: Json) -> Json | None:
    """The card that is charged: of the latest subscription with a card, else the customer's default."""
    paying = [
        stripe.invoices.method_of(subscription)
        for subscription in stripe.account.all("subscription", customer=customer["id"])
    ]
    own = customer["invoice_settings"]["default_payment_method"]
    return stripe.account.find("payment_method", next(filter(None, reversed(paying)), own))
