"""The simulated Stripe goes on after a restart: plans, cards, invoices, time, and pages at their new address."""

from __future__ import annotations

from pathlib import Path

from sandbox.phone.demo_customers import customer, subscribe
from sandbox.phone.stripe import holdings
from sandbox.stripe import StripeSimulator
from sandbox.stripe.forms_billing import CheckoutCreate, PortalCreate, SubscriptionUpdate
from sandbox.stripe.state import StripeState


def opened(url: str, seed: str = "seed") -> StripeSimulator:
    stripe = StripeSimulator("sk_test_1", "whsec_1", seed=seed)
    stripe.account.base_url = url
    return stripe


def test_a_restart_changes_nothing_but_the_address(tmp_path: Path) -> None:
    first = opened("http://127.0.0.1:1111")
    ana = customer(first, "5215512345678", "Ana", "ana@example.com")
    plan = subscribe(first, ana)
    price = next(first.account.all("price", lookup_key="pro_month_mxn"))["id"]
    items = [{"id": first.account.get("subscription", plan)["items"]["data"][0]["id"], "price": price}]
    first.subscriptions.update(SubscriptionUpdate.model_validate({"items": items}), plan)
    first.advance(days=3)
    leo = customer(first, None, "Leo", "leo@example.com")
    line = [{"price": price, "quantity": "1"}]
    wanted = {"mode": "subscription", "customer": leo, "success_url": "http://127.0.0.1:1111/back", "line_items": line}
    trial = {"subscription_data": {"trial_period_days": 14}}
    session = first.checkout.create(CheckoutCreate.model_validate(wanted | trial))
    portal = first.portal.create(PortalCreate(customer=ana, return_url="http://127.0.0.1:1111/back"))
    first.set_decline(first.account.get("customer", ana)["invoice_settings"]["default_payment_method"])
    StripeState(tmp_path / "stripe.json").save(first)

    again = opened("http://127.0.0.1:2222", seed="another")
    assert StripeState(tmp_path / "stripe.json").restore(again) == ["http://127.0.0.1:1111"]
    before, after = holdings(first), holdings(again)
    assert abs(after.pop("now") - before.pop("now")) <= 60
    assert str(after) == str(before).replace("127.0.0.1:1111", "127.0.0.1:2222")
    assert again.account.get("billing_portal.session", portal["id"])["url"].startswith("http://127.0.0.1:2222/p/")
    # It goes on: the open page is paid, pending amounts are charged, and ids are new ones.
    done = again.complete_checkout(session["id"])
    made = again.account.get("subscription", done["subscription"])
    assert made["status"] == "trialing"
    again.set_decline(again.account.get("customer", ana)["invoice_settings"]["default_payment_method"], None)
    again.advance(days=40)
    newest, *_ = next(customer for customer in holdings(again)["customers"] if customer["id"] == ana)["invoices"]
    assert newest["status"] == "paid"
    assert newest["amount"] > 49900


def test_without_a_state_there_is_nothing_to_restore(tmp_path: Path) -> None:
    (tmp_path / "stripe.json").write_text("{broken")
    for name in ("nothing.json", "stripe.json"):
        assert StripeState(tmp_path / name).restore(opened("http://127.0.0.1:1")) is None
