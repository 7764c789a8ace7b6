"""Stripe on this machine, for the sandbox and the tests."""

from bot.sandbox.stripe.faults import Fault
from bot.sandbox.stripe.imitation import StripeImitation
from bot.sandbox.stripe.refusals import Refused

__all__ = ["Fault", "Refused", "StripeImitation"]
