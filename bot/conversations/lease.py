"""The lease of a conversation: taking it, renewing it, writing all in one step while it is held, letting go."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.conversations import identity, ledger, tombstones
from bot.conversations.waiting_list import OPEN, waiting_key
from bot.infra import queries
from bot.infra.queries import Command, Query
from bot.infra.redis import answer, apart, key, narrow

_log = structlog.get_logger()
T = TypeVar("T")
# Longer than any command is tried again.
_REMEMBER_COMMIT_SECONDS = 60

# Lets go of a conversation only while nothing waits in it; a message that comes later finds a new epoch, so that
# its job has a new id and can't be taken for the job that is ending now. KEYS 1 lease, 2 waiting, 3 epoch, 4 joining.
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('LLEN', KEYS[2]) > 0 or redis.call('SCARD', KEYS[4]) > 0 then return 1 end
redis.call('INCR', KEYS[3])
redis.call('EXPIRE', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[1])
return 0
"""

_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"

# A transaction that only the holder can make: MULTI can't ask first, a script can. Where the connection breaks before
# the answer, it is asked for again, and done once. KEYS 1 lease, 2 erased, 3 names of what was done, 4 waiting,
# 5 epoch, 6 joining, 7 index of open conversations. ARGV 1 token, 2 name of this, 3 how many of the commands are reads,
# 4 whether to let go (1 or nothing), 5 conversation, 6 its place in the index as it was seen (or nothing), then the
# commands. Gives 1, whether it let go, and what the reads found.
_COMMIT = f"""
local reads = tonumber(ARGV[3])
if redis.call('SISMEMBER', KEYS[3], ARGV[2]) == 0 then
  if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
  redis.call('SADD', KEYS[3], ARGV[2])
  redis.call('EXPIRE', KEYS[3], {_REMEMBER_COMMIT_SECONDS})
  for index = 7, #ARGV - reads do redis.call(unpack(cjson.decode(ARGV[index]))) end
end
local found = {{1, 0}}
for index = #ARGV - reads + 1, #ARGV do found[#found + 1] = redis.call(unpack(cjson.decode(ARGV[index]))) end
if ARGV[4] == '1' then
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    found[2] = 1
  elseif redis.call('LLEN', KEYS[4]) == 0 and redis.call('SCARD', KEYS[6]) == 0 then
    redis.call('INCR', KEYS[5])
    redis.call('EXPIRE', KEYS[5], {ledger.KEEP_SECONDS})
    if tonumber(redis.call('ZSCORE', KEYS[7], ARGV[5])) == tonumber(ARGV[6]) then
      redis.call('ZREM', KEYS[7], ARGV[5])
    end
    redis.call('DEL', KEYS[1])
    found[2] = 1
  end
end
return found
"""

_ABANDON = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"

# Closes the books on a conversation unless somebody wrote in the meantime.
_FORGET = """
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""


class LeaseLost(Exception):
    """Another worker has the conversation, or may have it: this one may write nothing more."""


@dataclass(slots=True)
class Lease:
    """The right to work on a conversation, for as long as it is renewed.

    Redis decides whether something may be written. What goes elsewhere can't ask Redis in the same step: for that, the
    lease knows until when it is surely ours, counted from before the last request that renewed it.
    """

    conversation: str
    token: str
    _until: tuple[float, float] = field(default=(-math.inf, -math.inf), init=False, compare=False, repr=False)
    _bounds: set[asyncio.Timeout] = field(default_factory=set, init=False, compare=False, repr=False)

    @property
    def left(self) -> float:
        """Seconds for which it is surely ours.

        Two clocks tell: the one that no clock change moves goes on while a process is stopped, but stands still where
        a whole machine sleeps.
        """
        monotonic, wall = self._until
        return min(monotonic - time.monotonic(), wall - time.time())

    def extend(self, asked: tuple[float, float], seconds: float) -> None:
        """Redis has granted it for so many seconds, when it was asked at this moment (`moment`) or later."""
        monotonic, wall = asked
        self._until = (monotonic + seconds, wall + seconds)
        for bound in self._bounds:
            if not bound.expired():
                bound.reschedule(asyncio.get_running_loop().time() + self.left)

    @asynccontextmanager
    async def bound(self) -> AsyncIterator[None]:
        """Raise LeaseLost before the block begins, or in its middle, once the lease may be another's.

        A process that was stopped finds it out by itself when it goes on: it needn't ask anybody.
        """
        if self.left <= 0:
            raise LeaseLost(self.conversation)
        bound = asyncio.timeout(self.left)
        try:
            async with bound:
                self._bounds.add(bound)
                yield
        except TimeoutError as error:
            if bound.expired():
                raise LeaseLost(self.conversation) from error
            raise
        finally:
            self._bounds.discard(bound)


def moment() -> tuple[float, float]:
    """Now, by the clock that only goes on and by the wall's."""
    return time.monotonic(), time.time()


class ConversationLeases:
    """One worker at a time has a conversation, for `lease_seconds` after it last renewed its lease."""

    def __init__(self, redis: Redis, *, lease_seconds: float) -> None:
        self._redis = redis
        self.lease_seconds = lease_seconds

    async def take(self, lease: Lease) -> bool:
        """Take the conversation; False while another worker has it."""
        return (await self.take_and_ask(lease, Query((), len)))[0]

    async def take_and_ask(self, lease: Lease, query: Query[T]) -> tuple[bool, T]:
        """Take the conversation, and ask for what the holder needs, in one round trip."""
        milliseconds, asked = int(self.lease_seconds * 1000), moment()
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(lease_key(lease.conversation), lease.token, nx=True, get=True, px=milliseconds)
        queries.put(pipeline, query)
        holder, *found = await pipeline.execute()
        if holder is None:
            lease.extend(asked, self.lease_seconds)
        return holder is None or (holder == lease.token and await self._is_renewed(lease)), query.read(found)

    async def _is_renewed(self, lease: Lease) -> bool:
        """Whether a lease is ours that an earlier request took, after which the connection broke."""
        try:
            await self.renew(lease)
        except LeaseLost:
            return False
        return True

    async def renew(self, lease: Lease) -> None:
        """Hold on to it; LeaseLost when it ran out and went to somebody else."""
        milliseconds, asked = int(self.lease_seconds * 1000), moment()
        name = lease_key(lease.conversation)
        if not await answer(self._redis.eval(_RENEW, 1, name, lease.token, str(milliseconds))):
            raise LeaseLost(lease.conversation)
        lease.extend(asked, self.lease_seconds)

    async def commit(self, lease: Lease, write: Callable[[Any], None]) -> None:
        """Do all that `write` puts into a pipeline, or nothing, and only while the lease is held."""
        await self._commit(lease, write, (), None)

    async def commit_and_ask(self, lease: Lease, write: Callable[[Any], None], query: Query[T]) -> T:
        """The same, and what a query then finds. A hash comes as a list: see queries.mapping."""
        _, found = await self._commit(lease, write, query.commands, None)
        return query.read(found)

    async def commit_and_release(self, lease: Lease, write: Callable[[Any], None], seen: float | None) -> bool:
        """The same, and let go where nothing waits; False, and still held, where something does.

        `seen` is the conversation's place in the index when its waiting messages were read: a conversation that was
        listed anew since then stays listed.
        """
        released, _ = await self._commit(lease, write, (), "" if seen is None else repr(seen))
        return released

    async def _commit(
        self, lease: Lease, write: Callable[[Any], None], reads: Sequence[Command], release: str | None
    ) -> tuple[bool, list[Any]]:
        recorded = self._redis.pipeline()
        write(recorded)
        name = lease.conversation
        # Before anything is done: a script that stops in its middle has done its first half for good.
        commands = [one for command, _ in recorded.command_stack for one in narrow([str(part) for part in command])]
        commands += [[str(part) for part in command] for command in reads]
        fixed = (
            *(lease_key(name), tombstones.erased(name), done_key(name)),
            *(waiting_key(name), epoch_key(name), identity.joining(name), OPEN),
        )
        # Every key is declared, as some managed servers demand of a script.
        touched = {part for command in commands for part in command[1:] if part.startswith("recado:")}
        options = [secrets.token_hex(6), str(len(reads)), "" if release is None else "1", name, release or ""]
        arguments = [*options, *(json.dumps(command) for command in commands)]
        _, released, *found = await self.eval_if_held(lease, _COMMIT, [*fixed, *sorted(touched - {*fixed})], arguments)
        return bool(released), found

    async def eval_if_held(self, lease: Lease, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """What a script answers that gives 0 unless the lease (KEYS 1, ARGV 1) is still held; LeaseLost then."""
        found = await answer(self._redis.eval(script, len(keys), *keys, lease.token, *arguments))
        if not found:
            raise LeaseLost(lease.conversation)
        return found

    async def release(self, lease: Lease) -> bool:
        """Let go; False, and still held, when messages wait. LeaseLost when it was another's already."""
        name = lease.conversation
        keys = (lease_key(name), waiting_key(name), epoch_key(name), identity.joining(name))
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zscore(OPEN, name)
        pipeline.eval(_RELEASE, len(keys), *keys, lease.token, str(ledger.KEEP_SECONDS))
        score, left = await pipeline.execute()
        if left == -1:
            raise LeaseLost(name)
        if left == 0 and score is not None:
            await answer(self._redis.eval(_FORGET, 1, OPEN, name, repr(score)))
        return bool(left == 0)

    async def abandon(self, lease: Lease) -> None:
        """Let go at once after a failure, so that the next try needn't wait for the lease to run out."""
        await apart(answer(self._redis.eval(_ABANDON, 1, lease_key(lease.conversation), lease.token)))

    async def free(self, names: list[str]) -> list[str]:
        """Those of these conversations that nobody holds: a job for another would only take a worker's place."""
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.exists(lease_key(name))
        held = await pipeline.execute() if names else []
        return [name for name, taken in zip(names, held, strict=True) if not taken]


@asynccontextmanager
async def held(leases: ConversationLeases, lease: Lease) -> AsyncIterator[None]:
    """Renew a lease that was taken while the block lasts; letting go of it is the block's own business.

    Where it goes to another, or can't be renewed before it runs out, the block is cancelled; raises a group of
    LeaseLost then, and a group of whatever the block raises.
    """
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold(leases, lease, over))
        try:
            yield
        finally:
            # Told, and not cancelled: redis-py loses cancellations (see bot.infra.redis.ended), and then the lease
            # would be renewed for ever, and the conversation never be anybody's again.
            over.set()


async def hold(leases: ConversationLeases, lease: Lease, over: asyncio.Event) -> None:
    """Renew a lease until `over`; raises LeaseLost when it went to another, or can't be renewed before it runs out."""
    while not over.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(leases.lease_seconds / 3):
                await over.wait()
                return
        try:
            await leases.renew(lease)
        except LeaseLost:
            # The block itself may have let go in the meantime.
            if not over.is_set():
                raise
        except (RedisError, OSError) as error:
            _log.warning("lease_not_renewed", error=type(error).__name__)
            if lease.left <= 0:
                raise LeaseLost(lease.conversation) from error


def lease_key(conversation: str) -> str:
    return key(conversation, "lease")


def done_key(conversation: str) -> str:
    """The names of what was committed of late."""
    return key(conversation, "done")


def epoch_key(conversation: str) -> str:
    return key(conversation, "epoch")
