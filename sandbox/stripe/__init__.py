"""Stripe on this machine, for the sandbox and the tests."""

from sandbox.stripe.errors import Refused
from sandbox.stripe.faults import Fault
from sandbox.stripe.simulator import StripeSimulator

__all__ = ["Fault", "Refused", "StripeSimulator"]
