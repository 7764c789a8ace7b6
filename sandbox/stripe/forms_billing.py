"""Parameters of subscriptions, invoices, Checkout and the portal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sandbox.stripe.forms import (
    CancelAt,
    Email,
    Flag,
    Form,
    Id,
    Metadata,
    Moment,
    ProrationBehavior,
    Quantity,
    Retrieve,
    TrialDays,
    Url,
)


class EndBehavior(Form):
    missing_payment_method: Literal["cancel", "create_invoice"]


class TrialSettings(Form):
    end_behavior: EndBehavior


class CancellationDetails(Form):
    comment: str | None = None
    feedback: (
        Literal[
            "customer_service",
            "low_quality",
            "missing_features",
            "other",
            "switched_service",
            "too_complex",
            "too_expensive",
            "unused",
        ]
        | None
    ) = None


class NewItem(Form):
    price: Id
    quantity: Quantity = 1


class ChangedItem(Form):
    id: Id | None = None
    price: Id | None = None
    quantity: Quantity | None = None
    deleted: Flag = False


class BillingMode(Form):
    type: Literal["classic", "flexible"]


class SubscriptionCreate(Retrieve):
    customer: Id
    items: Annotated[list[NewItem], Field(min_length=1, max_length=20)]
    metadata: Metadata = Field(default_factory=dict)
    trial_period_days: TrialDays | None = None
    trial_end: Moment = None
    trial_settings: TrialSettings | None = None
    cancel_at_period_end: Flag = False
    billing_mode: BillingMode = BillingMode(type="flexible")
    default_payment_method: Id | None = None
    collection_method: Literal["charge_automatically", "send_invoice"] = "charge_automatically"
    days_until_due: Annotated[int, Field(ge=0)] | None = None
    payment_behavior: Literal["allow_incomplete", "default_incomplete", "error_if_incomplete"] = "allow_incomplete"
    proration_behavior: ProrationBehavior = "create_prorations"
    off_session: Flag = False


class SubscriptionUpdate(Retrieve):
    items: list[ChangedItem] = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
    trial_end: Moment = None
    cancel_at: CancelAt = None
    cancel_at_period_end: Flag | None = None
    cancellation_details: CancellationDetails | None = None
    default_payment_method: Id | None = None
    payment_behavior: Literal["allow_incomplete", "error_if_incomplete", "pending_if_incomplete"] = "allow_incomplete"
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: Annotated[int, Field(ge=0)] | None = None
    off_session: Flag = False


class SubscriptionCancel(Retrieve):
    cancellation_details: CancellationDetails | None = None


class PreviewDetails(Form):
    items: list[ChangedItem] = Field(default_factory=list)
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: Annotated[int, Field(ge=0)] | None = None
    cancel_at: CancelAt = None
    cancel_at_period_end: Flag | None = None
    trial_end: Literal["now"] | None = None


class InvoicePreview(Retrieve):
    customer: Id | None = None
    subscription: Id
    subscription_details: PreviewDetails = PreviewDetails()


class InvoicePay(Retrieve):
    payment_method: Id | None = None
    off_session: Flag = True


class SubscriptionData(Form):
    description: str | None = None
    metadata: Metadata = Field(default_factory=dict)
    trial_period_days: TrialDays | None = None
    trial_end: Annotated[int, Field(ge=0)] | None = None
    trial_settings: TrialSettings | None = None


class LineItem(Form):
    price: Id
    quantity: Quantity | None = None


class CheckoutCreate(Retrieve):
    mode: Literal["subscription"]
    line_items: Annotated[list[LineItem], Field(min_length=1, max_length=20)]
    success_url: Url
    cancel_url: Url | None = None
    customer: Id | None = None
    customer_email: Email | None = None
    client_reference_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    metadata: Metadata = Field(default_factory=dict)
    subscription_data: SubscriptionData = SubscriptionData()
    expires_at: int | None = None
    locale: Literal["auto", "en", "es", "es-419"] | None = None
    allow_promotion_codes: Flag | None = None
    payment_method_collection: Literal["always", "if_required"] = "always"


class PortalCreate(Retrieve):
    customer: Id
    return_url: Url | None = None
    locale: Literal["auto", "en", "es", "es-419"] | None = None
