"""Real servers for every test: Redis, Recado's own server and worker, and simulators of the vendors."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from _pytest.nodeid import coerce_node_id
from redis.asyncio import Redis
from redis.driver_info import DriverInfo

from bench.upgraded_file import put_upgraded
from bot.database.engine import Database
from bot.database.opening import open_current
from bot.infra import logs
from bot.infra.queues import QUEUES
from bot.settings import SECTIONS, Settings, variables
from bot.web.app import create_app
from bot.web.server import listening
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.redis_server import redis_server
from sandbox.simulators.openrouter import OpenRouterSimulator
from sandbox.simulators.vision import VisionSimulator
from sandbox.simulators.whisper import WhisperSimulator
from sandbox.stripe import StripeSimulator
from tests.billing import WEBHOOK_SECRET, billing
from tests.databases import BOTH, empty_database
from tests.paths import ROOT
from tests.photo_reader import CachingPhotoReader
from tests.postgres import postgres_server
from tests.waiting import PATIENCE
from tests.watched_meta import WatchedMeta
from tests.world import SECRET, TOKEN, Start, World

FIXTURES = ROOT / "fixtures"
_DRIVER = DriverInfo()
_VARIABLES = {name for section in SECTIONS for name in variables(section)}


@pytest.fixture(scope="session", autouse=True)
def _logging() -> None:
    logs.configure("warning", "console")


@pytest.fixture(scope="session")
def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(autouse=True)
def _clean_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _shared_folder: Path
) -> Iterator[None]:
    """Keep the developer's variables, language and `.env` out of the tests."""
    for name in _VARIABLES & os.environ.keys():
        monkeypatch.delenv(name)
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    for folder in ("prompts", "templates"):
        monkeypatch.setenv(f"{folder.upper()}_DIR", str(ROOT / folder))
    # A folder for each of thousands of tests would take longer than most of them.
    asked = "tmp_path" in request.fixturenames
    monkeypatch.chdir(request.getfixturevalue("tmp_path") if asked else _shared_folder)
    yield
    for left in _shared_folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with redis_server(tmp_path_factory.mktemp("redis"), options=("--appendfsync", "no")) as url:
        yield url


@pytest.fixture
async def redis(redis_address: str) -> AsyncIterator[Redis]:
    # Without a driver named, redis-py looks its own version up on the disk for each client.
    async with Redis.from_url(redis_address, decode_responses=True, driver_info=_DRIVER) as client:
        await client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    with postgres_server() as url:
        yield url


@pytest.fixture(params=BOTH)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with its schema and without data: SQLite's, or PostgreSQL's."""
    if request.param == "sqlite":
        file = tmp_path / "recado.db"
        await asyncio.to_thread(put_upgraded, file)
        return f"sqlite:///{file}"
    return await empty_database(request.getfixturevalue("postgres"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_current(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def ana() -> Person:
    return Person(phone="5215512345678", bsuid="MX.8801234567890123", name="Ana")


@pytest.fixture
def leo() -> Person:
    return Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Leo")


@pytest.fixture
async def start(redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Start Recado with these variables and number of workers; without a worker, jobs wait.

    The workers write the history only where a test asks for it, because the database takes half a second.
    """
    async with AsyncExitStack() as stack:

        async def begin(
            *, workers: int = 1, history: bool = False, stripe: StripeSimulator | None = None, **environment: str
        ) -> World:
            models = OpenRouterSimulator("openrouter-key")
            whisper = WhisperSimulator(api_key="openai-key")
            models_url = await stack.enter_async_context(listening(models.app(), "127.0.0.1", 0, finish=0.1))
            whisper_url = await stack.enter_async_context(listening(whisper.app(), "127.0.0.1", 0, finish=0.1))
            meta = WatchedMeta(
                webhook_url="", app_secret=SECRET, access_token=TOKEN, verify_token="verify", status_pauses=(0, 0, 0)
            )
            variables_ = {
                "REDIS_URL": redis_address,
                "WHATSAPP_ACCESS_TOKEN": TOKEN,
                "WHATSAPP_PHONE_NUMBER_ID": meta.phone_number_id,
                "WHATSAPP_WABA_ID": meta.waba_id,
                "WHATSAPP_APP_SECRET": SECRET,
                "WHATSAPP_WEBHOOK_VERIFY_TOKEN": "verify",
                "WHATSAPP_API_BASE_URL": await meta.start(),
                "OPENROUTER_API_KEY": "openrouter-key",
                "LLM_BASE_URL": f"{models_url}/api/v1",
                "OPENAI_API_KEY": "openai-key",
                "OPENAI_BASE_URL": f"{whisper_url}/v1",
                "TURN_QUIET_SECONDS": "0.1",
                # Long, because a busy machine may take longer than a customer should wait.
                "TURN_DEADLINE_SECONDS": "600",
                "CONSOLE_TOKEN": "console-token",
            } | environment
            stack.push_async_callback(meta.stop)
            for name, value in variables_.items():
                monkeypatch.setenv(name, value)
            settings = Settings()
            url = await stack.enter_async_context(listening(create_app(settings), "127.0.0.1", 0))
            meta.webhook_url = f"{url}/webhooks/whatsapp"
            meta._sender.url = meta.webhook_url
            if stripe:
                stripe.webhooks.url = f"{url}/webhooks/stripe"
            for _ in range(workers):
                await stack.enter_async_context(running(settings, QUEUES, 50, history=history))
            http = await stack.enter_async_context(aiohttp.ClientSession())
            return World(meta, models, whisper, settings, redis, http, url, stripe)

        yield begin


@pytest.fixture
async def world(start: Start) -> World:
    return await start()


@pytest.fixture(scope="session")
def photo_reader() -> Iterator[CachingPhotoReader]:
    photo_reader = CachingPhotoReader()
    yield photo_reader
    asyncio.run(photo_reader.end())


@pytest.fixture
async def vision(photo_reader: CachingPhotoReader, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The address of a simulated Google Vision with long time limits, because a busy machine is slow."""
    for limit in ("_SECONDS", "_SECONDS_A_TRY"):
        monkeypatch.setattr(f"bot.ai.vision.{limit}", PATIENCE)
    imitation = VisionSimulator(photo_reader)
    yield await imitation.start()
    await imitation.stop()


@pytest.fixture
async def world_with_vision(start: Start, vision: str) -> World:
    """Recado with the simulated Google Vision."""
    return await start(GOOGLE_VISION_ENDPOINT=vision)


@pytest.fixture
async def stripe() -> AsyncIterator[StripeSimulator]:
    """The Stripe simulator, before it gets the URL of Recado's webhook."""
    imitation = StripeSimulator("sk_test_of_the_tests", WEBHOOK_SECRET, retry_pauses=(0.05,) * 20)
    async with listening(imitation.app(), "127.0.0.1", 0, finish=0.1) as url:
        imitation.account.base_url = url
        yield imitation


@pytest.fixture
async def shop(stripe: StripeSimulator, start: Start) -> World:
    """Recado with billing and e-mail; e-mails stay in their queue, because no server accepts them."""
    return await start(**billing(stripe), stripe=stripe)


@pytest.fixture(scope="session")
def media() -> Callable[[str], bytes]:
    return lambda name: (FIXTURES / "media" / name).read_bytes()


@pytest.fixture(scope="session")
def labels() -> Any:
    return json.loads((FIXTURES / "media" / "labels.json").read_text())


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("TZ", "UTC")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests stay until the end: the collector of garbage need not walk them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one group run in one process: xdist 3.8 writes the group where pytest 9.2 no longer looks.

    Without it every process reads photos, opens every house and starts Node, all at the same time. Groups begin first,
    because the longest would end alone; a long test is a group of its own.
    """
    if not items or not items[0].config.getoption("loadgroup", default=False):
        return
    for item in items:
        if group := item.get_closest_marker("xdist_group"):
            item._id = coerce_node_id(f"{item.nodeid}@{group.args[0]}")
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
