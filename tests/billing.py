"""Helpers of billing tests: settings for the Stripe simulator, and a customer's steps in a chat."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.infra import queue_admin
from bot.infra.redis import answer
from sandbox.meta.simulator import Person, SentMessage
from sandbox.phone.demo_customers import customer, subscribe
from sandbox.simulators.openrouter import calls, says
from sandbox.stripe import StripeSimulator
from tests.notifications import settled
from tests.processes import eventually
from tests.world import World

WEBHOOK_SECRET = "whsec_of_the_tests"


def billing(stripe: StripeSimulator) -> dict[str, str]:
    return {
        "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": stripe.account.base_url,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "9",
        "SMTP_FROM_EMAIL": "hola@recado.example",
    }


def stripe_of(world: World) -> StripeSimulator:
    assert world.stripe is not None
    return world.stripe


async def subscriber(world: World, person: Person, price: str = "basico_month_mxn", **more: Any) -> str:
    """Make the person a customer with this plan, and wait for Stripe's events; returns the subscription."""
    owner = customer(stripe_of(world), person.phone or person.bsuid, person.name, f"{person.name}@example.com".lower())
    made = subscribe(stripe_of(world), owner, price, **more)
    await stripe_settled(world)
    return made


def year_of(stripe: StripeSimulator) -> int:
    """The year that customers read, where the company is."""
    return stripe.now.astimezone(ZoneInfo("America/Mexico_City")).year


def end_period(stripe: StripeSimulator) -> None:
    """Let the running period end, whatever the month, and the day in which Stripe charges the renewal."""
    items = [item for subscription in stripe.account.all("subscription") for item in subscription["items"]["data"]]
    stripe.advance_to(datetime.fromtimestamp(max(item["current_period_end"] for item in items), UTC))
    stripe.advance(days=1)


async def stripe_settled(world: World) -> None:
    """Wait until every event of Stripe is processed."""
    await stripe_of(world).idle()

    async def done() -> bool:
        counts = await queue_admin.counts(world.redis, "notification")
        return not (counts["waiting"] or counts["active"] or counts["delayed"])

    await eventually(done)


async def asks(world: World, person: Person, words: str, tool: str, **arguments: Any) -> list[SentMessage]:
    """Let the person write and the model call this tool, then say `Listo.`; returns the messages to the person."""
    before = len(world.meta.sent_to(person))
    world.models.will(calls((tool, arguments)), says("Listo."))
    await world.meta.writes(person, {"type": "text", "text": {"body": words}})
    await world.meta.replies(person, before + 1)
    await settled(world)
    return world.meta.sent_to(person)[before:]


async def taps(world: World, person: Person, button: dict[str, Any]) -> str:
    """Let the person tap a button; returns the texts of the messages to them."""
    before = len(world.meta.sent_to(person))
    reply = {"type": "button_reply", "button_reply": button}
    await world.meta.writes(person, {"type": "interactive", "interactive": reply})
    await world.meta.replies(person, before + 1)
    await settled(world)
    return "\n".join(sent.text for sent in world.meta.sent_to(person)[before:])


def buttons(sent: SentMessage) -> list[dict[str, Any]]:
    return [button["reply"] for button in sent.request["interactive"]["action"]["buttons"]]


def last_tool_result(world: World) -> str:
    """The result of the last tool call."""
    return next(
        str(message["content"]) for message in world.models.requests[-1]["messages"][::-1] if message["role"] == "tool"
    )


async def mails(world: World, count: int = 1) -> list[dict[str, Any]]:
    """Queued e-mails, as soon as there are so many."""

    async def there() -> list[dict[str, Any]]:
        keys = [key async for key in world.redis.scan_iter("bull:email:*", _type="hash")]
        raw = [await answer(world.redis.hget(key, "data")) for key in keys]
        found = [json.loads(line) for line in raw if line]
        return found if len(found) >= count else []

    return await eventually(there)


def newest_invoice(world: World) -> dict[str, Any]:
    found: dict[str, Any] = stripe_of(world).snapshot()["invoices"][0]
    return found


def body(sent: Any) -> str:
    return str(sent.request["interactive"]["body"]["text"])
