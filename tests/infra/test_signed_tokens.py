"""Tokens of ours: read by all processes, until they expire, and by nobody who changes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import pytest
from redis.asyncio import Redis

from bot.infra.signed_tokens import SignedTokens, TokenWrong, shared_secret

SECRET = "recado:secret:test"


async def test_every_process_reads_a_token_until_redis_is_emptied(redis: Redis) -> None:
    token = await SignedTokens(redis, SECRET).sign("c_1", "made/c_1/ñ", seconds=60)
    other = SignedTokens(redis, SECRET)
    assert await other.read(token) == ["c_1", "made/c_1/ñ"]
    await redis.delete(SECRET)
    with pytest.raises(TokenWrong):
        await other.read(token)


async def test_a_token_of_another_purpose_or_time_is_refused(redis: Redis) -> None:
    tokens = SignedTokens(redis, SECRET)
    for token in (
        await SignedTokens(redis, "recado:secret:other").sign("c_1", seconds=60),
        await tokens.sign("c_1", seconds=-1),
    ):
        with pytest.raises(TokenWrong):
            await tokens.read(token)


async def test_a_changed_token_is_refused(redis: Redis) -> None:
    tokens = SignedTokens(redis, SECRET)
    token = await tokens.sign("c_1", seconds=60)
    body, _, signature = token.partition(".")
    later = base64.urlsafe_b64encode(json.dumps([int(time.time()) + 9999, "c_1"]).encode()).decode().rstrip("=")
    changed = [
        f"{later}.{signature}", f"{token}\n", f"{token}x", f"{token}=", token[:-2], f".{token}", body, f"{body}.",
        f".{signature}", f"{signature}.{body}", "", "x", "é.ñ", "\udcff.x", "a" * 3000, None, 7, ["x.y"],
    ]  # fmt: skip
    for wrong in changed:
        with pytest.raises(TokenWrong):
            await tokens.read(wrong)


async def test_a_token_of_an_earlier_version_is_still_read(redis: Redis) -> None:
    secret = await shared_secret(redis, "test")
    text = json.dumps([int(time.time()) + 60, "c_1", "made/c_1/x"], separators=(",", ":")).encode()
    body = base64.urlsafe_b64encode(text).rstrip(b"=")
    digest = hmac.new(secret, body, hashlib.sha256).digest()
    token = (body + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()
    assert await SignedTokens(redis, SECRET).read(token) == ["c_1", "made/c_1/x"]
