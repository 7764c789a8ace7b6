"""The customer portal: a page where a customer cancels a subscription at its period's end, or keeps it."""

from __future__ import annotations

from sandbox.stripe.account import Account, Json
from sandbox.stripe.forms_billing import PortalCreate, SubscriptionUpdate
from sandbox.stripe.subscriptions import ENDED, Subscriptions


class Portal:
    def __init__(self, account: Account, subscriptions: Subscriptions) -> None:
        self.account = account
        self._subscriptions = subscriptions

    def create(self, form: PortalCreate) -> Json:
        self.account.get_by_param("customer", form.customer, "customer")
        fields: Json = {
            "configuration": "bpc_sandbox",
            "customer": form.customer,
            "flow": None,
            "locale": form.locale,
            "on_behalf_of": None,
            "return_url": form.return_url,
        }
        session = self.account.make("billing_portal.session", fields)
        session["url"] = f"{self.account.base_url}/p/session/{session['id']}"
        return self.account.keep(session)

    def subscriptions(self, session: Json) -> list[Json]:
        """The subscriptions that the session's customer can change."""
        found = self.account.all("subscription", customer=session["customer"])
        return [each for each in found if each["status"] not in ENDED]

    def set_ending(self, session: Json, subscription: str, *, ends: bool) -> None:
        """Raises StripeRefusal for another customer's subscription."""
        found = self.account.get("subscription", subscription)
        if not any(each["id"] == subscription for each in self.subscriptions(session)):
            return
        # Flexible billing has a date and no flag: https://docs.stripe.com/billing/subscriptions/billing-mode/compare
        wanted: Json = {"cancel_at_period_end": "true" if ends else "false"}
        if found["billing_mode"]["type"] == "flexible" and not found["cancel_at_period_end"]:
            wanted = {"cancel_at": "max_period_end" if ends else ""}
        self._subscriptions.update(SubscriptionUpdate.model_validate(wanted), subscription)
