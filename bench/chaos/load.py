"""A thousand conversations in flight, twice the workers, and one person who floods: the cost for the others."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import aiohttp

from bench.chaos.company import Company, open_company
from sandbox.meta.acceptance import new_wamid
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import encode, envelope, message_value, signature, unix_seconds

MODEL_SECONDS = 2.0
_CONNECTIONS = 64


@dataclass
class Writers:
    """Posts one message for each person, and records the times of its acknowledgement and its answer."""

    company: Company
    asked: dict[str, float] = field(default_factory=dict)

    async def write(self, people: list[Person], *, per_second: float = 0) -> None:
        """All at once, or this many a second."""
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector) as http:
            began = time.perf_counter()
            posts = []
            for index, person in enumerate(people):
                if per_second:
                    await asyncio.sleep(max(began + index / per_second - time.perf_counter(), 0))
                posts.append(asyncio.create_task(self._post(http, person, index)))
            await asyncio.gather(*posts)

    async def _post(self, http: aiohttp.ClientSession, person: Person, index: int) -> None:
        meta = self.company.meta
        at = meta.clock()
        message = {"id": new_wamid(), "timestamp": unix_seconds(at), "type": "text", "text": {"body": f"#{index}.0"}}
        meta.chats.received(person, message, at)
        body = encode(envelope(meta.business, [message_value(meta.business, person, message)]))
        signed = {"X-Hub-Signature-256": signature(meta.app_secret, body)}
        self.asked.setdefault(person.bsuid, time.time())
        async with http.post(self.company.webhook, data=body, headers=signed) as response:
            response.raise_for_status()

    async def added(self, people: list[Person], within: float = 240) -> list[float]:
        """Seconds from each person's message to their reply, without the model's time."""
        wanted = {person.bsuid for person in people}
        async with asyncio.timeout(within):
            while not wanted <= {message.person.bsuid for message in self.company.meta.accepted if message.person}:
                await asyncio.sleep(0.05)
        replied: dict[str, float] = {}
        for message in self.company.meta.accepted:
            if message.person:
                replied.setdefault(message.person.bsuid, message.at.timestamp())
        return [replied[name] - self.asked[name] - MODEL_SECONDS for name in wanted]


def crowd(count: int, first: int = 0) -> list[Person]:
    return [
        Person(phone=f"52156{number:08}", bsuid=f"MX.7{number:015}", name="P") for number in range(first, first + count)
    ]


@dataclass(frozen=True, slots=True)
class BurstLoad:
    """Many messages at once: seconds added by Recado, peak memory (MB), CPU (ms) of the workers a turn."""

    conversations: int
    median: float
    p95: float
    megabytes: float
    cpu_ms: float


async def burst(folder: Path, conversations: int) -> BurstLoad:
    async with open_company(folder, concurrency=conversations, model_seconds=MODEL_SECONDS) as company:
        workers = company.stats("worker")
        before = sum(sum(worker.cpu_times()[:2]) for worker in workers)
        writers, people = Writers(company), crowd(conversations)
        peak = 0.0

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, *(worker.memory_info().rss / 1e6 for worker in workers))
                await asyncio.sleep(0.1)

        watching = asyncio.create_task(watch())
        await writers.write(people)
        added = await writers.added(people)
        watching.cancel()
        spent = sum(sum(worker.cpu_times()[:2]) for worker in workers) - before
        return BurstLoad(conversations, *_median_and_p95(added), peak, spent / conversations * 1000)


async def steady(folder: Path, per_second: float, conversations: int, *, flood: int = 0) -> tuple[float, float]:
    """Median and 95th percentile of the added seconds at a steady rate; one of the people may flood us."""
    async with open_company(folder, concurrency=500, model_seconds=MODEL_SECONDS) as company:
        writers, people = Writers(company), crowd(conversations)
        flooding = asyncio.create_task(Writers(company).write([crowd(1, 9_000_000)[0]] * flood, per_second=200))
        await writers.write(people, per_second=per_second)
        added = await writers.added(people)
        await flooding
        return _median_and_p95(added)


async def throughput(folder: Path, workers: int, conversations: int, concurrency: int) -> float:
    """Turns a second while there is always more work than the workers may take."""
    async with open_company(folder, workers=workers, concurrency=concurrency, model_seconds=MODEL_SECONDS) as company:
        writers, people = Writers(company), crowd(conversations)
        began = time.perf_counter()
        await writers.write(people)
        await writers.added(people)
        return conversations / (time.perf_counter() - began)


def _median_and_p95(values: list[float]) -> tuple[float, float]:
    cuts = quantiles(values, n=20, method="inclusive")
    return cuts[9], cuts[18]
