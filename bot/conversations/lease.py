"""Lease of a conversation: taken by one worker, renewed while it works, checked by every write, released."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from bot.conversations import identity, ledger, tombstones
from bot.conversations.waiting_list import OPEN, waiting_key
from bot.infra import queries
from bot.infra.locks import delete_if_equal, renew_until
from bot.infra.queries import Command, Query
from bot.infra.redis import answer, key, split_command

_log = structlog.get_logger()
T = TypeVar("T")
# Longer than the client retries a command.
_REMEMBER_COMMIT_SECONDS = 60

# Releases a conversation only while nothing waits in it. A later message finds a new epoch, so that its job has an id
# of its own: BullMQ would drop a job with the id of the one that is ending now.
# KEYS 1 lease, 2 waiting, 3 epoch, 4 joining.
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('LLEN', KEYS[2]) > 0 or redis.call('SCARD', KEYS[4]) > 0 then return 1 end
redis.call('INCR', KEYS[3])
redis.call('EXPIRE', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[1])
return 0
"""

_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"

# A transaction for the holder alone, as a script, because MULTI can't check the lease first. A client whose connection
# breaks before the answer sends the script again, and its commands are done once.
# KEYS 1 lease, 2 erased, 3 names of commits, 4 waiting, 5 epoch, 6 joining, 7 index of open conversations.
# ARGV 1 token, 2 name of this commit, 3 number of reads at the end of the commands, 4 whether to release (1 or
# nothing), 5 conversation, 6 its score in the index when its messages were read (or nothing), then the commands, each
# as the number of its parts and its parts. Gives 1, whether it released, and the answers of the reads.
_COMMIT = f"""
local first, last, at = {{}}, {{}}, 7
while at <= #ARGV do
  first[#first + 1], last[#last + 1] = at + 1, at + ARGV[at]
  at = at + ARGV[at] + 1
end
local writes = #first - tonumber(ARGV[3])
if redis.call('SISMEMBER', KEYS[3], ARGV[2]) == 0 then
  if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
  redis.call('SADD', KEYS[3], ARGV[2])
  redis.call('EXPIRE', KEYS[3], {_REMEMBER_COMMIT_SECONDS})
  for index = 1, writes do redis.call(unpack(ARGV, first[index], last[index])) end
end
local found = {{1, 0}}
for index = writes + 1, #first do found[#found + 1] = redis.call(unpack(ARGV, first[index], last[index])) end
if ARGV[4] == '1' then
  local released = ARGV[2] .. ' released'
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    found[2] = redis.call('SISMEMBER', KEYS[3], released)
  elseif redis.call('LLEN', KEYS[4]) == 0 and redis.call('SCARD', KEYS[6]) == 0 then
    redis.call('INCR', KEYS[5])
    redis.call('EXPIRE', KEYS[5], {ledger.KEEP_SECONDS})
    if tonumber(redis.call('ZSCORE', KEYS[7], ARGV[5])) == tonumber(ARGV[6]) then
      redis.call('ZREM', KEYS[7], ARGV[5])
    end
    redis.call('DEL', KEYS[1])
    redis.call('SADD', KEYS[3], released)
    found[2] = 1
  end
end
return found
"""

# Removes a conversation from the index unless a message came in the meantime.
_REMOVE_IF_UNCHANGED = """
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""


class LeaseLost(Exception):
    """Another worker has the conversation, or may have it: this worker may write nothing more."""


@dataclass(slots=True)
class Lease:
    """The right to work on a conversation, for as long as it is renewed.

    Redis checks the lease in the same step as each write. A request to Meta can't do so. For such requests the lease
    knows until when it is surely ours, counted from before its last renewal was asked for.
    """

    conversation: str
    token: str
    # While a release is on its way, and for good after it.
    is_releasing: bool = field(default=False, init=False, compare=False, repr=False)
    _until: tuple[float, float] = field(default=(-math.inf, -math.inf), init=False, compare=False, repr=False)
    _limits: set[asyncio.Timeout] = field(default_factory=set, init=False, compare=False, repr=False)

    @property
    def seconds_left(self) -> float:
        """Seconds for which it is surely ours.

        The smaller of two clocks counts: no clock change moves the monotonic one, but it stands still while a machine
        sleeps.
        """
        if self.is_releasing:
            return -math.inf
        monotonic, wall = self._until
        return min(monotonic - time.monotonic(), wall - time.time())

    def extend(self, asked: tuple[float, float], seconds: float) -> None:
        """Record that Redis granted it for so many seconds, when asked at this `moment` or later."""
        monotonic, wall = asked
        self._until = (monotonic + seconds, wall + seconds)
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time() + self.seconds_left)

    @asynccontextmanager
    async def time_limit(self) -> AsyncIterator[None]:
        """Raise LeaseLost before the block begins, or in its middle, once the lease may be another's.

        A stopped process finds the loss by its own clocks when it goes on.
        """
        if self.seconds_left <= 0:
            raise LeaseLost(self.conversation)
        limit = asyncio.timeout(self.seconds_left)
        try:
            async with limit:
                self._limits.add(limit)
                yield
        except TimeoutError as error:
            if limit.expired():
                raise LeaseLost(self.conversation) from error
            raise
        finally:
            self._limits.discard(limit)


def moment() -> tuple[float, float]:
    """Now, by the monotonic clock and by the wall clock."""
    return time.monotonic(), time.time()


class ConversationLeases:
    """Leases for one worker at a time, each for `lease_seconds` after its last renewal."""

    def __init__(self, redis: Redis, *, lease_seconds: float) -> None:
        self._redis = redis
        self.lease_seconds = lease_seconds

    async def acquire(self, lease: Lease) -> bool:
        """Acquire the lease; False while another worker has it."""
        return (await self.acquire_and_ask(lease, Query((), len)))[0]

    async def acquire_and_ask(self, lease: Lease, query: Query[T]) -> tuple[bool, T]:
        """Acquire the lease and run a query for its holder, in one round trip."""
        milliseconds, asked = int(self.lease_seconds * 1000), moment()
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(lease_key(lease.conversation), lease.token, nx=True, get=True, px=milliseconds)
        queries.put(pipeline, query)
        try:
            holder, *replies = await pipeline.execute()
            found = query.read(replies)
        except (ResponseError, ValueError, LookupError):
            # Because a query that fails would fail again, and each try would wait for the lease of the one before.
            await self.abandon(lease)
            raise
        if holder is None:
            lease.extend(asked, self.lease_seconds)
        return holder is None or (holder == lease.token and await self._is_renewed(lease)), found

    async def _is_renewed(self, lease: Lease) -> bool:
        """Renew a lease that an earlier request took before its connection broke; False if it ran out."""
        try:
            await self.renew(lease)
        except LeaseLost:
            return False
        return True

    async def renew(self, lease: Lease) -> None:
        """Renew the lease; raises LeaseLost when it ran out or went to another worker."""
        milliseconds, asked = int(self.lease_seconds * 1000), moment()
        name = lease_key(lease.conversation)
        if not await answer(self._redis.eval(_RENEW, 1, name, lease.token, str(milliseconds))):
            raise LeaseLost(lease.conversation)
        lease.extend(asked, self.lease_seconds)

    async def commit(self, lease: Lease, write: Callable[[Any], None]) -> None:
        """Do all that `write` puts into a pipeline, or nothing, and only while the lease is held."""
        await self._commit(lease, write, (), None)

    async def commit_and_ask(self, lease: Lease, write: Callable[[Any], None], query: Query[T]) -> T:
        """Commit, then run a query in the same step. It may not EVAL; a hash comes as a list (queries.mapping)."""
        _, found = await self._commit(lease, write, query.commands, None)
        return query.read(found)

    async def commit_and_release(self, lease: Lease, write: Callable[[Any], None], listed_at: float | None) -> bool:
        """Commit, and release where nothing waits; False, and still held, where something does.

        `listed_at` is the conversation's score in the index when its waiting messages were read. If it was listed anew
        since then, it stays listed.
        """
        return await self._releasing(lease, self._commit_and_release(lease, write, listed_at))

    async def _commit_and_release(self, lease: Lease, write: Callable[[Any], None], listed_at: float | None) -> bool:
        released, _ = await self._commit(lease, write, (), "" if listed_at is None else repr(listed_at))
        return released

    @staticmethod
    async def _releasing(lease: Lease, release: Awaitable[bool]) -> bool:
        """Mark the lease, because a renewal that meets the release must not be taken for a loss."""
        lease.is_releasing, released = True, False
        try:
            released = await release
        finally:
            lease.is_releasing = released
        return released

    async def _commit(
        self, lease: Lease, write: Callable[[Any], None], reads: Sequence[Command], release: str | None
    ) -> tuple[bool, list[Any]]:
        recorded = self._redis.pipeline()
        write(recorded)
        name = lease.conversation
        # Checked before the script, because one that fails in its middle keeps its first half.
        written = ([str(part) for part in command] for command, _ in recorded.command_stack)
        commands = [part for command in written for part in split_command(command)]
        commands += [[str(part) for part in command] for command in reads]
        fixed = (
            *(lease_key(name), tombstones.erased(name), done_key(name)),
            *(waiting_key(name), epoch_key(name), identity.to_merge_key(name), OPEN),
        )
        # Every key is declared, because some managed servers demand it.
        touched = {part for command in commands for part in command[1:] if part.startswith("recado:")}
        arguments = [secrets.token_hex(6), str(len(reads)), "" if release is None else "1", name, release or ""]
        for command in commands:
            arguments += [str(len(command)), *command]
        _, released, *found = await self.eval_if_held(lease, _COMMIT, [*fixed, *sorted(touched - {*fixed})], arguments)
        return bool(released), found

    async def eval_if_held(self, lease: Lease, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """Run a script that gives 0 unless the lease (KEYS 1, ARGV 1) is held; raises LeaseLost on 0."""
        found = await answer(self._redis.eval(script, len(keys), *keys, lease.token, *arguments))
        if not found:
            raise LeaseLost(lease.conversation)
        return found

    async def release(self, lease: Lease) -> bool:
        """Release; False, and still held, when messages wait. Raises LeaseLost if it is another's already."""
        return await self._releasing(lease, self._release(lease))

    async def _release(self, lease: Lease) -> bool:
        name = lease.conversation
        keys = (lease_key(name), waiting_key(name), epoch_key(name), identity.to_merge_key(name))
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zscore(OPEN, name)
        pipeline.eval(_RELEASE, len(keys), *keys, lease.token, str(ledger.KEEP_SECONDS))
        score, outcome = await pipeline.execute()
        if outcome == -1:
            raise LeaseLost(name)
        if outcome == 0 and score is not None:
            await answer(self._redis.eval(_REMOVE_IF_UNCHANGED, 1, OPEN, name, repr(score)))
        return bool(outcome == 0)

    async def abandon(self, lease: Lease) -> None:
        """Drop the lease after a failure, so that the next try needn't wait until it runs out."""
        await delete_if_equal(self._redis, lease_key(lease.conversation), lease.token)

    async def free(self, names: list[str]) -> list[str]:
        """The conversations without a holder: a job for another one would only occupy a worker."""
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.exists(lease_key(name))
        kept_renewed = await pipeline.execute() if names else []
        return [name for name, taken in zip(names, kept_renewed, strict=True) if not taken]


@asynccontextmanager
async def kept_renewed(leases: ConversationLeases, lease: Lease) -> AsyncIterator[None]:
    """Renew a lease that was taken while the block lasts; the block itself releases it.

    Where the lease goes to another, or can't be renewed before it runs out, the block is cancelled. Raises a group of
    LeaseLost then, and a group of any error of the block.
    """
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(renew_lease_until(leases, lease, over))
        try:
            yield
        finally:
            over.set()


async def renew_lease_until(leases: ConversationLeases, lease: Lease, over: asyncio.Event) -> None:
    """Renew a lease until `over`; raises LeaseLost when it went to another, or can't be renewed before it runs out."""

    async def renew() -> None:
        try:
            await leases.renew(lease)
        except LeaseLost:
            # The block itself may have released it in the meantime.
            if not (over.is_set() or lease.is_releasing):
                raise
        except (RedisError, OSError) as error:
            _log.warning("lease_not_renewed", error=type(error).__name__)
            if lease.seconds_left <= 0 and not lease.is_releasing:
                raise LeaseLost(lease.conversation) from error

    await renew_until(over, leases.lease_seconds / 3, renew)


def lease_key(conversation: str) -> str:
    return key(conversation, "lease")


def done_key(conversation: str) -> str:
    """Key of the names of recent commits."""
    return key(conversation, "done")


def epoch_key(conversation: str) -> str:
    return key(conversation, "epoch")
