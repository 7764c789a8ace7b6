"""Billing with Stripe: whose subscription it is, what it costs, what a tap may change, and what Stripe tells us."""
