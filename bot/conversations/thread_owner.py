"""Owner of a person's thread where Meta routes it between apps: us, another app, or nobody.

Meta has no call that asks for the owner, so that its webhooks, its refusals and our own calls tell it. Without
routing nothing is stored, and the thread is ours (docs/whatsapp.md, Conversation Routing).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from redis.asyncio import Redis

from bot.infra.redis import answer, key

Owner = Literal["us", "other", "nobody"]

US: Owner = "us"
OTHER: Owner = "other"
# Without a word of the person for so long, the thread has no owner.
IDLE = timedelta(hours=24)

# Stores an owner unless a later one is known, because webhooks come late and in any order. Meta's times have whole
# seconds and those of our own calls fractions, so that within a second the one that comes last counts.
# KEYS 1 thread. ARGV 1 owner, 2 role, 3 since, 4 end of the record.
_CHANGE = """
local known = redis.call('HGET', KEYS[1], 'since')
if known and math.floor(tonumber(known)) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'role', ARGV[2], 'since', ARGV[3])
redis.call('EXPIREAT', KEYS[1], ARGV[4])
return 1
"""

# A message of the person tells the owner too: the owner gets it, and all others get a copy on standby. Part of a
# script with `thread`, `thread_owner` ('us', 'other' or nothing), `sent_at` and `thread_until`.
MESSAGE_SCRIPT = """
    if thread_owner ~= '' then
      local since = redis.call('HGET', thread, 'since')
      local later = not since or tonumber(sent_at) > tonumber(since)
      if thread_owner == 'us' and since and (later or tonumber(sent_at) == tonumber(since)) then
        redis.call('HSET', thread, 'owner', 'us', 'role', '', 'since', sent_at)
        redis.call('EXPIREAT', thread, thread_until)
      elseif thread_owner == 'other' and later then
        redis.call('HSET', thread, 'owner', 'other', 'since', sent_at)
        redis.call('EXPIREAT', thread, thread_until)
      end
    end
"""


@dataclass(frozen=True, slots=True)
class ThreadOwner:
    """`role` is Meta's name for the owner's part, such as `escalation`; empty where nobody told it."""

    owner: Owner
    role: str
    since: datetime


async def change(redis: Redis, conversation: str, owner: Owner, role: str, since: datetime) -> bool:
    """Store the owner; False if a later one is known, or if the thread is idle by now."""
    until = since + IDLE
    if until <= datetime.now(UTC):
        return False
    arguments = (owner, role, str(since.timestamp()), str(int(until.timestamp())))
    return bool(await answer(redis.eval(_CHANGE, 1, thread_key(conversation), *arguments)))


async def owner_of(redis: Redis, conversation: str) -> ThreadOwner | None:
    """The owner; None without routing, and after a day without a word of the person."""
    found: dict[str, str] = await answer(redis.hgetall(thread_key(conversation)))
    owner: Owner | None = _owner(found.get("owner"))
    if owner is None:
        return None
    return ThreadOwner(owner, found.get("role", ""), datetime.fromtimestamp(float(found["since"]), UTC))


def command(conversation: str) -> tuple[str, ...]:
    """Command whose answer `is_elsewhere` reads."""
    return ("HGET", thread_key(conversation), "owner")


def is_elsewhere(found: Any) -> bool:
    """Whether the thread is not ours, so that Meta would refuse our words."""
    return _owner(found) in ("other", "nobody")


def thread_key(conversation: str) -> str:
    return key(conversation, "thread")


def _owner(found: Any) -> Owner | None:
    match found:
        case "us" | "other" | "nobody":
            return found  # type: ignore[no-any-return] # mypy narrows no Any by literals
        case _:
            return None
