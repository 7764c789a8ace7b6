"""Handlers of Meta's webhook fields that carry no messages.

They change records, so we store the change before Meta gets its 200. Nothing here calls Meta or a model.
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
# Without a date, a repetition can't be distinguished from the same event later.
_UNDATED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class EventContext:
    """Parts that these notifications can change."""

    redis: Redis
    inbox: Inbox
    contacts: Contacts
    events: LiveEvents
    alerts: Alerts
    template_statuses: TemplateStatusHandler


EventHandler = Callable[[AccountChange, EventContext], Awaitable[None]]


async def handle_event(change: AccountChange, context: EventContext) -> None:
    """Act on one notification. A repetition changes nothing; after a failure it can be acted on again."""
    act = FIELDS.get(change.field)
    if act is None:
        WEBHOOK_UNKNOWN.labels(change.field[:40]).inc()
        return
    known = f"recado:change:{change.digest}"
    if change.dated and await context.redis.exists(known):
        return
    await act(change, context)
    WEBHOOK_FIELDS.labels(change.field).inc()
    if change.dated:
        await context.redis.set(known, "1", ex=_KNOWN_SECONDS)


async def _choose_marketing(change: AccountChange, context: EventContext) -> None:
    for choice in preferences(change.value, change.received_at):
        conversation = await identity.conversation_for(context.redis, choice.phone, choice.bsuid)
        await context.contacts.choose_marketing(conversation, wanted=choice.wanted, at=choice.at)


async def _replace_bsuids(change: AccountChange, context: EventContext) -> None:
    for update in new_bsuids(change.value):
        conversation = await identity.renamed(context.redis, update.previous, update.current, update.phone)
        if conversation is not None:
            await context.inbox.look_at(conversation)


async def _handover(change: AccountChange, context: EventContext) -> None:
    moved = handover(change.value)
    conversation = await identity.find(context.redis, moved.phone, moved.bsuid)
    _log.info(moved.move or "control_moved", conversation=conversation, to=moved.to)
    event = {"type": "handover", "conversation": conversation, "to": moved.to, "move": moved.move or "unknown"}
    await context.events.publish(event)


async def _alert(change: AccountChange, context: EventContext) -> None:
    alarms = account_alerts.alarms_of(change.field, change.value)
    if not alarms:
        _log.info("good_news", field=change.field)
    for number, alarm in enumerate(alarms):
        again_after = _KNOWN_SECONDS if change.dated else _UNDATED_SECONDS
        await context.alerts.sound(alarm, f"{change.digest}.{number}", again_after=again_after)


async def _template(change: AccountChange, context: EventContext) -> None:
    await context.template_statuses.handlers[change.field](change.value)


async def _ignore(change: AccountChange, context: EventContext) -> None:
    """Only count the field, because old chats are no questions and address books are not ours."""


FIELDS: dict[str, EventHandler] = {
    "user_preferences": _choose_marketing,
    "user_id_update": _replace_bsuids,
    "messaging_handovers": _handover,
    "history": _ignore,
    "smb_app_state_sync": _ignore,
    "business_username_update": _ignore,
    **dict.fromkeys(account_alerts.FIELDS, _alert),
    **dict.fromkeys(TEMPLATE_FIELDS, _template),
}
