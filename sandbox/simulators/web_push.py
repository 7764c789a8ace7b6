"""A push service and its browsers: as strict as the browser makers' services, and able to decrypt messages."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import http_ece
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from sandbox.broadcast import Event
from sandbox.kept_records import KeptRecords

_KEPT = 100
_LONGEST_BODY = 4096
_LONGEST_CLAIM = 24 * 3600
_TOPIC_LENGTH = 32
_URGENCIES = ("very-low", "low", "normal", "high")


@dataclass(frozen=True, slots=True)
class PushFault:
    """The answer to the next push in place of a 201, after `delay` seconds."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that subscribed with an application server's key; None if it named none."""

    name: str
    private: ec.EllipticCurvePrivateKey
    auth: bytes
    server_key: str | None

    @property
    def point(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class PushServiceSimulator:
    """`pushes` are the shown messages, newest last: `{browser, title, body, url, topic, ttl, urgency, at}`;
    `kept` has those of earlier runs.

    `on_change` is called at each push, and at each subscription.
    """

    def __init__(self, kept: KeptRecords | None = None) -> None:
        self._kept = kept or KeptRecords("push")
        self.url = ""
        self.browsers: dict[str, Browser] = {}
        self.gone: set[str] = set()
        self.pushes: deque[Event] = deque(self._kept.all(), maxlen=_KEPT)
        self.refused: list[str] = []
        self.faults: list[PushFault] = []
        self.calls = 0
        self.on_change: Callable[[], None] = lambda: None

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024)
        app.add_routes([web.post("/wpush/{browser}", self._receive_push)])
        return app

    def subscribe(self, server_key: str | None = None) -> dict[str, Any]:
        """The PushSubscription of `pushManager.subscribe` as JSON. Needs `url`."""
        name, private = secrets.token_urlsafe(24), ec.generate_private_key(ec.SECP256R1())
        browser = Browser(name, private, os.urandom(16), server_key)
        self.browsers[name] = browser
        self.on_change()
        keys = {"p256dh": _text(browser.point), "auth": _text(browser.auth)}
        return {"endpoint": f"{self.url}/wpush/{name}", "expirationTime": None, "keys": keys}

    def unsubscribe(self, subscription: dict[str, Any]) -> None:
        """The browser ends its subscription: the service answers 410 from now on."""
        self.gone.add(urlsplit(subscription["endpoint"]).path.rpartition("/")[2])

    async def list_pushes(self, _: web.Request) -> web.Response:
        """The shown pushes, newest first."""
        return web.json_response({"pushes": list(reversed(self.pushes)), "browsers": len(self.browsers)})

    async def _receive_push(self, request: web.Request) -> web.Response:  # noqa: PLR0911 - one a refusal
        self.calls += 1
        body = await request.read()
        if self.faults:
            fault = self.faults.pop(0)
            await asyncio.sleep(fault.delay)
            return web.Response(status=fault.status, headers=fault.headers)
        name = request.match_info["browser"]
        if name in self.gone:
            return self._refuse(410, "the subscription is over")
        browser = self.browsers.get(name)
        if browser is None:
            return self._refuse(404, "there is no such subscription")
        if len(body) > _LONGEST_BODY:
            return self._refuse(413, f"{len(body)} bytes")
        problem = _header_problem(request) or _vapid_problem(request, browser)
        if problem:
            return self._refuse(*problem)
        try:
            plain = http_ece.decrypt(body, private_key=browser.private, auth_secret=browser.auth, version="aes128gcm")
            said = json.loads(plain)
        except (http_ece.ECEException, ValueError) as error:
            return self._refuse(400, f"the browser can't read it: {error}")
        headers = request.headers
        told = {"ttl": int(headers["TTL"]), "urgency": headers.get("Urgency"), "topic": headers.get("Topic")}
        shown = {key: said.get(key) for key in ("title", "body", "url")}
        message = secrets.token_hex(8)
        push = {"browser": name[:8], **shown, **told, "at": datetime.now(UTC).isoformat()}
        self.pushes.append(push)
        self._kept.put(message, push)
        self.on_change()
        return web.Response(status=201, headers={"Location": f"{self.url}/message/{message}"})

    def _refuse(self, status: int, why: str) -> web.Response:
        self.refused.append(f"{status} {why}")
        return web.Response(status=status, text=why)


def _header_problem(request: web.Request) -> tuple[int, str] | None:
    """The first broken rule of RFC 8030 and RFC 8291 for the headers."""
    headers = request.headers
    if not headers.get("TTL", "").isdigit():
        return 400, "TTL is missing or no number"
    if headers.get("Content-Encoding") != "aes128gcm":
        return 400, "Content-Encoding is not aes128gcm"
    if headers.get("Urgency", "normal") not in _URGENCIES:
        return 400, "Urgency is none of the four"
    topic = headers.get("Topic", "t")
    if not topic or len(topic) > _TOPIC_LENGTH or not topic.replace("-", "").replace("_", "").isalnum():
        return 400, "Topic is longer than 32 or not base64url"
    return None


def _vapid_problem(  # noqa: PLR0911 - one a rule
    request: web.Request, browser: Browser
) -> tuple[int, str] | None:
    """RFC 8292: an ES256 token for this origin, for a day at most, with the key that the browser knows."""
    authorization = request.headers.get("Authorization", "")
    try:
        fields = dict(piece.strip().split("=", 1) for piece in authorization.removeprefix("vapid ").split(","))
        header, claims = (json.loads(_raw(part)) for part in fields["t"].split(".")[:2])
        signed = authorization.startswith("vapid ") and Vapid02.verify(authorization)
        until = float(claims["exp"]) - time.time()
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        return 401, f"no VAPID token: {error}"
    if not signed or header.get("alg") != "ES256":
        return 401, "the VAPID signature is not right"
    if browser.server_key is not None and fields["k"] != browser.server_key:
        return 403, "the subscription belongs to another VAPID key"
    if claims.get("aud") != f"{request.scheme}://{request.host}":
        return 401, f"aud is {claims.get('aud')}"
    if not 0 < until <= _LONGEST_CLAIM:
        return 401, f"exp is {until:.0f} s away"
    if not str(claims.get("sub", "")).startswith(("mailto:", "https:")):
        return 401, "sub is no mailto: or https: address"
    return None


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
