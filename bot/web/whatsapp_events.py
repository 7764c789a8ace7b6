"""What becomes of Meta's notifications that are no messages: a table from the field to who minds it.

They change records, so they are stored before Meta gets its 200, as messages are; nothing here calls Meta or a model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot.conversations import identity
from bot.conversations.contacts import Contacts
from bot.conversations.inbox import Inbox
from bot.infra.alerts import Alerts
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import WEBHOOK_FIELDS, WEBHOOK_UNKNOWN
from bot.whatsapp import account_alerts
from bot.whatsapp.account_updates import handover, new_bsuids, preferences
from bot.whatsapp.payload import AccountChange
from bot.whatsapp.templates.status_events import TEMPLATE_FIELDS, TemplateStatusHandler

_log = structlog.get_logger()
# Longer than Meta's 7 days of repetition.
_KNOWN_SECONDS = 30 * 24 * 3600
# News without a date can't be told from the same news later.
_UNDATED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class EventContext:
    """What these notifications can change."""

    redis: Redis
    inbox: Inbox
    contacts: Contacts
    events: LiveEvents
    alerts: Alerts
    news: TemplateStatusHandler


Mind = Callable[[AccountChange, EventContext], Awaitable[None]]


async def mind(change: AccountChange, reach: EventContext) -> None:
    """Act on one notification. Delivered again, it changes nothing; after a failure it can be acted on again."""
    act = FIELDS.get(change.field)
    if act is None:
        WEBHOOK_UNKNOWN.labels(change.field[:40]).inc()
        return
    known = f"recado:change:{change.digest}"
    if change.dated and await reach.redis.exists(known):
        return
    await act(change, reach)
    WEBHOOK_FIELDS.labels(change.field).inc()
    if change.dated:
        await reach.redis.set(known, "1", ex=_KNOWN_SECONDS)


async def _preferences(change: AccountChange, reach: EventContext) -> None:
    for choice in preferences(change.value, change.received_at):
        conversation = await identity.conversation_for(reach.redis, choice.phone, choice.bsuid)
        await reach.contacts.choose_marketing(conversation, wanted=choice.wanted, at=choice.at)


async def _new_bsuids(change: AccountChange, reach: EventContext) -> None:
    for news in new_bsuids(change.value):
        home = await identity.renamed(reach.redis, news.previous, news.current, news.phone)
        if home is not None:
            await reach.inbox.look_at(home)


async def _handover(change: AccountChange, reach: EventContext) -> None:
    news = handover(change.value)
    conversation = await identity.find(reach.redis, news.phone, news.bsuid)
    _log.info(news.move or "control_moved", conversation=conversation, to=news.to)
    told = {"type": "handover", "conversation": conversation, "to": news.to, "move": news.move or "unknown"}
    await reach.events.publish(told)


async def _alarm(change: AccountChange, reach: EventContext) -> None:
    told = account_alerts.alarms_of(change.field, change.value)
    if not told:
        _log.info("good_news", field=change.field)
    for number, alarm in enumerate(told):
        again_after = _KNOWN_SECONDS if change.dated else _UNDATED_SECONDS
        await reach.alerts.sound(alarm, f"{change.digest}.{number}", again_after=again_after)


async def _template(change: AccountChange, reach: EventContext) -> None:
    await reach.news.handlers[change.field](change.value)


async def _count(change: AccountChange, reach: EventContext) -> None:
    """Nothing to do but to be counted: old chats are no questions, and address books are not ours."""


FIELDS: dict[str, Mind] = {
    "user_preferences": _preferences,
    "user_id_update": _new_bsuids,
    "messaging_handovers": _handover,
    "history": _count,
    "smb_app_state_sync": _count,
    "business_username_update": _count,
    **dict.fromkeys(account_alerts.FIELDS, _alarm),
    **dict.fromkeys(TEMPLATE_FIELDS, _template),
}
