"""A shop that uses Stripe: the official library, and a webhook that verifies signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import stripe
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.stripe import StripeSimulator

SECRET_KEY = "sk_test_shop"
WEBHOOK_SECRET = "whsec_shop"
NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)


@dataclass
class Hook:
    """Accepts events, or gives the queued `answers`; `events` are those with a valid signature."""

    events: list[stripe.Event] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    tries: int = 0

    async def receive(self, request: web.Request) -> web.Response:
        self.tries += 1
        event = stripe.Webhook.construct_event(
            await request.read(), request.headers["Stripe-Signature"], WEBHOOK_SECRET
        )
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.events.append(event)
        return web.Response(status=status)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


@dataclass
class Shop:
    simulator: StripeSimulator
    http: aiohttp.ClientSession
    base: str
    hook: Hook

    def client(self, key: str = SECRET_KEY, retries: int = 0) -> Any:
        """The official library; untyped, because the tests read its answers as Stripe's JSON."""
        return stripe.StripeClient(
            key,
            http_client=stripe.AIOHTTPClient(session=self.http),
            base_addresses={"api": self.base},
            max_network_retries=retries,
        )

    @property
    def api(self) -> Any:
        return self.client().v1

    async def price(self, lookup_key: str) -> Any:
        return (await self.api.prices.list_async({"lookup_keys": [lookup_key]})).data[0]

    async def customer(self, card: str | None = "pm_card_visa", **fields: Any) -> Any:
        """A customer with this card as default."""
        made = await self.api.customers.create_async({"email": "ana@example.com", "name": "Ana"} | fields)
        if card is not None:
            await self.set_card(made.id, card)
        return made

    async def set_card(self, customer: str, card: str) -> str:
        method = await self.api.payment_methods.attach_async(card, {"customer": customer})
        settings = {"default_payment_method": method.id}
        await self.api.customers.update_async(customer, {"invoice_settings": settings})
        return str(method.id)

    async def subscribe(self, customer: str, lookup_key: str = "basico_month_mxn", **fields: Any) -> Any:
        price = await self.price(lookup_key)
        wanted = {"customer": customer, "items": [{"price": price.id}]}
        return await self.api.subscriptions.create_async(wanted | fields)

    async def change_to(self, subscription: Any, lookup_key: str, **fields: Any) -> dict[str, Any]:
        """Parameters that change the subscription's only item to the price, for a preview or an update."""
        price = await self.price(lookup_key)
        return {"items": [{"id": subscription["items"].data[0].id, "price": price.id}]} | fields

    def told(self) -> list[str]:
        return [event["type"] for event in self.simulator.events]


@asynccontextmanager
async def open_shop(**options: Any) -> AsyncIterator[Shop]:
    hook = Hook()
    receiver = web.Application()
    receiver.add_routes([web.post("/hook", hook.receive)])
    async with TestServer(receiver) as hooks:
        still: dict[str, Any] = {"source": lambda: NOON, "retry_pauses": (0, 0, 0)}
        simulator = StripeSimulator(SECRET_KEY, WEBHOOK_SECRET, str(hooks.make_url("/hook")), **(still | options))
        async with TestServer(simulator.app()) as server, aiohttp.ClientSession() as http:
            yield Shop(simulator, http, str(server.make_url("")).rstrip("/"), hook)
