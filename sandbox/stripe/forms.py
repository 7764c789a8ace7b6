"""Parameters of each endpoint; other parameters are refused by name, as at Stripe."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Currency = Literal["usd", "mxn", "eur", "clp", "jpy", "kwd"]
Interval = Literal["month", "year"]
ProrationBehavior = Literal["create_prorations", "always_invoice", "none"]
_MOST_METADATA, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500


def _boolean(given: Any) -> bool:
    if given not in ("true", "false"):
        raise ValueError(f"Invalid boolean: {given}")
    return bool(given == "true")


def _moment(given: Any) -> int | None:
    """Seconds; None stands for `now`."""
    if given == "now":
        return None
    if not isinstance(given, str) or not given.isdecimal():
        raise ValueError(f"Invalid timestamp: {given}; must be an integer Unix timestamp or now")
    return int(given)


def _end(given: Any) -> Any:
    """Seconds, or a word for the end of a period; "" clears the date."""
    return given if given in ("", "min_period_end", "max_period_end") else _moment(given if given != "now" else None)


def _metadata(given: Any) -> dict[str, str]:
    """An empty string clears all keys, an empty value its own key; the key "" stands for all."""
    if given == "":
        return {"": ""}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError("Invalid metadata: metadata must be a hash of strings")
    if len(given) > _MOST_METADATA:
        raise ValueError(f"You cannot have more than {_MOST_METADATA} metadata keys")
    for key, value in given.items():
        if len(key) > _LONGEST_KEY:
            raise ValueError(f"Metadata keys must be {_LONGEST_KEY} characters or less, {key} has {len(key)}")
        if len(value) > _LONGEST_VALUE:
            raise ValueError(f"Metadata values must be {_LONGEST_VALUE} characters or less, {key} has {len(value)}")
    return given


def _email(given: str) -> str:
    if given and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", given):
        raise ValueError(f"Invalid email address: {given}")
    return given


def _address(given: str) -> str:
    if not re.match(r"https?://\S+$", given):
        raise ValueError("Not a valid URL")
    return given


Flag = Annotated[bool, BeforeValidator(_boolean)]
Moment = Annotated[int | None, BeforeValidator(_moment)]
CancelAt = Annotated[int | str | None, BeforeValidator(_end)]
Metadata = Annotated[dict[str, str], BeforeValidator(_metadata)]
Email = Annotated[str, AfterValidator(_email)]
Url = Annotated[str, Field(min_length=1), AfterValidator(_address)]
Id = Annotated[str, Field(min_length=1)]
TrialDays = Annotated[int, Field(ge=1, le=730)]
Quantity = Annotated[int, Field(ge=1)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retrieve(Form):
    expand: list[str] = []


class Created(Form):
    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


class Page(Retrieve):
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    starting_after: Id | None = None
    ending_before: Id | None = None
    created: Created | None = None


class Search(Retrieve):
    query: Id
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    page: Id | None = None


class CustomerPage(Page):
    email: Email | None = None


class ProductPage(Page):
    active: Flag | None = None
    ids: list[str] | None = None


class RecurringFilter(Form):
    interval: Interval | None = None


class PricePage(Page):
    active: Flag | None = None
    product: Id | None = None
    currency: Currency | None = None
    lookup_keys: Annotated[list[str], Field(max_length=10)] | None = None
    type: Literal["recurring", "one_time"] | None = None
    recurring: RecurringFilter | None = None


class SubscriptionPage(Page):
    customer: Id | None = None
    price: Id | None = None
    status: (
        Literal[
            "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "trialing", "unpaid"
        ]
        | None
    ) = None


class InvoicePage(Page):
    customer: Id | None = None
    subscription: Id | None = None
    status: Literal["draft", "open", "paid", "uncollectible", "void"] | None = None


class PaymentMethodPage(Page):
    customer: Id | None = None
    type: Literal["card"] | None = None


class EventPage(Page):
    type: Id | None = None
    types: list[str] | None = None


class SessionPage(Page):
    customer: Id | None = None
    subscription: Id | None = None
    status: Literal["open", "complete", "expired"] | None = None


class CustomerInvoiceSettings(Form):
    default_payment_method: str | None = None


class CustomerUpdate(Retrieve):
    email: Email | None = None
    name: Annotated[str, Field(max_length=256)] | None = None
    phone: Annotated[str, Field(max_length=20)] | None = None
    description: str | None = None
    metadata: Metadata = {}
    preferred_locales: list[str] | None = None
    invoice_settings: CustomerInvoiceSettings | None = None


class CustomerCreate(CustomerUpdate):
    payment_method: Id | None = None


class ProductCreate(Retrieve):
    name: Id
    description: str | None = None
    active: Flag = True
    metadata: Metadata = {}


class ProductUpdate(Retrieve):
    name: Id | None = None
    description: str | None = None
    active: Flag | None = None
    metadata: Metadata = {}
    default_price: Id | None = None


class Recurring(Form):
    interval: Interval
    interval_count: Annotated[int, Field(ge=1, le=12)] = 1
    usage_type: Literal["licensed", "metered"] = "licensed"


class Tier(Form):
    """The price of each unit up to `up_to` (`inf`: all others)."""

    up_to: Annotated[int, Field(ge=1)] | Literal["inf"]
    unit_amount: Annotated[int, Field(ge=0)]


class PriceCreate(Retrieve):
    currency: Currency
    product: Id
    unit_amount: Annotated[int, Field(ge=0, le=99999999)] | None = None
    unit_amount_decimal: Annotated[str, Field(pattern=r"^\d{1,8}(\.\d{1,12})?$")] | None = None
    billing_scheme: Literal["per_unit", "tiered"] = "per_unit"
    tiers_mode: Literal["graduated", "volume"] | None = None
    tiers: list[Tier] | None = None
    recurring: Recurring
    active: Flag = True
    lookup_key: Id | None = None
    nickname: str | None = None
    metadata: Metadata = {}


class PriceUpdate(Retrieve):
    active: Flag | None = None
    lookup_key: Id | None = None
    nickname: str | None = None
    metadata: Metadata = {}


class Card(Form):
    token: Id | None = None
    number: Id | None = None
    exp_month: Annotated[int, Field(ge=1, le=12)] | None = None
    exp_year: int | None = None
    cvc: Id | None = None


class PaymentMethodCreate(Retrieve):
    type: Literal["card"]
    card: Card
    metadata: Metadata = {}


class Attach(Retrieve):
    customer: Id
