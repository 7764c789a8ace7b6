"""What only a tap may do: a card that asks for it, and the tap that does it in code, once, before any model is asked.

A card's action is kept for its conversation under a token that nobody can guess; who else learns the token can't use
it elsewhere. Whoever performs it journals in between, so that a crash neither does it twice nor forgets it.
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
from bot.messages.inbound import Buttons, Choice, Inbound, Part, Record, Tap
from bot.messages.language import Language
from bot.messages.phrases import phrase

_log = structlog.get_logger()
VALID_SECONDS = 15 * 60
# Known for longer, so that a late or second tap is told what became of the card.
_KEEP_SECONDS = 7 * 24 * 3600
_OURS = re.compile(r"(do|leave)\.([A-Za-z0-9_-]{22})")


class TapResult(Record):
    """What the person is told after a tap; with `again` the card stays good, because it is not known to be done."""

    text: str
    parts: tuple[Part, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class ConfirmedAction:
    """A tapped card: its action as the card showed it, and whose tap it was.

    `key` is the same for every try of this action and for no other. `begun` says that an earlier try may have done
    it already: then it is only asked for again, not checked anew. Call `begin` before the first act.
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
        """A card whose first button does the action of this kind and whose last leaves it (contract.md)."""
        token = secrets.token_urlsafe(16)
        until = str(time.time() + self.valid_seconds)
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.hset(_card(conversation, token), mapping={"kind": kind, "action": json.dumps(action), "until": until})
        pipeline.expire(_card(conversation, token), _KEEP_SECONDS)
        await pipeline.execute()
        choices = tuple(
            Choice(id=f"{verb}.{token}", title=title) for verb, title in zip(("do", "leave"), labels, strict=True)
        )
        return Buttons(body=body, choices=choices)


@dataclass(frozen=True, slots=True)
class TapResults:
    """What the taps of a turn came to; `messages` are those that were taps on a card of ours.

    `details` has the action of each, for those who look on.
    """

    text: str = ""
    parts: tuple[Part, ...] = ()
    messages: frozenset[str] = frozenset()
    details: tuple[dict[str, Any], ...] = ()


class Confirmations:
    """`handlers` do the actions, by the kind of their card; `left` hear that one was left, where somebody has to.

    The conversation's lease has to be held.
    """

    def __init__(
        self,
        redis: Redis,
        handlers: Mapping[str, Handler],
        valid_seconds: float = VALID_SECONDS,
        left: Mapping[str, Handler] | None = None,
    ) -> None:
        self._redis = redis
        self._handlers = handlers
        self._left = left or {}
        self._valid_seconds = valid_seconds

    async def settle(
        self, conversation: str, messages: list[Inbound], contact: Contact, language: Language
    ) -> TapResults:
        """Do what the taps among these messages ask for. Again for the same messages, it is the same answer."""
        taps = {one.id: found for one in messages if (found := _tapped(one))}
        settled = [
            await self._tap(conversation, one, taps[one.id], (contact, language)) for one in messages if one.id in taps
        ]
        text = "\n\n".join(dict.fromkeys(one.text for one in settled))
        details = [await self._detail(conversation, wamid, *tap) for wamid, tap in taps.items()]
        return TapResults(text, tuple(part for one in settled for part in one.parts), frozenset(taps), tuple(details))

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
        act = (self._left if verb == "leave" else self._handlers).get(card["kind"])
        if verb == "leave" and "begun" in card:
            # What was begun may be done: nobody may say that it is left.
            settled = TapResult(text=phrase("card_unsure", language))
        elif act is None:
            settled = TapResult(text=phrase("card_left" if verb == "leave" else "card_expired", language))
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
            settled = await act(confirmed)
        await self._keep(name, settled)
        _log.info("card_settled", kind=card["kind"], verb=verb, again=settled.again)
        return settled

    async def _begin(self, name: str) -> None:
        await answer(self._redis.hset(name, "begun", "1"))

    async def _keep(self, name: str, settled: TapResult) -> None:
        pipeline = self._redis.pipeline(transaction=True)
        if settled.again:
            pipeline.hdel(name, "tapped")
            pipeline.hset(name, "until", str(time.time() + self._valid_seconds))
        else:
            pipeline.hset(name, "answer", settled.model_dump_json())
        await pipeline.execute()


def is_tap(message: Inbound) -> bool:
    """Whether a message is a tap on a card of ours, which code settles whoever has the conversation."""
    return _tapped(message) is not None


def _tapped(message: Inbound) -> tuple[str, str] | None:
    """The verb and the token of a tap on one of our cards. A text that looks like one is a text."""
    content = message.content
    found = _OURS.fullmatch(content.id) if isinstance(content, Tap) and not message.forwarded else None
    return (found[1], found[2]) if found else None


def _card(conversation: str, token: str) -> str:
    return key(conversation, "card", token)
