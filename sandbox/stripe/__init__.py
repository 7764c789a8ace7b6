"""A Stripe simulator for the sandbox and the tests."""

from sandbox.stripe.errors import StripeRefusal
from sandbox.stripe.faults import StripeFault
from sandbox.stripe.simulator import StripeSimulator

__all__ = ["StripeFault", "StripeRefusal", "StripeSimulator"]
