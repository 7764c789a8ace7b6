"""Errors of calls to Stripe, named by the caller's choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stripe import StripeError

_CONFLICT, _TOO_MANY, _FAULT = 409, 429, 500
_BY_THE_CUSTOMER = {"authentication_required", "subscription_payment_intent_requires_action"}


class StripeFailed(Exception):
    """Stripe did not fulfil the request; the text holds no customer data and no key."""


class StripeUnavailable(StripeFailed):
    """No answer in time, too many requests, or a fault at Stripe: a later try may work.

    A change may have been made or not: the same idempotency key repeats it safely. `hopeless`: Stripe itself says that
    an immediate retry is no use.
    """

    def __init__(self, reason: str, *, hopeless: bool = False) -> None:
        super().__init__(reason)
        self.hopeless = hopeless


class KeyRejected(StripeFailed):
    """The key is wrong or lacks the permission: an operator has to see to STRIPE_SECRET_KEY."""


class StripeObjectGone(StripeFailed):
    """The object doesn't exist, or no longer."""


class CardRefused(StripeFailed):
    """The customer's bank refused the payment; nothing was changed."""


class NeedsAction(CardRefused):
    """The customer's bank wants them to confirm the payment themselves; nothing was changed."""


class NothingToBill(StripeObjectGone):
    """No invoice is to come."""


class RequestRefused(StripeFailed):
    """Stripe doesn't accept the request; a repetition is no use."""


def error_from(error: StripeError) -> StripeFailed:
    """Name what the library raised (https://docs.stripe.com/error-low-level)."""
    import stripe  # noqa: PLC0415 - half a second, loaded already by whoever can raise this

    reason = f"HTTP {error.http_status}, {error.code or type(error).__name__}"
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return KeyRejected(reason)
        case stripe.CardError(code=code):
            return NeedsAction(reason) if code in _BY_THE_CUSTOMER else CardRefused(reason)
        case stripe.APIConnectionError() | stripe.RateLimitError():
            return StripeUnavailable(reason, hopeless=_hopeless(error))
        case stripe.InvalidRequestError(http_status=404) | stripe.InvalidRequestError(code="resource_missing"):
            return NothingToBill(reason) if error.code == "invoice_upcoming_none" else StripeObjectGone(reason)
        case stripe.InvalidRequestError(param=param):
            return RequestRefused(f"{reason}, parameter {param}" if param else reason)
    passing = error.http_status is None or error.http_status == _CONFLICT or error.http_status >= _FAULT
    return (
        StripeUnavailable(reason, hopeless=_hopeless(error))
        if passing
        else RequestRefused(f"{reason}; is STRIPE_API_BASE Stripe's API?")
    )


def _hopeless(error: StripeError) -> bool:
    return bool((error.headers or {}).get("stripe-should-retry") == "false")


def worth_another_try(error: BaseException) -> bool:
    return isinstance(error, StripeUnavailable) and not error.hopeless
