"""What is outside of the sandbox's company: its ERP, which hears of events, and its customers' browsers."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from bot.integrations.push.vapid import new_pair
from bot.settings import Settings
from bot.web.server import listening
from sandbox.simulators.event_subscriber import ErpSimulator, new_secret
from sandbox.simulators.web_push import PushServiceSimulator

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ExternalParties:
    """`subscribers` and `keys` say what the page shows of them: real or imitation."""

    erp: ErpSimulator
    push: PushServiceSimulator
    recado: str
    server_key: str
    http: aiohttp.ClientSession
    subscribers: str
    keys: str

    async def subscribe(self, request: web.Request) -> web.Response:
        """`{token}` of a link from the chat: an imitated browser subscribes with it; Recado's answer is passed on."""
        try:
            token = (await request.json())["token"]
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text='expected {"token": the last part of the link}') from error
        subscription: dict[str, Any] = self.push.subscribe(self.server_key)
        address, body = f"{self.recado}/push/subscriptions", {"subscription": subscription, "token": token}
        async with self.http.post(address, json=body) as response:
            return web.json_response(await response.json(content_type=None), status=response.status)


async def open_external_parties(settings: Settings, stack: AsyncExitStack, recado: str) -> ExternalParties:
    """Start both, and point the settings to them where none are set; `recado` is the address of the sandbox's page."""
    secret = settings.subscribers.secret
    erp = ErpSimulator(secret.get_secret_value() if secret else new_secret())
    subscribers = "real" if settings.subscribers.subscribers else "imitation"
    if subscribers == "imitation":
        erp = ErpSimulator(made := new_secret())
        address = await stack.enter_async_context(listening(erp.app(), _LOOPBACK, 0, finish=0.1))
        told = {"subscribers": [f"{address}/events"], "secret": SecretStr(made), "allow_private": True}
        settings.subscribers = settings.subscribers.model_copy(update=told)
    keys = "real" if settings.push.configured else "imitation"
    if keys == "imitation":
        public, private = new_pair()
        made_keys = {"public_key": public, "private_key": SecretStr(private), "subject": "mailto:sandbox@example.com"}
        settings.push = settings.push.model_copy(update=made_keys)
    # Its own browsers are on this machine; a real one reaches its maker's service all the same.
    settings.push = settings.push.model_copy(update={"allow_private": True})
    if settings.service.public_url is None:
        settings.service = settings.service.model_copy(update={"public_url": recado})
    push = PushServiceSimulator()
    push.url = await stack.enter_async_context(listening(push.app(), _LOOPBACK, 0, finish=0.1))
    http = await stack.enter_async_context(aiohttp.ClientSession())
    return ExternalParties(erp, push, recado, str(settings.push.public_key), http, subscribers, keys)
