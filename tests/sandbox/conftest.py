"""The business's side of Meta's API: a webhook that records notifications, and a client with the token."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.meta.simulator import MetaSimulator, Person
from sandbox.phone import api
from tests.sandbox.stripe_shop import Shop, open_shop

APP_SECRET = "the app's secret"
TOKEN = "the business's token"
Client = TestClient[web.Request, web.Application]


@dataclass
class Business:
    """The company's webhook: every notification as received, and the prepared answers."""

    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers["X-Hub-Signature-256"])
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def verify(self, request: web.Request) -> web.Response:
        right = request.query["hub.verify_token"] == "the verify token"
        return web.Response(text=request.query["hub.challenge"], status=200 if right else 403)

    @property
    def values(self) -> list[dict[str, Any]]:
        notifications = [json.loads(body) for body in self.bodies]
        return [change["value"] for told in notifications for entry in told["entry"] for change in entry["changes"]]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for value in self.values for message in value.get("messages", [])]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [status for value in self.values for status in value.get("statuses", [])]


@dataclass
class Clock:
    time: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **passed: float) -> None:
        self.time += timedelta(**passed)


@dataclass
class Graph:
    """A client of the Graph API with the right token."""

    http: aiohttp.ClientSession
    base: str
    meta: MetaSimulator

    def to(self, person: Person, **content: Any) -> dict[str, Any]:
        """The envelope of a message to the person, without the content."""
        address = {"to": f"+{person.phone}"} if person.phone else {"recipient": person.bsuid}
        return {"messaging_product": "whatsapp", "recipient_type": "individual"} | address | content

    async def send(self, message: Any, number: str | None = None) -> tuple[int, dict[str, Any]]:
        url = f"{self.base}/v26.0/{number or self.meta.phone_number_id}/messages"
        async with self.http.post(url, json=message) as response:
            return response.status, await response.json()

    async def say(self, person: Person, words: str = "Hola", **more: Any) -> str:
        status, answer = await self.send(self.to(person, type="text", text={"body": words}, **more))
        assert status == 200, answer
        return str(answer["messages"][0]["id"])

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(f"{self.base}/v26.0/{path}") as response:
            return response.status, await response.json()


@pytest.fixture
def business() -> Business:
    return Business()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def meta(business: Business, clock: Clock) -> AsyncIterator[MetaSimulator]:
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.add_routes([web.post("/hook", business.receive), web.get("/hook", business.verify)])
    async with TestServer(app) as server:
        meta = MetaSimulator(
            webhook_url=str(server.make_url("/hook")),
            app_secret=APP_SECRET,
            access_token=TOKEN,
            verify_token="the verify token",
            status_pauses=(0, 0, 0),
            retry_pauses=(0, 0, 0),
            clock=clock,
        )
        await meta.start()
        yield meta
        await meta.stop()


@pytest.fixture
async def graph(meta: MetaSimulator) -> AsyncIterator[Graph]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        yield Graph(http, meta.media.base_url, meta)


@pytest.fixture
def ana() -> Person:
    """A customer whose phone WhatsApp shows."""
    return Person(phone="5215512345678", bsuid="MX.8801234567890123", name="Ana")


@pytest.fixture
def sam() -> Person:
    """A customer with a username, so that WhatsApp hides the phone."""
    return Person(phone=None, bsuid="US.13491208655302741918", name="Sam", username="sam.w")


@pytest.fixture
async def ana_wrote(meta: MetaSimulator, ana: Person) -> str:
    return await meta.writes(ana, {"type": "text", "text": {"body": "Hola"}})


async def no_turns() -> AsyncIterator[dict[str, Any]]:
    await asyncio.Event().wait()
    yield {}


@pytest.fixture
async def page(meta: MetaSimulator) -> AsyncIterator[Client]:
    """The page's server, without a bot."""
    app = web.Application()
    app.add_subapp("/sandbox/", api.create_phone_app(meta, no_turns, {"staff": []}))
    async with TestClient(TestServer(app)) as client:
        yield client


async def page_writes(page: Client, person: str = api.PEOPLE[0].bsuid) -> str:
    """Write from the page as the person with this BSUID, and return the wamid."""
    message = {"person": person, "message": {"type": "text", "text": {"body": "Hola"}}}
    answer = await page.post("/sandbox/messages", json=message)
    return str((await answer.json())["wamid"])


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """The Stripe simulator at noon of 31 January 2027, and a shop that uses it."""
    async with open_shop() as shop:
        yield shop
