"""Checkout: a page where a customer subscribes, and the objects that a completed session creates."""

from __future__ import annotations

from sandbox.stripe.account import Account, Json, copied, with_metadata
from sandbox.stripe.customers import Customers
from sandbox.stripe.errors import StripeRefusal, declined
from sandbox.stripe.forms import Attach, CustomerCreate, Page, Retrieve, SessionPage
from sandbox.stripe.forms_billing import CheckoutCreate, LineItem, SubscriptionCreate, SubscriptionData
from sandbox.stripe.lines import amount_of
from sandbox.stripe.listing import page_of
from sandbox.stripe.object_fields import checkout_fields
from sandbox.stripe.subscriptions import Subscriptions

_SHORTEST, _LONGEST = 30 * 60, 24 * 3600
_SHORTEST_TRIAL = 48 * 3600


class Checkout:
    def __init__(self, account: Account, customers: Customers, subscriptions: Subscriptions) -> None:
        self.account = account
        self._customers = customers
        self._subscriptions = subscriptions
        self.plans: dict[str, SubscriptionData] = {}

    # ---- Stripe's API

    def create(self, form: CheckoutCreate) -> Json:
        now = self.account.clock.now()
        self._check(form, now)
        fields = checkout_fields(form.customer, now)
        session = self.account.make("checkout.session", fields)
        lines = [self._line(item, f"line_items[{place}]") for place, item in enumerate(form.line_items)]
        if len({line["currency"] for line in lines}) > 1:
            raise StripeRefusal("All prices on a Checkout Session must have the same currency.", param="line_items")
        total = 0 if _has_trial(form.subscription_data) else sum(line["amount_total"] for line in lines)
        session |= {
            "allow_promotion_codes": form.allow_promotion_codes,
            "amount_subtotal": total,
            "amount_total": total,
            "cancel_url": form.cancel_url,
            "client_reference_id": form.client_reference_id,
            "currency": lines[0]["currency"],
            "customer_email": form.customer_email,
            "locale": form.locale,
            "metadata": with_metadata({}, form.metadata),
            "payment_method_collection": form.payment_method_collection,
            "success_url": form.success_url,
            "url": f"{self.account.base_url}/c/pay/{session['id']}",
        }
        session["expires_at"] = form.expires_at or session["expires_at"]
        self.plans[session["id"]] = form.subscription_data
        self.account.line_items[session["id"]] = lines
        return self.account.keep(session)

    def retrieve(self, _: Retrieve, session: str) -> Json:
        return self.account.get("checkout.session", session, "session")

    def all(self, page: SessionPage) -> Json:
        found = [
            each
            for each in self.account.all("checkout.session")
            if page.customer in (None, each["customer"])
            and page.subscription in (None, each["subscription"])
            and page.status in (None, each["status"])
        ]
        return page_of(found, page, "/v1/checkout/sessions")

    def lines(self, page: Page, session: str) -> Json:
        self.retrieve(Retrieve(), session)
        return page_of(self.account.line_items[session][::-1], page, f"/v1/checkout/sessions/{session}/line_items")

    def expire_now(self, _: Retrieve, session: str) -> Json:
        found = self.retrieve(Retrieve(), session)
        if found["status"] != "open":
            raise StripeRefusal(
                f'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of {found['status']}."
            )
        self.expire(found)
        return found

    # ---- effects of time and people

    def trial_days(self, session: Json) -> int:
        """Days before the first charge; 0 without a trial."""
        return self.plans[session["id"]].trial_period_days or 0

    def expire(self, session: Json) -> None:
        session |= {"status": "expired", "url": None}
        self.account.keep(session)
        self.account.emit("checkout.session.expired", session)

    def complete(self, session: str, card: str = "pm_card_visa", email: str = "", name: str = "") -> Json:
        """The customer pays with this card; raises StripeRefusal when the session is over or the card is declined."""
        found = self.retrieve(Retrieve(), session)
        if found["status"] != "open":
            raise StripeRefusal(f"This Checkout Session is {found['status']}: it can't be completed.")
        invoices = self._subscriptions.invoices
        # A declined card leaves the page open and creates nothing.
        checked = self._customers.check_card(card)
        answer = invoices.decline_of_charge(found["amount_total"], checked)
        if answer is not None:
            raise declined(answer)
        customer = self._customer(found, email, name)
        method = self._customers.attach(Attach(customer=customer["id"]), checked)
        subscription = self._subscriptions.create(self._subscription_form(found, customer["id"], method["id"]))
        address = customer["email"] or email or None
        found |= {
            "customer": customer["id"],
            "customer_details": {
                "address": None,
                "email": address,
                "name": customer["name"] or name or None,
                "phone": customer["phone"],
                "tax_exempt": "none",
                "tax_ids": [],
            },
            "invoice": subscription["latest_invoice"],
            "payment_status": "paid" if found["amount_total"] else "no_payment_required",
            "status": "complete",
            "subscription": subscription["id"],
            "url": None,
        }
        self.account.keep(found)
        self.account.emit("checkout.session.completed", found)
        return found

    def _customer(self, session: Json, email: str, name: str) -> Json:
        if session["customer"] is not None:
            return self.account.get("customer", session["customer"])
        email = session["customer_email"] or email or "cliente@example.com"
        return self._customers.create(CustomerCreate.model_validate({"email": email, "name": name}))

    def _subscription_form(self, session: Json, customer: str, method: str) -> SubscriptionCreate:
        data = self.plans[session["id"]]
        lines = self.account.line_items[session["id"]]
        wanted: Json = {
            "customer": customer,
            "items": [{"price": line["price"]["id"], "quantity": line["quantity"]} for line in lines],
            "default_payment_method": method,
            "metadata": data.metadata,
        }
        wanted |= {"trial_period_days": data.trial_period_days} if data.trial_period_days else {}
        wanted |= {"trial_end": str(data.trial_end)} if data.trial_end else {}
        wanted |= {"trial_settings": data.trial_settings.model_dump()} if data.trial_settings else {}
        return SubscriptionCreate.model_validate(wanted)

    def _check(self, form: CheckoutCreate, now: int) -> None:
        if form.customer and form.customer_email:
            raise StripeRefusal("You may only specify one of these parameters: customer, customer_email.")
        if form.customer:
            self.account.get_by_param("customer", form.customer, "customer")
        data = form.subscription_data
        if data.trial_end is not None and data.trial_period_days is not None:
            raise StripeRefusal("You may only specify one of these parameters: trial_end, trial_period_days.")
        if data.trial_end is not None and data.trial_end < now + _SHORTEST_TRIAL:
            raise StripeRefusal(
                "The `trial_end` date has to be at least 2 days in the future.", param="subscription_data[trial_end]"
            )
        if form.expires_at is not None and not now + _SHORTEST <= form.expires_at <= now + _LONGEST:
            raise StripeRefusal(
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
                param="expires_at",
            )

    def _line(self, item: LineItem, param: str) -> Json:
        price = self._subscriptions.plans.price(item.price, f"{param}[price]")
        if item.quantity is None:
            raise StripeRefusal(f"Quantity is required. Add `quantity` to `{param}`", param=f"{param}[quantity]")
        amount = amount_of({"price": price, "quantity": item.quantity})
        return {
            "id": self.account.new_id("line_item").replace("il_", "li_"),
            "object": "item",
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": price["currency"],
            "description": self.account.get("product", price["product"])["name"],
            "price": copied(price),
            "quantity": item.quantity,
        }


def _has_trial(data: SubscriptionData) -> bool:
    return data.trial_period_days is not None or data.trial_end is not None
