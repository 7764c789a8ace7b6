"""The tabs beside the chat: Stripe, e-mails in a frame, files, and notices of changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from sandbox.meta.simulator import MetaSimulator
from sandbox.phone import api, emails
from sandbox.phone import stripe as phone_stripe
from sandbox.phone.demo_customers import customer, price_of, subscribe
from sandbox.phone.updates import UpdateNotifier
from sandbox.simulators.event_subscriber import ErpSimulator, new_secret
from sandbox.simulators.smtp import ReceivedEmail, SmtpSimulator
from sandbox.simulators.web_push import PushServiceSimulator
from sandbox.stripe import StripeSimulator
from sandbox.stripe.forms_billing import CheckoutCreate
from sandbox.url_rewriter import UrlRewriter
from tests.sandbox.conftest import no_turns

INSIDE = "http://127.0.0.1:4242"
HTML = f'<html><head><title>t</title></head><body><script>x</script><a href="{INSIDE}/i/1">invoice</a></body></html>'
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def stripe() -> StripeSimulator:
    made = StripeSimulator("sk_test_page", "whsec_page")
    made.account.base_url = INSIDE
    return made


@pytest.fixture
def notifier() -> UpdateNotifier:
    return UpdateNotifier()


@pytest.fixture
def smtp() -> SmtpSimulator:
    message = EmailMessage()
    message.set_content("Hola")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="f.pdf")
    message.add_attachment(b"<script>", maintype="text", subtype="html", filename="f.html")
    box = SmtpSimulator()
    names = ["f.pdf", "f.html"]
    box.mails.append(
        ReceivedEmail(7, ["ana@example.com"], "Recado", "Hola", "Hola", HTML, names, "2026-11-24", message)
    )
    return box


@pytest.fixture
async def page(
    meta: MetaSimulator, stripe: StripeSimulator, smtp: SmtpSimulator, notifier: UpdateNotifier
) -> AsyncIterator[Client]:
    url_rewriter = UrlRewriter({INSIDE: "/sandbox/stripe-pages"})
    sub = api.create_phone_app(meta, no_turns, {"staff": [], "reach": url_rewriter.paths}, notifier.listen)
    sub.add_routes([*phone_stripe.routes(stripe), *emails.routes(smtp, url_rewriter)])
    app = web.Application()
    app.add_subapp("/sandbox/stripe-pages/", url_rewriter.rewrite_responses(stripe.pages()))
    app.add_subapp("/sandbox/", sub)
    async with TestClient(TestServer(app)) as client:
        yield client


def checkout(stripe: StripeSimulator, owner: str, price: str = "pro_month_mxn") -> str:
    wanted = {
        "mode": "subscription",
        "customer": owner,
        "line_items": [{"price": price_of(stripe, price), "quantity": 1}],
        "success_url": f"{INSIDE}/back",
    }
    return str(stripe.checkout.create(CheckoutCreate.model_validate(wanted))["id"])


async def stripe_state(page: Client, what: str = "", **asked: Any) -> dict[str, Any]:
    answer = await (page.post(f"/sandbox/stripe/{what}", json=asked) if what else page.get("/sandbox/stripe"))
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


# ---- Stripe


async def test_a_customer_is_shown_with_plan_card_and_invoices(page: Client, stripe: StripeSimulator) -> None:
    subscribe(stripe, customer(stripe, "5215512345678", "Ana", "ana@example.com"))
    (shown,) = (await stripe_state(page))["customers"]
    assert (shown["name"], shown["whatsapp_id"]) == ("Ana", "5215512345678")
    assert shown["card"] == {"brand": "visa", "last4": "4242", "declines": False}
    (plan,) = shown["subscriptions"]
    assert (plan["plan"], plan["status"], plan["amount"], plan["interval"]) == ("Básico", "active", 19900, "month")
    (invoice,) = shown["invoices"]
    assert (invoice["status"], invoice["amount"], invoice["currency"]) == ("paid", 19900, "mxn")


async def test_a_month_that_passes_on_the_page_is_billed(page: Client, stripe: StripeSimulator) -> None:
    subscribe(stripe, customer(stripe, None, "Ana", "ana@example.com"))
    after = await stripe_state(page, "advance", days=32)
    assert [invoice["status"] for invoice in after["customers"][0]["invoices"]] == ["paid", "paid"]
    assert after["ahead"] >= 32 * 86400 - 1
    assert "invoice.paid" in [event["type"] for event in after["events"]]


async def test_a_card_that_the_bank_declines_leaves_the_month_unpaid(page: Client, stripe: StripeSimulator) -> None:
    owner = customer(stripe, None, "Ana", "ana@example.com")
    subscribe(stripe, owner)
    assert (await stripe_state(page, "bank", customer=owner, declines=True))["customers"][0]["card"]["declines"] is True
    (shown,) = (await stripe_state(page, "advance", days=32))["customers"]
    assert shown["subscriptions"][0]["status"] == "past_due"
    assert [invoice["status"] for invoice in shown["invoices"]] == ["open", "paid"]
    await stripe_state(page, "bank", customer=owner, declines=False)
    (shown,) = (await stripe_state(page, "advance", days=3))["customers"]
    assert shown["subscriptions"][0]["status"] == "active"


async def test_a_checkout_is_completed_on_the_page(page: Client, stripe: StripeSimulator) -> None:
    owner = customer(stripe, None, "Leo", "leo@example.com", card="")
    session = checkout(stripe, owner)
    (due,) = (await stripe_state(page))["checkouts"]
    assert (due["id"], due["what"], due["amount"], due["currency"]) == (session, "Pro", 49900, "mxn")
    declined = await page.post("/sandbox/stripe/pay", json={"session": session, "card": "pm_card_chargeDeclined"})
    assert (declined.status, await declined.text()) == (402, "Your card was declined.")
    paid = await stripe_state(page, "pay", session=session)
    assert paid["checkouts"] == []
    assert paid["customers"][0]["subscriptions"][0]["plan"] == "Pro"
    again = await page.post("/sandbox/stripe/pay", json={"session": session})
    assert (again.status, "complete" in await again.text()) == (400, True)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("advance", {"days": 0}),
        ("advance", {"days": 10_000}),
        ("advance", {"days": "soon"}),
        ("advance", ["days"]),
        ("pay", {"session": "cs_none"}),
        ("pay", {"session": "cs_none", "card": "pm_none"}),
        ("bank", {"customer": "cus_none", "declines": True}),
        ("bank", {}),
    ],
    ids=str,
)
async def test_a_refused_stripe_action_says_why(page: Client, what: str, body: Any) -> None:
    answer = await page.post(f"/sandbox/stripe/{what}", json=body)
    assert (answer.status, bool(await answer.text())) == (400, True)


async def test_another_sites_page_moves_no_clock(page: Client, stripe: StripeSimulator) -> None:
    before = stripe.account.clock.now()
    headers = {"Origin": "https://evil.example"}
    answer = await page.post("/sandbox/stripe/advance", json={"days": 300}, headers=headers)
    assert answer.status == 403
    assert stripe.account.clock.now() - before < 60


async def test_stripes_pages_are_reached_where_the_page_is(page: Client, stripe: StripeSimulator) -> None:
    session = checkout(stripe, customer(stripe, None, "Leo", "leo@example.com"))
    host = {"Host": "recado.lan:8080"}
    shown = await page.get(f"/sandbox/stripe-pages/c/pay/{session}", headers=host)
    assert "499.00 MXN" in await shown.text()
    paid = await page.post(f"/sandbox/stripe-pages/c/pay/{session}", data={}, headers=host, allow_redirects=False)
    assert (paid.status, paid.headers["Location"]) == (303, "http://recado.lan:8080/sandbox/stripe-pages/back")
    assert (await page.get("/sandbox/stripe-pages/back")).status == 200


# ---- e-mails


async def test_an_email_is_framed_without_scripts_and_its_links_reach_the_reader(page: Client) -> None:
    answer = await page.get("/sandbox/mails/7/page", headers={"Host": "recado.lan:8080"})
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    text = await answer.text()
    assert '<head><base target="_blank">' in text
    assert 'href="http://recado.lan:8080/sandbox/stripe-pages/i/1"' in text
    assert "frame-src 'self'" in (await page.get("/sandbox/")).headers["Content-Security-Policy"]


async def test_an_attachment_is_saved_and_never_run(page: Client) -> None:
    for number, data in enumerate((b"%PDF-1.7", b"<script>")):
        answer = await page.get(f"/sandbox/mails/7/attachments/{number}")
        assert (answer.status, (await answer.read()).strip()) == (200, data)
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize("path", ["8/page", "x/page", "7/attachments/2", "7/attachments/x", "8/attachments/0"])
async def test_a_missing_email_is_not_found(page: Client, path: str) -> None:
    assert (await page.get(f"/sandbox/mails/{path}")).status == 404


# ---- notices of changes


async def next_update(stream: aiohttp.ClientResponse) -> str:
    async for line in stream.content:
        if line.startswith(b"data: ") and (event := json.loads(line[6:]))["type"] == "news":
            return str(event["of"])
    raise AssertionError("the stream ended")


async def test_many_changes_at_once_are_announced_once(
    page: Client, stripe: StripeSimulator, notifier: UpdateNotifier
) -> None:
    erp, push = ErpSimulator(new_secret()), PushServiceSimulator()
    stripe.on_change = lambda: notifier.notify("stripe")
    erp.on_change, push.on_change = (lambda: notifier.notify("events")), (lambda: notifier.notify("pushes"))
    stream = await page.get("/sandbox/events")
    subscribe(stripe, customer(stripe, None, "Ana", "ana@example.com"))
    assert await next_update(stream) == "stripe"
    push.subscribe()
    assert await next_update(stream) == "pushes"
    async with TestClient(TestServer(erp.app())) as other:
        assert (await other.post("/events", data=b"{}")).status == 401
    assert await next_update(stream) == "events"


def test_a_foreign_address_is_not_rewritten() -> None:
    url_rewriter = UrlRewriter({INSIDE: "/in"})
    request = make_mocked_request("GET", "/", headers={"Host": "recado.lan"})
    elsewhere = "http://127.0.0.1:42420/a https://stripe.com/b http://127.0.0.1:4242"
    assert url_rewriter.rewrite_text(request, elsewhere) == elsewhere
    assert url_rewriter.rewrite_text(request, f"{INSIDE}/a") == "http://recado.lan/in/a"
