"""Stripe's errors: an exception with its HTTP status and JSON (https://docs.stripe.com/api/errors)."""

from __future__ import annotations

from typing import Any


class StripeRefusal(Exception):
    """A request that Stripe answers with an error; `code`, `param` and `more` appear only if given."""

    def __init__(  # noqa: PLR0913 - an error has this many parts
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.more = more or {}

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": str(self), "type": self.kind}
        if self.code:
            address = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
            error |= {"code": self.code, "doc_url": address}
        return {"error": error | ({"param": self.param} if self.param else {}) | self.more}


def no_such(kind: str, wanted: str, param: str, status: int = 404) -> StripeRefusal:
    """404 where the id is in the address, 400 where it is a parameter."""
    name = {"payment_method": "PaymentMethod", "checkout.session": "checkout.session"}.get(kind, kind)
    return StripeRefusal(f"No such {name}: '{wanted}'", status=status, code="resource_missing", param=param)


def declined(decline_code: str, payment_intent: str | None = None) -> StripeRefusal:
    """402: the bank has declined the charge."""
    more = {"decline_code": decline_code} | ({"payment_intent": {"id": payment_intent}} if payment_intent else {})
    return StripeRefusal(_REASONS[decline_code], status=402, kind="card_error", code="card_declined", more=more)


def needs_action() -> StripeRefusal:
    """402: the bank wants the customer to confirm the payment (3-D Secure); nothing was changed."""
    return StripeRefusal(
        "Payment for this subscription requires additional user action before it can be completed successfully.",
        status=402,
        kind="card_error",
        code="subscription_payment_intent_requires_action",
    )


_REASONS = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}
