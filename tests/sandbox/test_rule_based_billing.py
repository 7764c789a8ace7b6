"""The rule-based model calls billing's tools as a model would, and describes their results."""

from __future__ import annotations

from typing import Any

import pytest

from bot.agent.tools.catalog import TABLE
from sandbox.meta.simulator import Person
from sandbox.simulators.rule_based_billing import describe_results, next_tool_call
from sandbox.stripe import StripeSimulator
from tests.billing import billing, buttons, stripe_of, subscriber, taps
from tests.notifications import settled
from tests.rows import each
from tests.world import Start, World

OFFERED = {row.tool.name for row in TABLE}


@pytest.fixture
async def shop(stripe: StripeSimulator, start: Start) -> World:
    """Recado with billing, because this folder's own `shop` has only Stripe."""
    return await start(**billing(stripe), stripe=stripe)


@each(
    ("words", "call"),
    [
        ("¿cuál es mi plan?", ("get_subscription", {})),
        ("what is my plan?", ("get_subscription", {})),
        ("¿Qué plan tengo?", ("get_subscription", {})),
        ("What plan do I have?", ("get_subscription", {})),
        ("Mándame mi última factura por correo", ("send_invoice", {"by": "email"})),
        ("Send me my latest invoice by e-mail", ("send_invoice", {"by": "email"})),
        ("Quiero cambiar al plan Pro", ("change_plan", {"plan": "Pro"})),
        ("I want to change to the Pro plan", ("change_plan", {"plan": "Pro"})),
        ("mis facturas", ("list_invoices", {})),
        ("mándame la factura AB12CD34-0001", ("send_invoice", {"by": "chat", "number": "AB12CD34-0001"})),
        ("envíame la factura por correo", ("send_invoice", {"by": "email"})),
        ("quiero el plan Pro", ("change_plan", {"plan": "Pro"})),
        ("cámbiame a básico anual", ("change_plan", {"plan": "básico", "interval": "year"})),
        ("quiero básico anual", ("change_plan", {"plan": "básico", "interval": "year"})),
        (
            "Soy nuevo y quiero el plan Pro",
            ("start_subscription", {"interval": "month", "plan": "Pro", "new_customer": True}),
        ),
        (
            "I'm new and want the Basic plan",
            ("start_subscription", {"interval": "month", "plan": "Básico", "new_customer": True}),
        ),
        ("cancela mi suscripción", ("cancel_subscription", {})),
        ("quiero seguir con mi plan", ("resume_subscription", {})),
        ("abre mi portal", ("open_portal", {})),
        ("ana@example.com", ("verify_email", {"email": "ana@example.com"})),
        (" 123456 ", ("confirm_code", {"code": "123456"})),
        ("¿a qué hora abren?", None),
    ],
)
def test_a_sentence_asks_for_its_tool(words: str, call: tuple[str, dict[str, Any]] | None) -> None:
    assert next_tool_call(words, {}, OFFERED) == call
    assert next_tool_call(words, {}, {"business_hours"}) is None


def test_who_has_no_plan_is_given_the_page() -> None:
    results = {"change_plan": "Error: there is no subscription. …"}
    assert next_tool_call("quiero el plan Pro", results, OFFERED) == (
        "start_subscription",
        {"interval": "month", "plan": "Pro"},
    )
    assert describe_results(results | {"start_subscription": "A button …"}, "es") == "Toca el botón:"


async def test_a_person_without_a_model_sees_changes_and_cancels_a_plan(shop: World, ana: Person) -> None:
    subscription = await subscriber(shop, ana)
    said = []
    for words in ("mi plan", "mis facturas", "mándame la factura", "quiero el plan Pro"):
        before = len(shop.meta.sent_to(ana))
        await shop.meta.writes(ana, {"type": "text", "text": {"body": words}})
        await shop.meta.replies(ana, before + 1)
        await settled(shop)
        said.append(" / ".join(sent.text or sent.type for sent in shop.meta.sent_to(ana)[before:]))
    assert said[0].startswith(
        "Tienes el plan *Básico* por $199.00 MXN. Tarjeta: Visa •••• 4242. Próximo cobro: $199.00 MXN, el "
    )
    assert said[1].startswith("Tus facturas:\n")
    assert said[2].startswith("Aquí va tu factura.")
    assert (await taps(shop, ana, buttons(shop.meta.sent_to(ana)[-1])[0])).startswith("Listo: tu plan ahora es *Pro*")
    found = stripe_of(shop).account.get("subscription", subscription)
    assert found["items"]["data"][0]["price"]["unit_amount"] == 49900
