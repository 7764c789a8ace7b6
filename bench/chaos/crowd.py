"""People who all write at once, and a network that repeats, batches, reorders and delays their messages."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp

from bench.chaos.company import Company
from sandbox.meta.acceptance import new_wamid
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import Value, encode, envelope, message_value, signature, unix_seconds

_LATE = timedelta(minutes=20)
_OK = 200


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """A server's answer to a webhook: its moment (monotonic) and its seconds; status 0 without an answer."""

    at: float
    seconds: float
    status: int


@dataclass
class Crowd:
    """`sent` holds each person's numbers, a list a burst; `orders` the numbers that a template must confirm.

    `written` holds the time of each (Unix seconds).
    """

    company: Company
    people: list[Person]
    staff: frozenset[str]
    chance: random.Random
    sent: dict[str, list[list[str]]] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    late: set[str] = field(default_factory=set)
    written: dict[str, float] = field(default_factory=dict)
    posts: int = 0
    refused: int = 0
    answers: list[WebhookAnswer] = field(default_factory=list)
    _last: dict[str, datetime] = field(default_factory=dict)

    async def write(self, bursts: int, people: int | None = None) -> None:
        """Everybody, or `people` at random, write this many bursts; returns when all are acknowledged."""
        everybody = range(len(self.people))
        numbers = everybody if people is None else self.chance.sample(everybody, people)
        async with aiohttp.ClientSession() as http:
            await asyncio.gather(*(self._one(http, number, bursts) for number in numbers))

    async def _one(self, http: aiohttp.ClientSession, number: int, bursts: int) -> None:
        person = self.people[number]
        mine = self.sent.setdefault(person.bsuid, [])
        for _ in range(bursts):
            await asyncio.sleep(self.chance.uniform(0, 3))
            first = sum(map(len, mine))
            tokens = [f"#{number}.{first + index}" for index in range(self.chance.randint(1, 3))]
            values = [self._value(person, token) for token in tokens]
            # Reordered within a burst; the whole burst has arrived before the next one is written.
            self.chance.shuffle(values)
            mine.append(tokens)
            self.written |= dict.fromkeys(tokens, time.time())
            await self._post_all(http, values)

    def _value(self, person: Person, token: str) -> Value:
        # Meta's times have whole seconds, so that one person's messages must differ in theirs to have an order.
        last = self._last.get(person.bsuid, self.company.meta.clock()) + timedelta(seconds=1)
        at = self._last[person.bsuid] = max(last, self.company.meta.clock())
        if self.chance.random() < 0.05:
            at -= _LATE
            self.late.add(token)
        text = token
        if person.phone in self.staff:
            order = f"A-{token[1:]}"
            self.orders.append(order)
            text = f"{token} pedido {order} para 52155900{token[1:].replace('.', '0'):0>5}"
        message = {"id": new_wamid(), "timestamp": unix_seconds(at), "type": "text", "text": {"body": text}}
        self.company.meta.chats.received(person, message, at)
        return message_value(self.company.meta.business, person, message)

    async def _post_all(self, http: aiohttp.ClientSession, values: Sequence[Value]) -> None:
        """As one notification or several, some of them twice; each is repeated until a 200."""
        business = self.company.meta.business
        batch = self.chance.random() < 0.5
        groups = [list(values)] if batch else [[value] for value in values]
        for group in groups:
            body = envelope(business, group)
            await self._post(http, encode(body))
            if self.chance.random() < 0.3:
                await self._post(http, encode(body, spaced=True))

    async def _post(self, http: aiohttp.ClientSession, body: bytes) -> None:
        signed = {"X-Hub-Signature-256": signature(self.company.meta.app_secret, body)}
        timeout = aiohttp.ClientTimeout(total=10)
        while True:
            self.posts += 1
            asked, status = time.monotonic(), 0
            try:
                async with http.post(self.company.webhook, data=body, headers=signed, timeout=timeout) as response:
                    status = response.status
            except (aiohttp.ClientError, TimeoutError):
                pass
            answered = time.monotonic()
            self.answers.append(WebhookAnswer(answered, answered - asked, status))
            if status == _OK:
                return
            # Meta retries after every failure, so that we do too.
            self.refused += 1
            await asyncio.sleep(0.2)


def crowd_of(company: Company, people: int, staff: Sequence[str]) -> Crowd:
    everybody = [
        Person(phone=f"52155{number:08}", bsuid=f"MX.{number:016}", name=f"P{number}") for number in range(people)
    ]
    return Crowd(company, everybody, frozenset(staff), random.Random(11))


def staff_among(people: int) -> list[str]:
    """Every fourth person is staff, who may send templates."""
    return [f"52155{number:08}" for number in range(0, people, 4)]
