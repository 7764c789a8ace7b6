"""Webhooks in Stripe's format, signed, and repeated until the receiver answers 2xx."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

from sandbox.background import BackgroundTasks
from sandbox.stripe.account import Json

_ANSWER_SECONDS = 10
_OK = range(200, 300)


@dataclass
class EventSender:
    """Sends events to one address, in order by default; those not taken in any try end in `undelivered`.

    `pauses` are the seconds before each retry of an event. While `holding`, events wait in `held` until `release`.
    `twice` sends each event two times, as Stripe may. `on_taken` is called after each event that was taken.
    """

    url: str
    secret: str = field(repr=False)
    pauses: Sequence[float] = (1, 5, 30, 120)
    twice: bool = False
    holding: bool = False
    held: list[Json] = field(default_factory=list)
    undelivered: list[Json] = field(default_factory=list)
    on_taken: Callable[[], None] = lambda: None
    _tasks: BackgroundTasks = field(default_factory=BackgroundTasks)
    _session: aiohttp.ClientSession | None = None
    _order: asyncio.Lock = field(default_factory=asyncio.Lock)

    def open(self) -> None:
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        try:
            await self._tasks.stop()
        finally:
            if self._session is not None:
                await self._session.close()

    def send(self, event: Json) -> None:
        """Send the event in the background, or keep it while holding."""
        if not self.url or self._session is None:
            return
        if self.holding:
            self.held.append(event)
            return
        for _ in range(2 if self.twice else 1):
            self._tasks.start(self._send(event))

    def release(self, *, backwards: bool = False) -> None:
        """Stop holding, and send the held events, in reverse order if wanted."""
        self.holding = False
        events, self.held = self.held, []
        for event in events[::-1] if backwards else events:
            self.send(event)

    def discard(self) -> None:
        """Stop holding, and count the held events as taken."""
        self.holding = False
        for event in self.held:
            event["pending_webhooks"] = 0
        self.held = []

    async def idle(self) -> None:
        """Return when every event is taken, held or given up."""
        await self._tasks.idle()

    async def _send(self, event: Json) -> None:
        async with self._order:
            taken = await self._post(event)
        for pause in () if taken else self.pauses:
            await asyncio.sleep(pause)
            if await self._post(event):
                return
        if not taken:
            self.undelivered.append(event)

    async def _post(self, event: Json) -> bool:
        body = json.dumps(event, ensure_ascii=False)
        # Receivers compare the time of signing with their clock, so that it is the real time, not our clock's.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(self.secret, body, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        if self._session is None:
            return False
        try:
            async with self._session.post(
                self.url, data=body.encode(), headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                taken = response.status in _OK
        except (aiohttp.ClientError, TimeoutError):
            return False
        if taken:
            event["pending_webhooks"] = 0
            self.on_taken()
        return taken


def signature(secret: str, body: str, at: int) -> str:
    """The value of Stripe-Signature for exactly this body (https://docs.stripe.com/webhooks#verify-manually)."""
    mac = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"
