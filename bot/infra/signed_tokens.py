"""Secrets that Recado makes for itself: once, and the same one in all processes."""

from __future__ import annotations

import secrets

from redis.asyncio import Redis


async def shared_secret(redis: Redis, purpose: str) -> bytes:
    """The secret for one purpose, made by whoever asks first. Where Redis is emptied, all it signed is void."""
    made = secrets.token_hex(32)
    found: str | None = await redis.set(f"recado:secret:{purpose}", made, nx=True, get=True)
    return (found or made).encode()
