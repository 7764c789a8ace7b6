"""What goes wrong between us and Stripe, named by what the caller can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stripe import StripeError

_CONFLICT, _TOO_MANY, _FAULT = 409, 429, 500
_BY_THE_CUSTOMER = {"authentication_required", "subscription_payment_intent_requires_action"}


class StripeFailed(Exception):
    """Stripe did not do what was asked; the text holds neither data of a customer nor a key."""


class StripeUnavailable(StripeFailed):
    """No answer in time, too many requests, or a fault of Stripe's: later may help.

    Whether a change was made is not known: the same idempotency key asks again without doing it twice. `hopeless`
    means that Stripe itself says that trying at once is no use.
    """

    def __init__(self, reason: str, *, hopeless: bool = False) -> None:
        super().__init__(reason)
        self.hopeless = hopeless


class KeyRejected(StripeFailed):
    """The key is wrong, or may not do this: an operator has to see to STRIPE_SECRET_KEY."""


class StripeObjectGone(StripeFailed):
    """There is no such object, or there is no more."""


class CardRefused(StripeFailed):
    """The customer's bank refused the payment; nothing was changed."""


class NeedsAction(CardRefused):
    """The customer's bank wants them to confirm the payment themselves; nothing was changed."""


class NothingToBill(StripeObjectGone):
    """No invoice is to come."""


class RequestRefused(StripeFailed):
    """Stripe doesn't accept the request; asking again is no use."""


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
