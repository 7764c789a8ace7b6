"""The company's ERP as a subscriber: it accepts only signed events, recognises repeated ones, and keeps the last."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox.kept_records import KeptRecords

_KEPT = 100


def new_secret() -> str:
    """A signing secret in the format of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


@dataclass(frozen=True, slots=True)
class EventFault:
    """The answer to the next delivery in place of a 204, after `delay` seconds."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0


class ErpSimulator:
    """`events` are the accepted events, newest last: `{id, type, timestamp, data, received_at, times}`;
    `kept` has those of earlier runs.

    `on_change` is called at each delivery.
    """

    def __init__(self, secret: str, kept: KeptRecords | None = None) -> None:
        self._webhook = Webhook(secret)
        self._kept = kept or KeptRecords("event")
        self.events: deque[dict[str, Any]] = deque(self._kept.all(), maxlen=_KEPT)
        self._by_id = {event["id"]: event for event in self.events}
        self.refused: list[str] = []
        self.calls = 0
        self.faults: list[EventFault] = []
        self.on_change: Callable[[], None] = lambda: None

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/events", self._receive_event)])
        return app

    async def list_events(self, _: web.Request) -> web.Response:
        """The accepted events, newest first."""
        return web.json_response({"events": list(reversed(self.events)), "refused": len(self.refused)})

    async def _receive_event(self, request: web.Request) -> web.Response:
        self.calls += 1
        body = await request.read()
        try:
            told = self._webhook.verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError) as error:
            self.refused.append(str(error))
            self.on_change()
            return web.Response(status=401, text="the signature is not right")
        if self.faults:
            fault = self.faults.pop(0)
            await asyncio.sleep(fault.delay)
            return web.Response(status=fault.status, headers=fault.headers)
        id_ = request.headers["webhook-id"]
        if id_ in self._by_id:
            # Senders may repeat an event, and the id tells.
            self._by_id[id_]["times"] += 1
            self._kept.put(id_, self._by_id[id_])
            self.on_change()
            return web.Response(status=204)
        event = {"id": id_, **told, "received_at": datetime.now(UTC).isoformat(), "times": 1}
        if len(self.events) == _KEPT:
            self._by_id.pop(self.events[0]["id"], None)
        self._by_id[id_] = event
        self.events.append(event)
        self._kept.put(id_, event)
        self.on_change()
        return web.Response(status=204)
