"""Actions that only a tap confirms: a card asks, and code performs the action once, before any model is asked.

The action is stored under a random token and is valid in its own conversation only. A handler marks the card as begun
before it acts, so that a crash neither repeats the action nor loses it.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.conversations.contacts import Contact
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound, Tap
from bot.messages.language import Language
from bot.messages.outbound import Buttons, Choice, Part
from bot.messages.phrases import phrase
from bot.messages.record import Record

_log = structlog.get_logger()
VALID_SECONDS = 15 * 60
# Stored for longer than it is valid, so that a late or second tap gets the outcome as its answer.
_KEEP_SECONDS = 7 * 24 * 3600
# Cards that may be tapped, by the time (Unix seconds) until which they are valid.
_WAITING = "recado:cards"
_MOST_WAITING = 200
_OURS = re.compile(r"(do|leave)\.([A-Za-z0-9_-]{22})")


class TapResult(Record):
    """Answer to a tap. With `again` the card stays valid, because the outcome is unknown."""

    text: str
    parts: tuple[Part, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class ConfirmedAction:
    """A tapped card: its action as the card showed it, and the person who tapped it.

    `key` identifies the action over all tries. `begun`: an earlier try may have performed the action, so ask for the
    outcome and skip the checks. Call `begin` before the first act.
    """

    conversation: str
    contact: Contact
    language: Language
    action: dict[str, Any]
    key: str
    begun: bool
    begin: Callable[[], Awaitable[None]]


Handler = Callable[[ConfirmedAction], Awaitable[TapResult]]


@dataclass(frozen=True, slots=True)
class ConfirmationCards:
    redis: Redis
    valid_seconds: float = VALID_SECONDS

    async def ask(
        self, conversation: str, kind: str, action: dict[str, Any], body: str, labels: tuple[str, str]
    ) -> Buttons:
        """Make a card: its first button confirms an action of this kind, its last one cancels it."""
        token = secrets.token_urlsafe(16)
        until = str(time.time() + self.valid_seconds)
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.hset(_card(conversation, token), mapping={"kind": kind, "action": json.dumps(action), "until": until})
        pipeline.expire(_card(conversation, token), _KEEP_SECONDS)
        pipeline.zremrangebyscore(_WAITING, "-inf", time.time())
        pipeline.zadd(_WAITING, {f"{conversation} {token}": until})
        pipeline.expire(_WAITING, _KEEP_SECONDS)
        await pipeline.execute()
        choices = tuple(
            Choice(id=f"{verb}.{token}", title=title) for verb, title in zip(("do", "leave"), labels, strict=True)
        )
        return Buttons(body=body, choices=choices)


@dataclass(frozen=True, slots=True)
class TapResults:
    """Answers to the taps of a turn; `messages` are the ids of the taps on our cards.

    `details` has the action of each, for pages that show the turn.
    """

    text: str = ""
    parts: tuple[Part, ...] = ()
    messages: frozenset[str] = frozenset()
    details: tuple[dict[str, Any], ...] = ()


class Confirmations:
    """`handlers` perform actions, by the kind of their card; `declined` handle a cancelled card, where a kind needs it.

    The caller holds the conversation's lease.
    """

    def __init__(
        self,
        redis: Redis,
        handlers: Mapping[str, Handler],
        valid_seconds: float = VALID_SECONDS,
        declined: Mapping[str, Handler] | None = None,
    ) -> None:
        self._redis = redis
        self._handlers = handlers
        self._declined = declined or {}
        self._valid_seconds = valid_seconds

    async def handle_taps(
        self, conversation: str, messages: list[Inbound], contact: Contact, language: Language
    ) -> TapResults:
        """Perform the taps among these messages. The same messages give the same answer again."""
        taps = {message.id: found for message in messages if (found := _tapped(message))}
        results = [
            await self._tap(conversation, message, taps[message.id], (contact, language))
            for message in messages
            if message.id in taps
        ]
        text = "\n\n".join(dict.fromkeys(result.text for result in results))
        details = [await self._detail(conversation, wamid, *tap) for wamid, tap in taps.items()]
        return TapResults(
            text, tuple(part for result in results for part in result.parts), frozenset(taps), tuple(details)
        )

    async def _detail(self, conversation: str, wamid: str, verb: str, token: str) -> dict[str, Any]:
        """The tapped card as it is now; a card that expired has no action."""
        card: dict[str, str] = await answer(self._redis.hgetall(_card(conversation, token)))
        action = json.loads(card["action"]) if "action" in card else {}
        shown = {"message": wamid, "verb": verb, "kind": card.get("kind"), "action": action}
        return shown | {"key": f"recado-{token}", "begun": "begun" in card, "settled": "answer" in card}

    async def _tap(
        self, conversation: str, message: Inbound, tapped: tuple[str, str], who: tuple[Contact, Language]
    ) -> TapResult:
        verb, token = tapped
        contact, language = who
        name = _card(conversation, token)
        card: dict[str, str] = await answer(self._redis.hgetall(name))
        mine = card.get("tapped") == message.id
        if "answer" in card:
            before = TapResult.model_validate_json(card["answer"])
            return before if mine else TapResult(text=phrase("tapped_before", language).format(answer=before.text))
        if not card or (not mine and message.received_at.timestamp() > float(card["until"])):
            return TapResult(text=phrase("card_expired", language))
        await answer(self._redis.hset(name, "tapped", message.id))
        act = (self._declined if verb == "leave" else self._handlers).get(card["kind"])
        if verb == "leave" and "begun" in card:
            # Because a begun action may be done, we do not call it cancelled.
            result = TapResult(text=phrase("card_unsure", language))
        elif act is None:
            result = TapResult(text=phrase("card_left" if verb == "leave" else "card_expired", language))
        else:
            confirmed = ConfirmedAction(
                conversation=conversation,
                contact=contact,
                language=language,
                action=json.loads(card["action"]),
                key=f"recado-{token}",
                begun="begun" in card,
                begin=lambda: self._begin(name),
            )
            result = await act(confirmed)
        await self._keep(name, result)
        _log.info("card_settled", kind=card["kind"], verb=verb, again=result.again)
        return result

    async def _begin(self, name: str) -> None:
        await answer(self._redis.hset(name, "begun", "1"))

    async def _keep(self, name: str, result: TapResult) -> None:
        pipeline = self._redis.pipeline(transaction=True)
        if result.again:
            pipeline.hdel(name, "tapped")
            pipeline.hset(name, "until", str(time.time() + self._valid_seconds))
        else:
            pipeline.hset(name, "answer", result.model_dump_json())
        await pipeline.execute()


@dataclass(frozen=True, slots=True)
class WaitingCard:
    """A card that nobody has tapped."""

    conversation: str
    kind: str
    action: dict[str, Any]
    until: float


async def waiting_cards(redis: Redis) -> list[WaitingCard]:
    """Cards that are valid and not tapped, the newest first."""
    names: list[str] = await redis.zrevrangebyscore(_WAITING, "+inf", time.time(), start=0, num=_MOST_WAITING)
    places = [tuple(name.split(" ", 1)) for name in names]
    pipeline = redis.pipeline(transaction=False)
    for conversation, token in places:
        pipeline.hgetall(_card(conversation, token))
    cards: list[dict[str, str]] = await pipeline.execute() if places else []
    return [
        WaitingCard(conversation, card["kind"], json.loads(card["action"]), float(card["until"]))
        for (conversation, _), card in zip(places, cards, strict=True)
        if "action" in card and "tapped" not in card and "answer" not in card
    ]


def is_tap(message: Inbound) -> bool:
    """Whether a message taps one of our cards: code handles it, even while a colleague has the conversation."""
    return _tapped(message) is not None


def _tapped(message: Inbound) -> tuple[str, str] | None:
    """The verb and the token of a tap on one of our cards. A text that looks like one is a text."""
    content = message.content
    found = _OURS.fullmatch(content.id) if isinstance(content, Tap) and not message.forwarded else None
    return (found[1], found[2]) if found else None


def _card(conversation: str, token: str) -> str:
    return key(conversation, "card", token)
