"""Receipts of e-mails, written before and after each request to a provider, so that no job sends two."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from bot.conversations.ledger import KEEP_SECONDS
from bot.infra.locks import LockLost, renewed_lock
from bot.infra.logs import masked
from bot.infra.redis import answer

State = Literal["none", "asking", "accepted", "refused", "doubtful"]

# A worker that lost the job without noticing may not ask a provider any more.
_WRITE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
"""


class HoldLost(Exception):
    """Another worker has taken over the job."""


@dataclass(slots=True)
class Receipt:
    """State of one job's e-mail. `asking` that outlives its worker counts as `doubtful`."""

    redis: Redis
    job: str
    token: str
    state: State = "none"
    provider: str = ""
    detail: str = ""

    async def write(self, state: State, provider: str, detail: str = "") -> None:
        """Store the state. Raises HoldLost when `asking` is to be written and another worker has the job.

        A provider's result is stored in any case: it is true, no matter who has the job.
        """
        record = ("state", state, "provider", provider, "words", detail, "at", repr(time.time()))
        if state != "asking":
            pipeline = self.redis.pipeline(transaction=True)
            pipeline.hset(_key(self.job), items=list(record))
            pipeline.expire(_key(self.job), KEEP_SECONDS)
            await pipeline.execute()
        elif not await answer(
            self.redis.eval(_WRITE, 2, _lock(self.job), _key(self.job), self.token, str(KEEP_SECONDS), *record)
        ):
            raise HoldLost(self.job)
        self.state, self.provider, self.detail = state, provider, detail


class Receipts:
    """A job has a single worker at a time; `hold_seconds` after its death another one may take over."""

    def __init__(self, redis: Redis, *, hold_seconds: float = 6.0) -> None:
        self._redis = redis
        self._hold_seconds = hold_seconds

    @asynccontextmanager
    async def hold(self, job: str) -> AsyncIterator[Receipt]:
        """Wait until no other worker has this job, and give its receipt."""
        job = masked(job)
        token = secrets.token_hex(8)
        # The written receipt stands, whoever has the job by now.
        with suppress(LockLost):
            async with renewed_lock(self._redis, _lock(job), seconds=self._hold_seconds, token=token):
                stored: dict[str, str] = await answer(self._redis.hgetall(_key(job)))
                yield Receipt(
                    self._redis,
                    job,
                    token,
                    state=stored.get("state", "none"),  # type: ignore[arg-type] # written by us alone
                    provider=stored.get("provider", ""),
                    detail=stored.get("words", ""),
                )


def _key(job: str) -> str:
    return f"recado:mail:{{{job}}}"


def _lock(job: str) -> str:
    return f"{_key(job)}:hold"
