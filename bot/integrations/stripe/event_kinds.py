"""Names that the web server and the workers share: the job of a Stripe event, and the kinds that are acted on.

They stand apart from the handler, because the web server loads nothing that handles them.
"""

from __future__ import annotations

# Stripe's events share the queue of notifications, whose workers already reach customers. BullMQ stores a job by its id
# in one atomic step, retries it for hours, and shows it when it fails for good.
JOB = "stripe"
ACTED_ON = frozenset({
    "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
    "customer.subscription.paused", "customer.subscription.resumed", "customer.subscription.trial_will_end",
    "invoice.paid", "invoice.payment_failed",
})  # fmt: skip
