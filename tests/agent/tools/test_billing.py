"""Answers of the billing tools to the model, above all when Stripe fails or refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.agent.tool import Tool, ToolContext, ToolError, ToolServices
from bot.agent.tools.billing import (
    get_subscription,
    list_invoices,
    list_plans,
    open_portal,
    send_invoice,
    start_subscription,
)
from bot.agent.tools.catalog import tools_for
from bot.agent.tools.plan_changes import cancel_subscription, change_plan, resume_subscription
from bot.agent.tools.verification import confirm_code, verify_email
from bot.conversations.contacts import Contact, Contacts
from bot.conversations.handoff import HandOff
from bot.conversations.identity_resolution import conversation_for
from bot.conversations.lease import ConversationLeases
from bot.conversations.memory import Memory
from bot.delivery.factory import outbox_of
from bot.delivery.notifications import Notifications
from bot.infra.live_events import LiveEvents
from bot.integrations.email.factory import email_queue
from bot.integrations.email.verification import Verification
from bot.integrations.stripe.billing import billing_of
from bot.integrations.stripe.client import Stripe
from bot.messages.outbound import Attachment, Buttons, LinkButton
from bot.prompting.linter import PromptVocabulary, check_folder
from bot.settings import Settings
from bot.storage.factory import storage_of
from bot.whatsapp.client import Graph
from bot.whatsapp.templates.registry import Templates
from sandbox.phone.demo_customers import customer, price_of, subscribe
from sandbox.stripe import StripeSimulator
from sandbox.stripe.forms import PriceCreate
from tests.billing import billing, end_period
from tests.paths import ROOT

ANA = Contact(phone="5215512345678", language="es")
ASKING: list[tuple[Tool[Any], dict[str, Any]]] = [
    (get_subscription, {}),
    (list_plans, {}),
    (list_invoices, {}),
    (send_invoice, {}),
    (start_subscription, {"plan": "Pro"}),
    (change_plan, {"plan": "Pro"}),
    (cancel_subscription, {}),
    (resume_subscription, {}),
    (open_portal, {}),
    (verify_email, {"email": "ana@example.com"}),
]


async def _demo() -> str:
    return "Demo"


@pytest.fixture
async def context(redis: Redis, stripe: StripeSimulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ToolContext]:
    for name, value in billing(stripe).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    storage = storage_of(settings.storage)
    async with aiohttp.ClientSession() as http, email_queue(redis, settings.mail, storage, business=_demo) as mail:
        graph, leases, contacts = (
            Graph(http, settings.whatsapp),
            ConversationLeases(redis, lease_seconds=6),
            Contacts(redis),
        )
        templates, memory = Templates(redis, graph, default_language="es"), Memory(redis, settings.memory)
        outbox = outbox_of(redis, graph, leases, contacts, templates, settings)
        notices = Notifications(redis, leases, contacts, memory, outbox, templates)
        made = billing_of(redis, http, contacts, storage, graph, settings)
        assert made is not None
        hasty = Stripe(http, settings.stripe, attempt_seconds=2, first_wait=0.01)
        yield ToolContext(
            conversation=await conversation_for(redis, ANA.phone, None),
            contact=ANA,
            language="es",
            now=datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("America/Mexico_City")),
            business=check_folder(ROOT / "prompts", PromptVocabulary()).release().business,
            services=ToolServices(
                handoff=HandOff(contacts, LiveEvents(redis)),
                notifications=notices,
                billing=replace(
                    made,
                    stripe=hasty,
                    customers=replace(made.customers, stripe=hasty),
                    plans=replace(made.plans, stripe=hasty),
                    changes=replace(made.changes, stripe=hasty),
                    invoice_pdfs=replace(made.invoice_pdfs, stripe=hasty),
                ),
                email=mail,
                verification=Verification(redis),
            ),
            effect="t_1.r0c0",
        )


@pytest.fixture
def owner(stripe: StripeSimulator) -> str:
    made = customer(stripe, ANA.phone, "Ana", "ana@example.com")
    subscribe(stripe, made)
    return made


def ids(case: Any) -> str:
    return str(case[0].name)


@pytest.mark.parametrize("case", ASKING, ids=ids)
@pytest.mark.parametrize(
    "trouble",
    [
        lambda stripe: stripe.will_rate_limit(9),
        lambda stripe: stripe.will_fail(9),
        lambda stripe: stripe.will_html_502(9),
        lambda stripe: stripe.will_drop(9),
    ],
    ids=["429", "500", "page", "dropped"],
)
async def test_while_stripe_is_away_the_model_is_told_to_say_so(
    context: ToolContext,
    stripe: StripeSimulator,
    owner: str,
    case: tuple[Tool[Any], dict[str, Any]],
    trouble: Callable[[StripeSimulator], None],
) -> None:
    trouble(stripe)
    with pytest.raises(ToolError, match="does not answer now"):
        await case[0].call(case[1], context)
    assert context.parts == []


@pytest.mark.parametrize("case", ASKING, ids=ids)
async def test_with_a_wrong_key_the_fault_is_ours(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch, owner: str, case: tuple[Tool[Any], dict[str, Any]]
) -> None:
    assert context.services.billing is not None
    stripe = context.services.billing.stripe
    monkeypatch.setattr(
        stripe, "_settings", stripe._settings.model_copy(update={"secret_key": SecretStr("sk_test_other")})
    )
    with pytest.raises(ToolError, match="out of order on our side"):
        await case[0].call(case[1], context)


@pytest.mark.parametrize(
    "case", [case for case in ASKING if case[0].name not in ("list_plans", "verify_email")], ids=ids
)
async def test_an_unknown_customer_is_asked_for_their_address(
    context: ToolContext, stripe: StripeSimulator, case: tuple[Tool[Any], dict[str, Any]]
) -> None:
    with pytest.raises(ToolError, match="call verify_email"):
        await case[0].call(case[1], context)
    with pytest.raises(ToolError, match="a person of the team"):
        await case[0].call(case[1], replace(context, services=replace(context.services, verification=None)))


async def test_a_customer_who_was_deleted_is_not_known(
    context: ToolContext, stripe: StripeSimulator, owner: str
) -> None:
    assert json.loads(await get_subscription.call({}, context))["plan"] == "Básico"
    stripe.account.remove(stripe.account.get("customer", owner))
    with pytest.raises(ToolError, match="not known which account"):
        await get_subscription.call({}, context)


async def test_several_accounts_call_a_person(
    context: ToolContext, stripe: StripeSimulator, owner: str, redis: Redis
) -> None:
    customer(stripe, "525512345678", "Ana", "ana@work.example.com")
    with pytest.raises(ToolError, match="a colleague has been called"):
        await get_subscription.call({}, context)
    assert (await Contacts(redis).get(context.conversation)).handed_off


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        (change_plan, {"plan": "Platino"}, "no such plan"),
        (change_plan, {"plan": "básico"}, "that very plan"),
        (resume_subscription, {}, "not cancelled"),
        (start_subscription, {"plan": "Platino"}, "no such plan"),
        (start_subscription, {"plan": "Pro", "currency": "eur"}, "wrong arguments"),
        (start_subscription, {"plan": "Pro"}, "have a subscription already"),
        (send_invoice, {"number": "NOPE-0001"}, "no such invoice"),
        (list_invoices, {"limit": 25}, "wrong arguments"),
        (verify_email, {"email": "ana at example"}, "not an e-mail address"),
        (confirm_code, {"code": "123456"}, "wrong, used or too old"),
    ],
)
async def test_a_refusal_names_the_next_step(
    context: ToolContext, owner: str, tool: Tool[Any], arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(ToolError, match=told):
        await tool.call(arguments, context)
    assert context.parts == []


async def test_without_a_subscription_the_refusal_names_list_plans(
    context: ToolContext, stripe: StripeSimulator
) -> None:
    customer(stripe, ANA.phone, "Ana", "ana@example.com")
    for tool, arguments in ((get_subscription, {}), (change_plan, {"plan": "Pro"}), (cancel_subscription, {})):
        with pytest.raises(ToolError, match="start_subscription"):
            await tool.call(arguments, context)


async def test_cards_pages_and_documents_are_parts_of_the_reply(context: ToolContext, owner: str) -> None:
    for tool, arguments in (
        (change_plan, {"plan": "Pro", "interval": "year"}),
        (cancel_subscription, {}),
        (open_portal, {}),
        (send_invoice, {}),
    ):
        await tool.call(arguments, context)
    assert [type(part) for part in context.parts] == [Buttons, Buttons, LinkButton, Attachment]
    card = context.parts[0]
    assert isinstance(card, Buttons)
    assert [choice.title for choice in card.choices] == ["Confirmar", "Dejarlo así"]


async def test_cards_are_in_english_for_english_speakers(context: ToolContext, owner: str) -> None:
    await cancel_subscription.call({}, replace(context, language="en"))
    (card,) = context.parts
    assert isinstance(card, Buttons)
    assert card.body.startswith("Cancel your plan *Básico*.")
    assert [choice.title for choice in card.choices] == ["Confirm", "Leave it as it is"]


async def test_plans_are_read_once_for_many_and_shown_in_every_currency(
    context: ToolContext, stripe: StripeSimulator
) -> None:
    first = json.loads(await list_plans.call({}, context))
    stripe.will_fail(99)
    assert json.loads(await list_plans.call({}, context)) == first
    assert [plan["plan"] for plan in first["plans"]] == ["Básico", "Pro"]
    assert "$290.00 USD per year" in first["plans"][1]["prices"]


@pytest.fixture
def quarterly(stripe: StripeSimulator) -> None:
    """Add a quarterly price of Básico, lower than the monthly one."""
    month = stripe.account.get("price", price_of(stripe, "basico_month_mxn"))
    every = {"interval": "month", "interval_count": 3}
    wanted = {"product": month["product"], "currency": "mxn", "unit_amount": 10_000, "recurring": every}
    stripe.catalog.create_price(PriceCreate.model_validate(wanted | {"lookup_key": "basico_quarter_mxn"}))


@pytest.mark.usefixtures("quarterly")
async def test_a_price_by_the_quarter_is_not_offered_as_one_by_the_month(context: ToolContext) -> None:
    assert "$100.00" not in await list_plans.call({}, context)
    await start_subscription.call({"plan": "Básico", "new_customer": True}, context)
    (page,) = context.parts
    assert isinstance(page, LinkButton)
    assert "$199.00 MXN al mes" in page.body


@pytest.mark.usefixtures("quarterly")
async def test_a_customer_who_pays_by_the_quarter_is_told_so(context: ToolContext, stripe: StripeSimulator) -> None:
    subscribe(stripe, customer(stripe, ANA.phone, "Ana", "ana@example.com"), "basico_quarter_mxn")
    told = json.loads(await get_subscription.call({}, context))
    assert (told["plan"], told["price"], told["every"]) == ("Básico", "$100.00 MXN", "3 months")
    with pytest.raises(ToolError, match="no such plan with that interval"):
        await change_plan.call({"plan": "Pro"}, context)
    await change_plan.call({"plan": "Básico", "interval": "month"}, context)
    (card,) = context.parts
    assert isinstance(card, Buttons)
    assert "de *Básico cada 3 meses* a *Básico al mes*" in card.body


async def test_a_mail_of_an_invoice_that_is_not_paid_is_refused(
    context: ToolContext, stripe: StripeSimulator, owner: str
) -> None:
    stripe.will_decline()
    end_period(stripe)
    with pytest.raises(ToolError, match="only a paid invoice"):
        await send_invoice.call({"by": "email"}, context)


async def test_a_checkout_asked_for_again_by_the_same_call_is_the_same_page(
    context: ToolContext, stripe: StripeSimulator
) -> None:
    arguments = {"plan": "Pro", "new_customer": True}
    await start_subscription.call(arguments, context)
    await start_subscription.call(arguments, context)
    assert len(stripe.snapshot()["customers"]) == 1
    (session,) = stripe.snapshot()["checkout_sessions"]
    assert session["status"] == "open"


def test_tools_are_there_only_where_their_integration_is(context: ToolContext) -> None:
    names = {tool.name for tool in tools_for(context)}
    assert {"get_subscription", "list_invoices", "change_plan", "verify_email"} <= names
    bare = {
        tool.name
        for tool in tools_for(replace(context, services=replace(context.services, billing=None, verification=None)))
    }
    assert not bare & {tool.name for tool, _ in ASKING} | bare & {"confirm_code"}
