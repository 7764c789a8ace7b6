"""A company in a box: the real server and worker, an embedded Redis, and simulators for services without a key."""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import structlog
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.database.lazy import LazyDatabase
from bot.history.packed_requests import unpack
from bot.infra.live_events import LiveEvents
from bot.infra.queues import QUEUES
from bot.infra.redis import connect
from bot.products.catalogue import Catalogue
from bot.prompting.release_gate import EvaluateCases, no_evaluation
from bot.settings import DatabaseSettings, RedisSettings, Settings, StorageSettings
from bot.storage.files import files_of
from bot.web.app import create_app
from bot.web.console.parts import OPENING
from bot.web.server import listening
from bot.worker import running
from sandbox.background import BackgroundTasks
from sandbox.broadcast import Event
from sandbox.data_folder import DataFolder, locked_folder
from sandbox.first_start import TellReading, prepare_answers
from sandbox.meta.chat_store import ChatStore
from sandbox.phone import api, demo_customers, emails
from sandbox.phone import stripe as phone_stripe
from sandbox.phone.catalogue import list_products_handler
from sandbox.phone.console_login import console_login_handler
from sandbox.phone.files import list_files_handler
from sandbox.phone.handoff import give_back_handler
from sandbox.phone.origin_guard import own_hosts_only
from sandbox.phone.push import subscribe_handler
from sandbox.phone.updates import UpdateNotifier
from sandbox.phone.wire import meta_routes, stripe_routes
from sandbox.ports import free_port, require_port
from sandbox.redis_server import redis_server
from sandbox.sample_catalogue import add_sample_products
from sandbox.simulated_services import LOOPBACK, Mode, SimulatedServices, start_simulators
from sandbox.stripe import StripeSimulator
from sandbox.stripe.state import StripeState
from sandbox.url_rewriter import UrlRewriter

if TYPE_CHECKING:
    from bot.console.parts import ConsoleParts

_log = structlog.get_logger()
_STRIPE_PAGES = "/sandbox/stripe-pages"
_EVERY_INTERFACE = ("0.0.0.0", "::")


@asynccontextmanager
async def open_company(  # noqa: PLR0913 - its address, its folder, and four options
    settings: Settings,
    host: str,
    port: int,
    data: Path,
    *,
    fresh: bool = False,
    warm: bool = False,
    tell: TellReading = lambda _read, _total: None,
    evaluate: EvaluateCases = no_evaluation,
) -> AsyncIterator[str]:
    """Run the company until the context ends; gives the page's address.

    `data` keeps Redis and files, without those of earlier runs where it is `fresh`. `warm` loads the engine that reads
    photos before the first one comes, fills an empty catalogue, and reads the documents at the first start; `tell` is
    told how far that is. Raises FolderInUse.
    """
    async with AsyncExitStack() as stack:
        port = port or free_port(host)
        # Redis takes seconds to start and to stop, so that a taken port is told before.
        require_port(host, port)
        folder = stack.enter_context(locked_folder(data, fresh=fresh))
        settings.redis = await _start_redis(folder, stack)
        settings.database, settings.storage = _kept_in(folder, settings)
        host_guard = own_hosts_only(host, settings.service.public_url)
        rewriter = UrlRewriter(_set_service_defaults(settings, host, port))
        redis = await stack.enter_async_context(connect(settings.redis))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        events = LiveEvents(redis)
        store = stack.enter_context(closing(ChatStore(folder.chats)))
        simulated = await start_simulators(settings, stack, port, events, store, warm=warm)
        app, notifier = create_app(settings), UpdateNotifier()
        app.middlewares.insert(0, host_guard)
        page = _page(settings, simulated, rewriter, notifier, events)
        _add_recado_routes(page, settings, redis, _console_of(app))
        server_key, recado = str(settings.push.public_key), f"http://{LOOPBACK}:{port}"
        page.router.add_post("/push/browser", subscribe_handler(simulated.push, server_key, recado, http))
        if simulated.stripe:
            account = _StripeAccount(simulated.stripe, stack, folder, rewriter)
            app.add_subapp(f"{_STRIPE_PAGES}/", rewriter.rewrite_responses(simulated.stripe.pages()))
        _add_pages(app, page)
        if warm:
            await prepare_answers(settings, redis, tell)
            _fill_catalogue(settings, stack)
        await stack.enter_async_context(running(settings, QUEUES, evaluate=evaluate))
        address = await stack.enter_async_context(listening(app, host, port))
        if simulated.stripe:
            account.open(notifier)
        yield f"{address}/sandbox/"


async def _start_redis(folder: DataFolder, stack: AsyncExitStack) -> RedisSettings:
    url = await stack.enter_async_context(redis_server(folder.redis))
    folder.note_redis(url)
    _log.info("redis_ready", url=url, folder=str(folder.redis))
    return RedisSettings(url=SecretStr(url))


def _add_pages(app: web.Application, page: web.Application) -> None:
    """Put the page, and its way into the console, into the server."""
    page.router.add_get("/console", console_login_handler(app))
    app.add_subapp("/sandbox/", page)
    app.add_routes([web.get("/", _redirect_to_page)])


def _fill_catalogue(settings: Settings, stack: AsyncExitStack) -> None:
    """Add the sample's products beside a later start, which doesn't wait for the database."""
    background = BackgroundTasks()
    background.start(add_sample_products(settings))
    stack.push_async_callback(background.stop)


async def _shown(events: LiveEvents) -> AsyncIterator[Event]:
    """The live events; the messages to models are unpacked for the page."""
    async for event in events.listen():
        if event["type"] == "asked":
            event["requests"] = unpack(b64decode(event.pop("packed")))
        yield event


def _page(
    settings: Settings,
    simulated: SimulatedServices,
    rewriter: UrlRewriter,
    notifier: UpdateNotifier,
    events: LiveEvents,
) -> web.Application:
    """The page with everything that it shows of the simulators."""
    facts = {
        "services": simulated.modes,
        "staff": _staff(settings, simulated.modes["WhatsApp"]),
        "reach": rewriter.paths,
        "echo_pause_minutes": settings.channel.echo_pause_minutes,
        "redis": {
            "url": settings.redis.url.get_secret_value() if settings.redis.url else "",
            "folder": str(settings.storage.dir.parent / "redis"),
        },
    }
    page = api.create_phone_app(simulated.meta, partial(_shown, events), facts, notifier.listen)
    page.add_routes(emails.routes(simulated.smtp, rewriter))
    page.add_routes(meta_routes(simulated.meta))
    simulated.meta.wire.on_change = partial(notifier.notify, "wire")
    page.router.add_get("/events-out", simulated.erp.list_events)
    page.router.add_get("/pushes", simulated.push.list_pushes)
    simulated.erp.on_change = partial(notifier.notify, "events")
    simulated.push.on_change = partial(notifier.notify, "pushes")
    if simulated.stripe:
        page.add_routes([*phone_stripe.routes(simulated.stripe), *stripe_routes(simulated.stripe)])
    return page


def _console_of(app: web.Application) -> Callable[[], Awaitable[ConsoleParts]]:
    """The console's parts, made at the first call."""

    async def console() -> ConsoleParts:
        return await app[OPENING]()

    return console


def _add_recado_routes(
    page: web.Application, settings: Settings, redis: Redis, console: Callable[[], Awaitable[ConsoleParts]]
) -> None:
    """Routes that read and change Recado's own data."""
    page.router.add_post("/give-back", give_back_handler(console))
    page.router.add_get("/files", list_files_handler(redis, files_of(redis, settings)))
    database = LazyDatabase(settings.database)
    page.router.add_get("/catalogue", list_products_handler(Catalogue(redis), database))
    page.on_cleanup.append(lambda _: database.close())


def _set_service_defaults(settings: Settings, host: str, port: int) -> dict[str, str]:
    """Fill in the public URL, the prompts' release mode and the console's token; gives the paths of own origins."""
    paths = {}
    if settings.service.public_url is None:
        own = f"http://{LOOPBACK if host in _EVERY_INTERFACE else host}:{port}"
        settings.service = settings.service.model_copy(update={"public_url": own})
        paths[own] = ""
    if "prompts_release" not in settings.service.model_fields_set:
        settings.service = settings.service.model_copy(update={"prompts_release": "watch"})
    if settings.service.console_token is None:
        # Nobody needs to know it: the sandbox's own link logs in.
        settings.service = settings.service.model_copy(update={"console_token": SecretStr(secrets.token_urlsafe(24))})
    return paths


class _StripeAccount:
    """The simulated account of an earlier run, or a new one with the demo's customers."""

    def __init__(
        self, stripe: StripeSimulator, stack: AsyncExitStack, folder: DataFolder, rewriter: UrlRewriter
    ) -> None:
        self._stripe, self._folder, self._state = stripe, folder, StripeState(folder.stripe)
        self._earlier = self._state.restore(stripe)
        for address in (*(self._earlier or ()), stripe.account.base_url):
            rewriter.paths[address] = _STRIPE_PAGES
        stack.callback(self._state.close, stripe)

    def open(self, notifier: UpdateNotifier) -> None:
        """Send events about changes from now on, and those that an earlier run didn't send."""
        stripe = self._stripe

        def changed() -> None:
            notifier.notify("stripe")
            self._state.watch(stripe)

        stripe.on_change = stripe.webhooks.on_taken = changed
        if self._earlier is None:
            _add_demo_customers(stripe, self._folder)
        else:
            stripe.send_pending()


def _add_demo_customers(stripe: StripeSimulator, folder: DataFolder) -> None:
    """Create the demo's customers, without events if an earlier run has sent them."""
    quietly = stripe.webhooks.holding = folder.seeded
    first, *_, last = api.PEOPLE
    linked = demo_customers.customer(stripe, first.phone or first.bsuid, first.name, "ana@example.com")
    demo_customers.subscribe(stripe, linked)
    # This account has no contact yet, so that the demo can show how a code by e-mail links the two.
    unlinked = demo_customers.customer(stripe, None, last.name, "sam@example.com")
    demo_customers.speaks(stripe, unlinked, "en")
    demo_customers.subscribe(stripe, unlinked)
    if quietly:
        stripe.webhooks.discard()
    folder.mark_seeded()


def _staff(settings: Settings, whatsapp: Mode) -> list[str]:
    """BSUIDs of the page's people who are staff; the demo's own where none is set and WhatsApp is simulated."""
    if not settings.channel.staff_contacts and whatsapp == "imitation":
        settings.channel = settings.channel.model_copy(update={"staff_contacts": list(api.STAFF)})
    known = set(settings.channel.staff_contacts)
    return [person.bsuid for person in api.PEOPLE if {person.bsuid, person.phone} & known]


async def _redirect_to_page(_: web.Request) -> web.Response:
    raise web.HTTPFound("/sandbox/")


def _kept_in(folder: DataFolder, settings: Settings) -> tuple[DatabaseSettings, StorageSettings]:
    """The database and the files in the sandbox's folder, whatever the environment names."""
    url = SecretStr(f"sqlite:///{folder.database}")
    return settings.database.model_copy(update={"url": url}), _storage(settings.storage, folder.files)


def _storage(storage: StorageSettings, folder: Path) -> StorageSettings:
    """Keep files in `folder`.

    Many machines have Amazon's keys in their environment, so that keys without a bucket don't choose S3.
    """
    by_chance = storage.provider is None and storage.chosen == "s3" and "aws_s3_bucket" not in storage.model_fields_set
    return storage.model_copy(update={"dir": folder} | ({"provider": "local"} if by_chance else {}))
