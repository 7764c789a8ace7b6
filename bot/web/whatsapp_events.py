"""Notifications of Meta that are no messages: a table from the field to its handler.

They change records, so they are stored before Meta gets its 200, as messages are. Nothing here calls Meta or a model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from bot.conversations import identity, identity_resolution, thread_owner
from bot.conversations.contacts import Contacts
from bot.conversations.inbox import Inbox
from bot.conversations.tombstones import BeingErased
from bot.infra.alerts import Alerts
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import USER_ACTIONS, WEBHOOK_FIELDS, WEBHOOK_UNKNOWN
from bot.whatsapp import account_alerts
from bot.whatsapp.account_updates import Handover, actions, handover, new_bsuids, preferences
from bot.whatsapp.payload import AccountChange, summarised
from bot.whatsapp.templates.status_events import TEMPLATE_FIELDS, TemplateStatusHandler

_log = structlog.get_logger()
# Meta repeats for up to 7 days.
_KNOWN_SECONDS = 30 * 24 * 3600
# Without a date, a repeated notification looks the same as a new one.
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


Handler = Callable[[AccountChange, EventContext], Awaitable[None]]


async def handle(change: AccountChange, context: EventContext) -> None:
    """Act on one notification. Delivered again, it changes nothing; after a failure it can be acted on again."""
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


async def _preferences(change: AccountChange, context: EventContext) -> None:
    for choice in preferences(change.value, change.received_at):
        conversation = await identity_resolution.conversation_for(context.redis, choice.phone, choice.bsuid)
        await context.contacts.choose_marketing(conversation, wanted=choice.wanted, at=choice.at)


async def _new_bsuids(change: AccountChange, context: EventContext) -> None:
    for update in new_bsuids(change.value):
        conversation = await identity_resolution.follow_new_bsuid(
            context.redis, update.previous, update.current, update.phone
        )
        if conversation is not None:
            await context.inbox.request_turn(conversation)


async def _handover(change: AccountChange, context: EventContext) -> None:
    moved = handover(change.value, change.received_at)
    conversation = await identity.find(context.redis, moved.phone, moved.bsuid)
    if conversation is not None and moved.ours is not None:
        owner = thread_owner.US if moved.ours else thread_owner.OTHER
        await thread_owner.change(context.redis, conversation, owner, moved.to, moved.at)
    if moved.summary is not None and (moved.phone or moved.bsuid):
        await _remember_summary(moved, moved.summary, change, context)
    _log.info(moved.move or "control_moved", conversation=conversation, to=moved.to)
    event = {"type": "handover", "conversation": conversation, "to": moved.to, "move": moved.move or "unknown"}
    event |= {"reason": moved.reason, "summary": moved.summary}
    owner_now = {} if moved.ours is None else {"owner": "us" if moved.ours else "other"}
    await context.events.publish(event | owner_now)


async def _remember_summary(moved: Handover, summary: str, change: AccountChange, context: EventContext) -> None:
    """Let the summary join the conversation's memory, as the other app's messages on standby do."""
    message = summarised(summary, f"handover.{change.digest}", moved.phone, moved.bsuid, moved.at, change.received_at)
    (outcome,) = await context.inbox.accept([message])
    if isinstance(outcome, Exception) and not isinstance(outcome, BeingErased):
        raise outcome


async def _alarm(change: AccountChange, context: EventContext) -> None:
    alarms = account_alerts.alarms_of(change.field, change.value)
    if not alarms:
        _log.info("good_news", field=change.field)
    for number, alarm in enumerate(alarms):
        again_after = _KNOWN_SECONDS if change.dated else _UNDATED_SECONDS
        await context.alerts.sound(alarm, f"{change.digest}.{number}", again_after=again_after)


async def _template(change: AccountChange, context: EventContext) -> None:
    await context.template_statuses.handlers[change.field](change.value)


async def _user_actions(change: AccountChange, _: EventContext) -> None:
    """Count what people did with marketing messages. Meta doesn't name the person."""
    for action in actions(change.value):
        USER_ACTIONS.labels(action[:40]).inc()


async def _count(change: AccountChange, context: EventContext) -> None:
    """Do nothing: old chats are no questions, and address books are not ours. `handle` counts the notification.

    Calls that nobody took are messages (`bot.whatsapp.payload`); all other events of calls need nothing.
    """


FIELDS: dict[str, Handler] = {
    "user_preferences": _preferences,
    "user_id_update": _new_bsuids,
    "messaging_handovers": _handover,
    "history": _count,
    "smb_app_state_sync": _count,
    "calls": _count,
    "user_actions": _user_actions,
    **dict.fromkeys(account_alerts.FIELDS, _alarm),
    **dict.fromkeys(TEMPLATE_FIELDS, _template),
}
