"""Messages whose turn failed for good, as operators see them, and their retry or drop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.conversations.contacts import Contacts
from bot.conversations.dead_letters import DeadLetter, DeadLetters
from bot.conversations.events import person
from bot.infra.logs import without_identities
from bot.infra.queues import JobScheduler
from bot.messages.prompt_text import typed_text

_MOST = 200
_LONGEST_TEXT = 500
# Beginnings of reasons, and their codes.
_CODES = {
    "no model answered": "no_model",
    "the model called tools without end": "tools_without_end",
    "the prompt can't be rendered": "prompt",
    "its journal can't be read": "journal",
    "gave up after": "gave_up",
    "the day's budget is spent": "budget",
}


@dataclass(frozen=True, slots=True)
class FailedMessages:
    letters: DeadLetters
    contacts: Contacts

    async def listed(self) -> list[dict[str, Any]]:
        """Conversations with failed messages, the newest first: an item each, known by the conversation."""
        found = list((await self.letters.all()).items())[:_MOST]
        return [await self._shown(conversation, entries) for conversation, entries in found]

    async def retry(self, conversation: str, scheduler: JobScheduler) -> int:
        """Let a turn try the messages again; gives how many. Raises Acted if a tool had acted."""
        home = await self.letters.carry(conversation)
        count = await self.letters.retry(home)
        if count:
            scheduler.turn(home, f"{home}-retry-{count}")
        return count

    async def drop(self, conversation: str) -> int:
        """Forget the messages; gives how many."""
        return await self.letters.drop(await self.letters.carry(conversation))

    async def _shown(self, conversation: str, entries: list[DeadLetter]) -> dict[str, Any]:
        newest = entries[-1]
        messages = [
            {"kind": message.content.kind, "text": typed_text(message)[:_LONGEST_TEXT] or None}
            for entry in entries
            for message in entry.messages
        ]
        return {
            "id": conversation,
            "conversation": conversation,
            "contact": person(await self.contacts.get(conversation)),
            "at": newest.at.isoformat(),
            "code": _code_of(newest.reason),
            "reason": without_identities(newest.reason),
            "acted": sorted({name for entry in entries for name in entry.acted}),
            "messages": messages,
        }


def _code_of(reason: str) -> str | None:
    """The code of a known reason, which a page translates; None for any other reason."""
    bare = reason.removeprefix("failed: ")
    return next((code for beginning, code in _CODES.items() if bare.startswith(beginning)), None)
