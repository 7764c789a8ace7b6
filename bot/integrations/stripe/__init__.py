"""Billing with Stripe: customers, subscriptions, changes confirmed by a tap, and events."""
