"""Stripe's objects as far as we read them; amounts are integers in the currency's smallest unit, times Unix seconds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

# What gives a service, or will when a payment that failed is made good.
LIVE = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})


def _id(value: Any) -> Any:
    """An expandable field, expanded or not, as the id."""
    return value.get("id") if isinstance(value, dict) else value


Id = Annotated[str, BeforeValidator(_id)]


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class InvoiceSettings(Fact):
    default_payment_method: Id | None = None


class Customer(Fact):
    id: str
    deleted: bool = False
    name: str | None = None
    email: str | None = None
    currency: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    preferred_locales: tuple[str, ...] | None = None
    invoice_settings: InvoiceSettings = InvoiceSettings()

    @property
    def whatsapp_id(self) -> str | None:
        """The contact that it belongs to, as it is written at Stripe (contract.md)."""
        return (self.metadata or {}).get("whatsapp_id", "").strip().removeprefix("+") or None


class Product(Fact):
    id: str
    name: str = ""
    description: str | None = None
    active: bool = True


class Recurring(Fact):
    interval: str
    interval_count: int = 1


class Price(Fact):
    id: str
    active: bool = True
    currency: str
    unit_amount: int | None = None
    recurring: Recurring | None = None
    product: str | Product

    @property
    def product_id(self) -> str:
        return self.product if isinstance(self.product, str) else self.product.id

    @property
    def interval(self) -> str:
        """How often it is charged: `month` or `year` as a rule, else with the count, `3 months`."""
        if self.recurring is None:
            return ""
        unit, count = self.recurring.interval, self.recurring.interval_count
        return unit if count == 1 else f"{count} {unit}s"


class Item(Fact):
    id: str
    price: Price
    quantity: int = 1
    current_period_end: int = 0


class Items(Fact):
    data: list[Item]


class Period(Fact):
    start: int = 0
    end: int = 0


class Line(Fact):
    amount: int
    period: Period = Period()


class Lines(Fact):
    data: list[Line] = Field(default_factory=list)


class SubscriptionDetails(Fact):
    subscription: Id | None = None
    subscription_proration_date: int | None = None


class Parent(Fact):
    subscription_details: SubscriptionDetails | None = None


class Invoice(Fact):
    """An invoice, or the preview of one, which has no id of its own to rely on."""

    id: str | None = None
    number: str | None = None
    status: str | None = None
    customer: Id | None = None
    currency: str
    total: int
    amount_due: int
    amount_paid: int = 0
    amount_remaining: int = 0
    attempt_count: int = 0
    next_payment_attempt: int | None = None
    due_date: int | None = None
    created: int = 0
    billing_reason: str | None = None
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    lines: Lines = Lines()
    parent: Parent | None = None

    @property
    def proration_date(self) -> int | None:
        """The moment by which a preview divided the period."""
        details = self.parent.subscription_details if self.parent else None
        return details.subscription_proration_date if details else None

    def for_now(self, until: int) -> bool:
        """Whether a preview is of what is charged now, in the period that lasts `until`, not of what comes after it."""
        return bool(self.lines.data) and all(line.period.start < until for line in self.lines.data)

    @property
    def covers_until(self) -> int:
        """When the latest of the periods that it charges ends; what it credits was for another price."""
        return max((line.period.end for line in self.lines.data if line.amount > 0), default=0)


class Subscription(Fact):
    id: str
    status: str
    customer: Id
    items: Items
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    trial_end: int | None = None
    created: int = 0
    default_payment_method: Id | None = None
    latest_invoice: str | Invoice | None = None

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def item(self) -> Item:
        """The plan; subscriptions of this company have one."""
        return self.items.data[0]

    @property
    def ends(self) -> bool:
        """Whether it is to end by itself."""
        return self.cancel_at_period_end or self.cancel_at is not None

    @property
    def until(self) -> int:
        """When the period that is paid, or the trial, ends."""
        return self.cancel_at or self.item.current_period_end


class Card(Fact):
    brand: str = "card"
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None


class PaymentMethod(Fact):
    id: str
    type: str = "card"
    card: Card | None = None


class Page(Fact):
    """Something at Stripe that is opened by its address: a Checkout session, a portal session."""

    id: str
    url: str | None = None
