"""The VAPID pair (RFC 8292) in the format of npm's web-push: raw, base64url, without padding."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from bot.settings import PushSettings

if TYPE_CHECKING:
    # Loaded at its use, because the web server needs it for nothing else.
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


class KeysWrong(Exception):
    """The VAPID variables can't be used; the message says which and why."""


def new_pair() -> tuple[str, str]:
    """A new public key and its private key."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - see above

    private = ec.generate_private_key(ec.SECP256R1())
    scalar = private.private_numbers().private_value
    return public_of(private), encoded(scalar.to_bytes(32, "big"))


def private_of(settings: PushSettings) -> EllipticCurvePrivateKey:
    """The private key; raises KeysWrong when it is invalid, or doesn't match the public key."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - see above

    if settings.private_key is None or settings.public_key is None:
        raise KeysWrong("VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are not set; make a pair with `recado keys vapid`")
    try:
        scalar = int.from_bytes(decoded(settings.private_key.get_secret_value()), "big")
        private = ec.derive_private_key(scalar, ec.SECP256R1())
    except ValueError as error:
        raise KeysWrong("VAPID_PRIVATE_KEY is no key; make a pair with `recado keys vapid`") from error
    if public_of(private) != settings.public_key.rstrip("="):
        raise KeysWrong(
            "VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are not of one pair; set both to what was made together"
        )
    return private


def public_of(private: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - see above

    return encoded(private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def on_curve(raw: bytes) -> bool:
    """Whether 65 bytes are a point of P-256, as a browser's public key is."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - see above

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        return False
    return True


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises ValueError."""
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
