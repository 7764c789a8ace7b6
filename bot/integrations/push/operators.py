"""Notifications to operators' phones: somebody waits for a person. They name nobody, because phones lie about."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field

from redis.asyncio import Redis

from bot.conversations.assignment import Assignments, CallForPerson
from bot.database.lazy import LazyDatabase
from bot.infra import queues
from bot.infra.logs import masked
from bot.infra.redis import answer
from bot.integrations.push.subscriptions import PushSubscription, PushSubscriptions
from bot.messages.language import Language, language_from

# Operators who have a browser, with its language; whoever is no operator any more gets nothing all the same.
_AUDIENCES = "recado:push:operators"
_AUDIENCE = re.compile(r"o_[0-9a-f]{20}")
# Older calls were announced, or nobody had a phone then.
_NEWS_SECONDS = 3600.0
_MOST_REMEMBERED = 10_000
_WORDS: dict[Language, tuple[str, str]] = {
    "es": ("Alguien espera a una persona", "Toca para ver la conversación."),
    "en": ("Somebody waits for a person", "Tap to see the conversation."),
}


def audience_of(email: str) -> str:
    """The name under which an operator's browsers are kept."""
    return f"o_{hashlib.sha256(email.casefold().encode()).hexdigest()[:20]}"


def is_audience(name: str) -> bool:
    return _AUDIENCE.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class OperatorBrowsers:
    redis: Redis

    async def add(self, email: str, language: Language, subscription: PushSubscription) -> bool:
        """Keep a browser; False after too many changes within an hour."""
        audience, browsers = audience_of(email), PushSubscriptions(self.redis)
        if not await browsers.count_change(audience):
            return False
        await browsers.add(audience, subscription)
        await answer(self.redis.hset(_AUDIENCES, audience, language))
        return True

    async def remove(self, email: str, subscription: PushSubscription) -> None:
        audience, browsers = audience_of(email), PushSubscriptions(self.redis)
        await browsers.remove(audience, subscription)
        if not await browsers.of(audience):
            await answer(self.redis.hdel(_AUDIENCES, audience))

    async def audiences(self) -> dict[str, str]:
        """Languages of the operators who have a browser."""
        found: dict[str, str] = await answer(self.redis.hgetall(_AUDIENCES))
        return found


@dataclass(frozen=True, slots=True)
class OperatorAlarm:
    """`address` is the console's, as phones reach it."""

    redis: Redis
    assignments: Assignments
    database: LazyDatabase
    address: str
    default_language: Language
    _done: set[str] = field(default_factory=set)

    async def look(self) -> None:
        """Announce those who ask for a person and whom nobody has taken, once to each operator."""
        since = time.time() - _NEWS_SECONDS
        waiting = [call for call in await self.assignments.waiting_since(0) if call.at > since]
        news = [call for call in waiting if _name(call) not in self._done]
        if not news or not (audiences := await OperatorBrowsers(self.redis).audiences()):
            return
        known = await self._operators()
        for call in news:
            if await self.assignments.of(call.conversation) is None:
                for audience in known.intersection(audiences):
                    await self._announce(call, audience, language_from(audiences[audience], self.default_language))
            self._note(call)

    async def _announce(self, asked: CallForPerson, audience: str, language: Language) -> None:
        title, body = _WORDS[language]
        # The page's own service worker leads from there to the conversation; an address of a job has no `#`.
        url = f"{self.address}/console/?c={asked.conversation}"
        data = {"contact": audience, "title": title, "body": body, "url": url}
        # The same job for every worker that looks.
        await queues.add(self.redis, "notification", "push", data, f"waits-{masked(_name(asked))}-{audience}")

    async def _operators(self) -> set[str]:
        """Audiences of those who may log in."""
        from bot.people.operators import Operators  # noqa: PLC0415 - the database's libraries are loaded late
        from bot.people.passwords import Passwords  # noqa: PLC0415 - as above

        found = await Operators(await self.database(), Passwords()).all()
        return {audience_of(operator.email) for operator in found if not operator.disabled}

    def _note(self, call: CallForPerson) -> None:
        if len(self._done) > _MOST_REMEMBERED:
            self._done.clear()
        self._done.add(_name(call))


def _name(call: CallForPerson) -> str:
    return f"{call.conversation} {call.at!r}"
