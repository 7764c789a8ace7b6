"""Checks of WhatsApp: the number, its webhook, and sending."""

from __future__ import annotations

import aiohttp
from redis.exceptions import RedisError

from bot.cli.doctor.check import CheckResult
from bot.cli.doctor.words import quoted, said
from bot.delivery.pause import SendingPause
from bot.infra.live_events import LiveEvents
from bot.infra.redis import connect
from bot.settings import Settings
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable


async def whatsapp(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    if not (settings.whatsapp.access_token and settings.whatsapp.phone_number_id):
        return CheckResult("WhatsApp", "absent", said("no whatsapp"))
    try:
        state = await Graph(http, settings.whatsapp).number_state()
    except MetaUnavailable as error:
        return CheckResult("WhatsApp", "wrong", said("meta away", error=quoted(str(error))))
    except GraphError as error:
        rejected = error.code in (0, 190)
        fix = said("make a token" if rejected else "see the id")
        return CheckResult("WhatsApp", "wrong", said("meta refuses", error=error, fix=fix))
    number = {"number": state.get("display_phone_number"), "name": state.get("verified_name")}
    return CheckResult("WhatsApp", "ok", said("number", **number))


async def webhook(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    whatsapp = settings.whatsapp
    if not whatsapp.app_secret:
        return CheckResult("Webhook", "absent", said("no secret"))
    if whatsapp.webhook_verify_token is None:
        return CheckResult("Webhook", "wrong", said("no verify token"))
    return CheckResult("Webhook", "ok", said("webhook whole", secrets=len(whatsapp.app_secret)))


async def sending(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    """Check our own pause, the number's health, and our subscription to its account."""
    whatsapp = settings.whatsapp
    if not (whatsapp.access_token and whatsapp.phone_number_id):
        return CheckResult("Sending", "absent", said("no whatsapp"))
    async with connect(settings.redis) as client:
        try:
            paused = await SendingPause(client, LiveEvents(client)).current()
        except (RedisError, OSError):
            paused = None  # Redis has its own line.
    if paused:
        return CheckResult("Sending", "wrong", said("paused", why=paused.why))
    graph = Graph(http, whatsapp)
    try:
        await graph.check_can_send()
        subscribed = await graph.subscribed(whatsapp.waba_id) if whatsapp.waba_id else None
    except (GraphError, MetaUnavailable) as error:
        return CheckResult("Sending", "wrong", said("may not send", error=quoted(str(error))))
    if subscribed is False:
        return CheckResult("Sending", "wrong", said("not subscribed"))
    return CheckResult("Sending", "ok", said("may send, unknown" if subscribed is None else "may send"))
