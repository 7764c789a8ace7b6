"""Meta's signature of webhook bodies, X-Hub-Signature-256 (docs/whatsapp.md, Webhooks)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

_PREFIX = "sha256="
_LENGTH = len(_PREFIX) + 64


def signature_of(body: bytes, secret: str) -> str:
    """The header's value for these bytes: `sha256=` and 64 hexadecimal digits."""
    return _PREFIX + hmac.digest(secret.encode(), body, "sha256").hex()


def well_formed(header: str) -> bool:
    """True if a header can be a signature at all; otherwise the body need not be read."""
    return len(header) == _LENGTH and header.startswith(_PREFIX)


def signed(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """True when one of the app secrets made this header for exactly these bytes; no secret, no trust."""
    given = (header or "").encode("latin-1", "replace")
    return any(hmac.compare_digest(signature_of(body, secret).encode(), given) for secret in secrets)
