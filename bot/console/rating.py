"""Questions to customers how a conversation went: one after it was closed, and one a day at most."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from redis.asyncio import Redis

from bot.console.history_recorder import HistoryRecorder
from bot.conversations import identity, memory, tombstones
from bot.conversations.memory import HistoryEntry, Memory
from bot.delivery import reply_queue
from bot.delivery.policy import SendPolicy, window_open
from bot.delivery.statuses import DUE
from bot.history import stream
from bot.history.entries import ReplyQueued
from bot.infra.queues import JobScheduler
from bot.infra.redis import answer, key
from bot.messages.language import Language, language_from
from bot.messages.outbound import Reply
from bot.messages.prompt_text import part_text
from bot.messages.rating import rating_question

_ASKED_SECONDS = 24 * 3600

# Puts a question into the outbox, unless one was put within a day. KEYS 1 asked, 2 erased, 3 moved, 4 due, 5 outbox,
# 6 memory, 7 history. ARGV 1 reply, 2 entry of the memory, 3 entry of the history, 4 now, 5 conversation, 6 seconds to
# keep the memory. Gives whether it was put.
_ASK = f"""
local history, noted = KEYS[7], ARGV[3]
if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return 0 end
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', {_ASKED_SECONDS}) then return 0 end
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[5])
redis.call('RPUSH', KEYS[5], ARGV[1])
redis.call('RPUSH', KEYS[6], ARGV[2])
redis.call('EXPIRE', KEYS[6], ARGV[6])
{stream.APPEND_SCRIPT}
return 1
"""


@dataclass(frozen=True, slots=True)
class RatingQuestions:
    """`enabled` is CONSOLE_RATINGS."""

    redis: Redis
    policy: SendPolicy
    memory: Memory
    recorder: HistoryRecorder
    default_language: Language
    enabled: bool

    async def ask(self, conversation: str, scheduler: JobScheduler) -> bool:
        """Ask once, while the 24-hour window is open; whoever wants no news is not asked."""
        contact = await self.policy.contact(conversation)
        now = datetime.now(UTC)
        if not self.enabled or contact.marketing_opt_out or not window_open(contact, now):
            return False
        name = f"r_{secrets.token_hex(12)}"
        part = rating_question(name, language_from(contact.language, self.default_language))
        # An operator who takes the conversation again has more to say than this question.
        reply = Reply(id=name, parts=(part,), if_taken=(), phone=contact.phone, bsuid=contact.bsuid)
        entry = ReplyQueued(id=name, conversation=conversation, at=now, reply=reply)
        remembered = HistoryEntry(role="assistant", text=part_text(part), at=now)
        keys = (
            *(key(conversation, "rating-asked"), tombstones.erased(conversation)),
            *(identity.merged_into_key(conversation), DUE, reply_queue.replies_key(conversation)),
            *(memory.recent_key(conversation), stream.HISTORY),
        )
        arguments = (
            *(reply.model_dump_json(exclude_none=True), remembered.model_dump_json(), stream.packed(entry)),
            *(repr(time.time()), conversation, str(self.memory.ttl_seconds)),
        )
        if not await answer(cast("Any", self.redis.eval(_ASK, len(keys), *keys, *arguments))):
            return False
        await self.recorder.show(entry)
        event = {"type": "message", "conversation": conversation, "author": "system"}
        await self.recorder.events.publish(event | {"message": f"{name}.0", "at": now.isoformat()})
        scheduler.turn(conversation, f"{conversation}-{name}")
        return True
