"""The window and the person's will, over the edge and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.conversations.contacts import Contact
from bot.delivery.policy import OWN, SendPermission, may_send
from bot.messages.outbound import Part, Say, Template
from tests.rows import each

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEXT, TEMPLATE = Say(body="Hola"), Template(name="payment_reminder")


def wrote(hours: float, **more: object) -> Contact:
    return Contact(last_inbound_at=NOW - timedelta(hours=hours), **more)  # type: ignore[arg-type] # a test's shorthand


@each(
    ("part", "contact", "category", "verdict"),
    [
        (TEXT, wrote(0), "service", SendPermission.ALLOWED),
        (TEXT, wrote(23.9), "service", SendPermission.ALLOWED),
        (TEXT, wrote(23.99), "service", SendPermission.WINDOW_CLOSED),
        (TEXT, wrote(24), "service", SendPermission.WINDOW_CLOSED),
        (TEXT, Contact(), "service", SendPermission.WINDOW_CLOSED),
        (TEMPLATE, Contact(), "utility", SendPermission.ALLOWED),
        (TEMPLATE, wrote(30), "marketing", SendPermission.ALLOWED),
        (TEMPLATE, wrote(1, marketing_opt_out=True), "marketing", SendPermission.OPTED_OUT),
        (TEMPLATE, wrote(1, marketing_opt_out=True), "MARKETING", SendPermission.OPTED_OUT),
        (TEMPLATE, wrote(1, marketing_opt_out=True), "utility", SendPermission.ALLOWED),
        (TEXT, wrote(1, marketing_opt_out=True), "service", SendPermission.ALLOWED),
        (TEXT, wrote(1, marketing_opt_out=True), OWN, SendPermission.OPTED_OUT),
        (TEMPLATE, wrote(30, unreachable=True), "utility", SendPermission.UNREACHABLE),
        (TEXT, wrote(1, unreachable=True), "service", SendPermission.ALLOWED),
        (TEXT, wrote(2, window_refused_at=NOW - timedelta(hours=2)), "service", SendPermission.WINDOW_CLOSED),
        (TEXT, wrote(1, window_refused_at=NOW - timedelta(hours=2)), "service", SendPermission.ALLOWED),
    ],
)
def test_what_may_leave(part: Part, contact: Contact, category: str, verdict: SendPermission) -> None:
    assert may_send(part, contact, category, NOW) is verdict
