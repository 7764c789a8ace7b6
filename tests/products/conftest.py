"""A shop with two members of staff and a customer, whose photos are read by a script over Vision's real wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.web.server import listening
from sandbox.meta.simulator import Person
from sandbox.simulators.event_subscriber import ErpSimulator, new_secret
from sandbox.simulators.vision import VisionSimulator
from tests.products.counter import Counter
from tests.products.shelf import Open, Shelf, Shop
from tests.world import Start


@pytest.fixture
def bea() -> Person:
    return Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Bea")


@pytest.fixture
def customer() -> Person:
    return Person(phone="5215500000042", bsuid="MX.8800000000000042", name="Carla")


@pytest.fixture
def counter(redis: Redis, tmp_path: Path) -> Counter:
    return Counter(redis, tmp_path)


@pytest.fixture
async def open_shop(start: Start, ana: Person, bea: Person, tmp_path: Path) -> AsyncIterator[Open]:
    """Ana and Bea are its staff."""
    async with AsyncExitStack() as stack:

        async def begin(*, workers: int = 1, **environment: str) -> Shop:
            shelf, secret = Shelf(), new_secret()
            vision, erp = VisionSimulator(shelf), ErpSimulator(secret)
            endpoint = await vision.start()
            stack.push_async_callback(vision.stop)
            url = await stack.enter_async_context(listening(erp.app(), "127.0.0.1", 0, finish=0.1))
            settings = {
                "GOOGLE_VISION_ENDPOINT": endpoint,
                "STAFF_CONTACTS": f"{ana.phone},{bea.bsuid}",
                "WEBHOOK_SUBSCRIBERS": f"{url}/events",
                "WEBHOOK_SECRET": secret,
                "WEBHOOK_ALLOW_PRIVATE": "true",
                "STORAGE_DIR": str(tmp_path / "files"),
                "TURN_QUIET_SECONDS": "0.2",
            }
            return Shop(await start(workers=workers, **settings | environment), shelf, erp)

        yield begin


@pytest.fixture
async def shop(open_shop: Open) -> Shop:
    return await open_shop()
