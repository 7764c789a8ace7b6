"""Checks of WhatsApp: the number, its webhook, and sending."""

from __future__ import annotations

import aiohttp
from redis.exceptions import RedisError

from bot.cli.doctor.check import CheckResult
from bot.delivery.pause import SendingPause
from bot.infra.live_events import LiveEvents
from bot.infra.redis import connect
from bot.settings import Settings
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable


async def whatsapp(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    if not (settings.whatsapp.access_token and settings.whatsapp.phone_number_id):
        return CheckResult("WhatsApp", "absent", "set WHATSAPP_ACCESS_TOKEN and WHATSAPP_PHONE_NUMBER_ID")
    try:
        state = await Graph(http, settings.whatsapp).number_state()
    except MetaUnavailable as error:
        return CheckResult("WhatsApp", "wrong", f"{error}; see the network and WHATSAPP_API_BASE_URL")
    except GraphError as error:
        rejected = error.code in (0, 190)
        fix = "make a token of a system user with whatsapp_business_messaging" if rejected else "see the number's id"
        return CheckResult("WhatsApp", "wrong", f"{error}; {fix}")
    return CheckResult("WhatsApp", "ok", f"number {state.get('display_phone_number')} ({state.get('verified_name')})")


async def webhook(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    whatsapp = settings.whatsapp
    if not whatsapp.app_secret:
        return CheckResult("Webhook", "absent", "set WHATSAPP_APP_SECRET; `serve` does not start without it")
    if whatsapp.webhook_verify_token is None:
        return CheckResult("Webhook", "wrong", "Meta can't verify the callback URL; set WHATSAPP_WEBHOOK_VERIFY_TOKEN")
    return CheckResult("Webhook", "ok", f"{len(whatsapp.app_secret)} app secret(s) and a verify token")


async def sending(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    """Check our own pause, the number's health, and our subscription to its account."""
    whatsapp = settings.whatsapp
    if not (whatsapp.access_token and whatsapp.phone_number_id):
        return CheckResult("Sending", "absent", "set WHATSAPP_ACCESS_TOKEN and WHATSAPP_PHONE_NUMBER_ID")
    async with connect(settings.redis) as client:
        try:
            paused = await SendingPause(client, LiveEvents(client)).current()
        except (RedisError, OSError):
            paused = None  # Redis has its own line.
    if paused:
        return CheckResult("Sending", "wrong", f"paused, replies wait: {paused.why}; it resumes by itself")
    graph = Graph(http, whatsapp)
    try:
        await graph.check_can_send()
        subscribed = await graph.subscribed(whatsapp.waba_id) if whatsapp.waba_id else None
    except (GraphError, MetaUnavailable) as error:
        return CheckResult("Sending", "wrong", f"{error}; see the number's state in Meta's WhatsApp Manager")
    if subscribed is False:
        fix = "subscribe the app: POST /{WABA id}/subscribed_apps"
        return CheckResult("Sending", "wrong", f"no app is subscribed to the account, so no message arrives; {fix}")
    unknown = "; set WHATSAPP_WABA_ID to see whether the app is subscribed too" if subscribed is None else ""
    return CheckResult("Sending", "ok", f"not paused, the number may send{unknown}")
