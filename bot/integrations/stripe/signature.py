"""Verifies that an event is from Stripe, and recent: https://docs.stripe.com/webhooks#verify-manually."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

TOLERANCE_SECONDS = 300


def signed(body: bytes, header: str | None, secrets: Iterable[str], now: float) -> bool:
    """Whether one of the secrets signed this body, at most 5 minutes from `now`."""
    fields = [part.strip().partition("=") for part in (header or "").split(",")]
    time = next((value for name, _, value in fields if name == "t"), "")
    # Bytes that are not UTF-8 arrive as lone surrogates.
    signatures = [value.encode("utf-8", "surrogateescape") for name, _, value in fields if name == "v1"]
    # A time in the future is refused too: a wrong clock proves nothing.
    if not (time.isascii() and time.isdigit()) or abs(now - int(time[:15])) > TOLERANCE_SECONDS:
        return False
    payload = time.encode() + b"." + body
    expected = [hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest().encode() for secret in secrets]
    return any(hmac.compare_digest(wanted, other) for wanted in expected for other in signatures)
