"""The parts of Stripe's objects that we read. Amounts are in the currency's smallest unit, times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.messages.language import Language

# Statuses that give a service, or will once a failed payment is made good.
LIVE = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})


def _id(value: Any) -> Any:
    """The id of an expandable field, expanded or not."""
    return value.get("id") if isinstance(value, dict) else value


Id = Annotated[str, BeforeValidator(_id)]


class StripeObject(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class InvoiceSettings(StripeObject):
    default_payment_method: Id | None = None


class Customer(StripeObject):
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
        """The linked contact, from the customer's metadata."""
        return (self.metadata or {}).get("whatsapp_id", "").strip().removeprefix("+") or None


class StripeProduct(StripeObject):
    id: str
    name: str = ""
    description: str | None = None
    active: bool = True


class Recurring(StripeObject):
    interval: str
    interval_count: int = 1
    usage_type: str = "licensed"


class Price(StripeObject):
    id: str
    currency: str
    unit_amount: int | None = None
    unit_amount_decimal: Decimal | None = None
    billing_scheme: str = "per_unit"
    recurring: Recurring | None = None
    product: str | StripeProduct

    @property
    def metered(self) -> bool:
        """Whether use is charged when the period is over."""
        return self.recurring is not None and self.recurring.usage_type == "metered"

    @property
    def unit_price(self) -> Decimal | None:
        """Price of one unit in the currency's smallest unit; None when it depends on the quantity."""
        if self.billing_scheme != "per_unit":
            return None
        return self.unit_amount_decimal if self.unit_amount is None else Decimal(self.unit_amount)

    @property
    def product_id(self) -> str:
        return self.product if isinstance(self.product, str) else self.product.id

    @property
    def interval(self) -> str:
        """Interval of the charge: `month` or `year` as a rule, else with the count, `3 months`."""
        if self.recurring is None:
            return ""
        unit, count = self.recurring.interval, self.recurring.interval_count
        return unit if count == 1 else f"{count} {unit}s"


class SubscriptionItem(StripeObject):
    """`quantity` is None for metered prices."""

    id: str
    price: Price
    quantity: int | None = None
    current_period_end: int = 0

    @property
    def units(self) -> int:
        return 1 if self.quantity is None else self.quantity


class SubscriptionItems(StripeObject):
    data: list[SubscriptionItem] = Field(min_length=1)


class Period(StripeObject):
    start: int = 0
    end: int = 0


class ItemDetails(StripeObject):
    proration: bool = False


class LineParent(StripeObject):
    """Origin of a line: an item of the subscription, or an amount that was added by hand."""

    subscription_item_details: ItemDetails | None = None


class InvoiceLine(StripeObject):
    amount: int
    period: Period = Period()
    parent: LineParent | None = None

    @property
    def one_time(self) -> bool:
        """Whether the line is no part of the regular cost of a period."""
        item = self.parent.subscription_item_details if self.parent else None
        return item is None or item.proration


class InvoiceLines(StripeObject):
    data: list[InvoiceLine] = Field(default_factory=list)


class SubscriptionDetails(StripeObject):
    subscription: Id | None = None
    subscription_proration_date: int | None = None


class InvoiceParent(StripeObject):
    subscription_details: SubscriptionDetails | None = None


class Discount(StripeObject):
    amount: int


class Invoice(StripeObject):
    """An invoice, or a preview of one, which has no reliable id."""

    id: str | None = None
    number: str | None = None
    status: str | None = None
    customer: Id | None = None
    currency: str
    total: int
    amount_due: int
    amount_paid: int = 0
    amount_remaining: int = 0
    post_payment_credit_notes_amount: int = 0
    attempt_count: int = 0
    next_payment_attempt: int | None = None
    due_date: int | None = None
    created: int = 0
    billing_reason: str | None = None
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    lines: InvoiceLines = InvoiceLines()
    parent: InvoiceParent | None = None
    total_discount_amounts: tuple[Discount, ...] | None = None

    @property
    def amount_left(self) -> int:
        """The part that is still to be paid."""
        return self.amount_remaining if self.status in {"open", "uncollectible"} else 0

    @property
    def usual(self) -> bool:
        """Whether a preview shows the regular cost of a period: no one-time amount, and no discount that may end."""
        discounts = self.total_discount_amounts or ()
        return not any(line.one_time for line in self.lines.data) and not any(discount.amount for discount in discounts)

    @property
    def proration_date(self) -> int | None:
        """The moment by which a preview divided the period."""
        details = self.parent.subscription_details if self.parent else None
        return details.subscription_proration_date if details else None

    def for_now(self, until: int) -> bool:
        """Whether a preview is charged now, within the period that lasts `until`, and not after it."""
        return bool(self.lines.data) and all(line.period.start < until for line in self.lines.data)


class PendingUpdate(StripeObject):
    """A change that waits for its payment."""

    expires_at: int = 0


class CollectionPause(StripeObject):
    """Nothing is collected until `resumes_at`; None means until further notice."""

    resumes_at: int | None = None


class Subscription(StripeObject):
    id: str
    status: str
    customer: Id
    items: SubscriptionItems
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    pause_collection: CollectionPause | None = None
    pending_update: PendingUpdate | None = None
    schedule: Id | None = None
    trial_end: int | None = None
    created: int = 0
    default_payment_method: Id | None = None
    latest_invoice: str | Invoice | None = None

    @property
    def live(self) -> bool:
        return self.status in LIVE

    def item(self, id_: str) -> SubscriptionItem | None:
        return next((item for item in self.items.data if item.id == id_), None)

    @property
    def price_signature(self) -> str:
        """The prices with their quantities, in one fixed order."""
        parts = (f"{item.price.id}{'' if item.units == 1 else f'x{item.units}'}" for item in self.items.data)
        return " ".join(sorted(parts))

    @property
    def interval(self) -> str:
        """Interval of the charge; empty when the items differ in it."""
        every = {item.price.interval for item in self.items.data}
        return every.pop() if len(every) == 1 else ""

    @property
    def metered(self) -> bool:
        return any(item.price.metered for item in self.items.data)

    @property
    def owed(self) -> Invoice | None:
        """The latest invoice, if it is not fully paid."""
        latest = self.latest_invoice
        return latest if isinstance(latest, Invoice) and latest.amount_left else None

    @property
    def ends(self) -> bool:
        """Whether a cancellation is scheduled."""
        return self.cancel_at_period_end or self.cancel_at is not None

    @property
    def renews_at(self) -> int:
        """End of the paid period or trial; of several items, the earliest."""
        return min(item.current_period_end for item in self.items.data)

    @property
    def until(self) -> int:
        """The scheduled end, or else the renewal."""
        return self.cancel_at or self.renews_at

    @property
    def renews(self) -> bool:
        """Whether it renews before it ends."""
        return not self.cancel_at_period_end and (self.cancel_at is None or self.cancel_at > self.renews_at)


class PaymentCard(StripeObject):
    brand: str = "card"
    last4: str = ""


class PaymentMethod(StripeObject):
    id: str
    type: str = "card"
    card: PaymentCard | None = None


@dataclass(frozen=True, slots=True)
class PageOptions:
    """Options of a page at Stripe: the address that it leads back to, and its language."""

    back: str
    language: Language


class HostedPage(StripeObject):
    """A page at Stripe, opened by its address: a Checkout session or a portal session."""

    id: str
    url: str | None = None
    amount_total: int | None = None
    currency: str | None = None
