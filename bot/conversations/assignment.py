"""Assignment of a conversation to an operator, at which the assistant's words stop: also those on their way to Meta.

A message of the assistant leaves only with a permit, which the holder of the lease gets right before the request.
Giving a permit and taking a conversation are single steps of Redis, so that one precedes the other. If the permit came
first, the taker waits for the one message that has it; else there is no permit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from redis.asyncio import Redis

from bot.conversations import identity, tombstones
from bot.infra.redis import answer, key

# Conversations whose person asked for an operator, by the time (Unix seconds) of the call.
_ASKED = "recado:asked"
# Those of them who were told that nobody has come yet.
_ASKED_AND_TOLD = "recado:asked:told"
# Longer than a request to Meta takes: without its lease, a permit means nothing.
_PERMIT_SECONDS = 120
# No longer than the page waits for the answer.
_LONGEST_WAIT_SECONDS = 15.0
_POLL_SECONDS = 0.02
_AT_ONCE = 100

# KEYS 1 assignment, 2 contact, 3 asked, 4 erased, 5 moved, 6 asked and told.
# ARGV 1 operator, 2 name, 3 now, 4 conversation, 5 "1" to take it from whoever has it, 6 seconds to keep it, 7 the
# operator from whom it may be taken, or nothing. Gives -1 without such a conversation, 0 with the holder where a
# colleague has it, else 1.
_TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('EXISTS', KEYS[4], KEYS[5]) > 0 then return {-1, ''} end
local holder, name = unpack(redis.call('HMGET', KEYS[1], 'operator', 'name'))
if holder and holder ~= ARGV[1] then
  if ARGV[5] ~= '1' and holder ~= ARGV[7] then return {0, name} end
  redis.call('DEL', KEYS[1])
end
redis.call('HSETNX', KEYS[1], 'since', ARGV[3])
redis.call('HSET', KEYS[1], 'operator', ARGV[1], 'name', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('HSET', KEYS[2], 'quiet', '1')
redis.call('ZREM', KEYS[3], ARGV[4])
redis.call('ZREM', KEYS[6], ARGV[4])
return {1, ''}
"""

# Ends an assignment. KEYS 1 assignment, 2 asked, 3 asked and told.
# ARGV 1 conversation, 2 the operator who must have it, or nothing.
_END = """
local holder, name = unpack(redis.call('HMGET', KEYS[1], 'operator', 'name'))
if ARGV[2] ~= '' and holder and holder ~= ARGV[2] then return {0, name} end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return {1, ''}
"""

# KEYS 1 assignment, 2 permit, 3 pause by a colleague. ARGV 1 token of the lease.
PERMIT = f"""
if redis.call('EXISTS', KEYS[1], KEYS[3]) > 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EX', {_PERMIT_SECONDS})
return 1
"""

# KEYS 1 asked, 2 asked and told. ARGV 1 conversation, 2 the time of its call.
_TOLD = """
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[2], 'NX', ARGV[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
"""

# Whether the holder of the lease may be sending. KEYS 1 permit, 2 lease.
_IS_SENDING = """
local permit = redis.call('GET', KEYS[1])
return permit and permit == redis.call('GET', KEYS[2]) and 1 or 0
"""


class ConversationTaken(Exception):
    """An operator has the conversation, or a colleague writes in it: the assistant says nothing more."""


class ColleagueHasIt(Exception):
    """A colleague of this name has the conversation."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NoConversation(Exception):
    """The conversation isn't known, has joined another, or is being erased."""


class StillSending(Exception):
    """A message of the assistant is on its way for too long; the conversation is taken all the same."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The operator who has a conversation, and since when."""

    operator: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class CallForPerson:
    """A conversation whose person asked for an operator, at this time (Unix seconds)."""

    conversation: str
    at: float


@dataclass(frozen=True, slots=True)
class Assignments:
    redis: Redis

    async def of(self, conversation: str) -> Assignment | None:
        raw: dict[str, str] = await answer(self.redis.hgetall(assignment_key(conversation)))
        if "operator" not in raw:
            return None
        return Assignment(raw["operator"], raw["name"], datetime.fromtimestamp(float(raw["since"]), UTC))

    async def take(  # noqa: PLR0913 - whose it is, whose it becomes, and from whom
        self, conversation: str, operator: str, name: str, *, lease: str, force: bool = False, given_by: str = ""
    ) -> None:
        """Assign a conversation to an operator; after it no word of the assistant leaves.

        `lease` is the key of the conversation's lease; `given_by` may have the conversation until now. Raises
        NoConversation, ColleagueHasIt unless `force`, and StillSending where the assistant's last message takes too
        long.
        """
        names = (
            *(assignment_key(conversation), identity.contact_key(conversation), _ASKED),
            *(tombstones.erased(conversation), identity.merged_into_key(conversation), _ASKED_AND_TOLD),
        )
        forced, keep = "1" if force else "", str(identity.KEEP_SECONDS)
        arguments = (operator, name, repr(time.time()), conversation, forced, keep, given_by)
        found: list[Any] = await answer(cast("Any", self.redis.eval(_TAKE, len(names), *names, *arguments)))
        outcome, holder = found
        if outcome == -1:
            raise NoConversation
        if outcome == 0:
            raise ColleagueHasIt(str(holder))
        await self._wait_for_message(conversation, lease)

    async def end(self, conversation: str, *, holder: str | None = None) -> None:
        """End an assignment, that of `holder` alone where one is named; raises ColleagueHasIt."""
        names = (assignment_key(conversation), _ASKED, _ASKED_AND_TOLD)
        found: list[Any] = await answer(cast("Any", self.redis.eval(_END, 3, *names, conversation, holder or "")))
        ended, name = found
        if not ended:
            raise ColleagueHasIt(str(name))

    async def waiting_since(self, seconds: float) -> list[CallForPerson]:
        """Conversations whose person asked so long ago and was not told yet, the longest wait first."""
        return await self._calls(_ASKED, seconds)

    async def unanswered(self, seconds: float) -> list[CallForPerson]:
        """Conversations whose person asked so long ago, told or not, the longest wait first."""
        calls = [*await self._calls(_ASKED_AND_TOLD, seconds), *await self._calls(_ASKED, seconds)]
        # Somebody who asked anew has waited since the first time.
        first = {call.conversation: call for call in reversed(calls)}
        return sorted(first.values(), key=lambda call: call.at)

    async def _calls(self, name: str, seconds: float) -> list[CallForPerson]:
        found: list[tuple[str, float]] = await self.redis.zrangebyscore(
            name, "-inf", time.time() - seconds, start=0, num=_AT_ONCE, withscores=True
        )
        return [CallForPerson(conversation, at) for conversation, at in found]

    async def told(self, asked: CallForPerson) -> bool:
        """Note that the person was told; False if they were before, or asked anew."""
        return bool(
            await answer(self.redis.eval(_TOLD, 2, _ASKED, _ASKED_AND_TOLD, asked.conversation, repr(asked.at)))
        )

    async def until_taken(self, conversation: str, every_seconds: float) -> None:
        """Wait until an operator has the conversation."""
        while True:
            await asyncio.sleep(every_seconds)
            if await answer(self.redis.exists(assignment_key(conversation))):
                return

    async def _wait_for_message(self, conversation: str, lease: str) -> None:
        until = time.monotonic() + _LONGEST_WAIT_SECONDS
        while await answer(self.redis.eval(_IS_SENDING, 2, permit_key(conversation), lease)):
            if time.monotonic() > until:
                raise StillSending
            await asyncio.sleep(_POLL_SECONDS)


def put_asked(pipeline: Any, conversation: str, *, asked: bool) -> None:
    """Note within a transaction that the person asked for an operator, or doesn't any more; the first call counts."""
    if asked:
        pipeline.zadd(_ASKED, {conversation: time.time()}, nx=True)
    else:
        pipeline.zrem(_ASKED, conversation)
        pipeline.zrem(_ASKED_AND_TOLD, conversation)


def put_end(pipeline: Any, conversation: str) -> None:
    """End an assignment within a transaction."""
    pipeline.delete(assignment_key(conversation))


def put_permit(pipeline: Any, conversation: str, lease_token: str) -> None:
    """Ask for the permit to send one message of the assistant; the answer is 1 or 0."""
    pipeline.eval(PERMIT, 3, *_permit_keys(conversation), lease_token)


async def permit(redis: Redis, conversation: str, lease_token: str) -> bool:
    """Get the permit to send one message of the assistant."""
    return bool(await answer(redis.eval(PERMIT, 3, *_permit_keys(conversation), lease_token)))


def _permit_keys(conversation: str) -> tuple[str, str, str]:
    return assignment_key(conversation), permit_key(conversation), colleague_key(conversation)


def command(conversation: str) -> tuple[str, ...]:
    """Command whose answer is 1 while an operator has the conversation."""
    return ("EXISTS", assignment_key(conversation))


def adopt(pipeline: Any, conversation: str, mine: dict[str, str], theirs: dict[str, str]) -> None:
    """Keep the operator of a conversation that joins, where this one has none."""
    if theirs and not mine:
        pipeline.hset(assignment_key(conversation), mapping=theirs)
        pipeline.expire(assignment_key(conversation), identity.KEEP_SECONDS)


async def raw_of(redis: Redis, conversations: Sequence[str]) -> list[dict[str, str]]:
    """The stored assignments of these conversations; empty ones where nobody has them."""
    pipeline = redis.pipeline(transaction=False)
    for conversation in conversations:
        pipeline.hgetall(assignment_key(conversation))
    found: list[dict[str, str]] = await pipeline.execute()
    return found


def assignment_key(conversation: str) -> str:
    return key(conversation, "assigned")


def colleague_key(conversation: str) -> str:
    """Key of the pause after a colleague wrote from the business's app; bot.conversations.contacts sets it."""
    return key(conversation, "colleague")


def permit_key(conversation: str) -> str:
    """Key of the token of the lease whose holder may be sending a message of the assistant."""
    return key(conversation, "permit")
