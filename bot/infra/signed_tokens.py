"""Secrets that Recado makes for itself, once and the same in all processes, and the expiring tokens that they sign."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from weakref import WeakKeyDictionary

from itsdangerous import BadSignature, Signer, base64_decode, base64_encode
from redis.asyncio import Redis

# Base64 alone: itsdangerous skips other signs, and one token would have many spellings.
_TOKEN = re.compile(r"[\w-]+\.[\w-]+", re.ASCII)
# Spares webhooks and turns a round trip. Not longer, because a Redis that was emptied has another secret.
_REMEMBER_SECONDS = 60
_known: WeakKeyDictionary[Redis, dict[str, tuple[float, bytes]]] = WeakKeyDictionary()


class TokenWrong(Exception):
    """The token isn't ours, was changed, or has expired."""


async def shared_secret(redis: Redis, purpose: str) -> bytes:
    """The secret for one purpose, made at its first use. Where Redis is emptied, its signatures are void."""
    known = _known.setdefault(redis, {})
    until, secret = known.get(purpose, (0.0, b""))
    if time.monotonic() > until:
        secret = await _secret(redis, f"recado:secret:{purpose}")
        known[purpose] = (time.monotonic() + _REMEMBER_SECONDS, secret)
    return secret


class SignedTokens:
    """Tokens that carry values until they expire; `secret_name` is the Redis key of the secret that signs them."""

    def __init__(self, redis: Redis, secret_name: str) -> None:
        self._redis = redis
        self._secret_name = secret_name

    async def sign(self, *values: str, seconds: float) -> str:
        """A token that is valid for so long, readable and safe in a URL."""
        text = json.dumps([int(time.time() + seconds), *values], separators=(",", ":"))
        return (await self._signer()).sign(base64_encode(text)).decode()

    async def read(self, token: object) -> list[str]:
        """The values of a token; raises TokenWrong."""
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise TokenWrong
        try:
            until, *values = json.loads(base64_decode((await self._signer()).unsign(token)))
        except BadSignature as error:
            raise TokenWrong from error
        if until <= time.time():
            raise TokenWrong
        return [str(value) for value in values]

    async def _signer(self) -> Signer:
        # The secret is random, as long as the digest and of one purpose: nothing needs to be derived from it.
        # URLSafeSerializer compresses, and begins the token with a dot then: many web servers hide such paths.
        return Signer(
            await _secret(self._redis, self._secret_name), key_derivation="none", digest_method=hashlib.sha256
        )


async def _secret(redis: Redis, name: str) -> bytes:
    made = secrets.token_hex(32)
    found: str | None = await redis.set(name, made, nx=True, get=True)
    return (found or made).encode()
