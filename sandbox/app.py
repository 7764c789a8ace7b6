"""A company in a box: the real server and worker, a Redis of their own, and imitations where no key is set."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from bot.conversations.contacts import Contacts
from bot.conversations.handoff import HandOff
from bot.conversations.identity import is_conversation
from bot.infra.live_events import LiveEvents
from bot.infra.queues import QUEUES
from bot.infra.redis import connect
from bot.settings import RedisSettings, Settings, StorageSettings
from bot.storage.files import files_of
from bot.web.app import create_app
from bot.web.server import listening
from bot.worker import running
from sandbox.external import open_outward as _outward
from sandbox.meta.simulator import Meta
from sandbox.phone import api, demo_customers, emails
from sandbox.phone import stripe as phone_stripe
from sandbox.phone.files import list_of_files
from sandbox.phone.origin_guard import own_names
from sandbox.phone.updates import News
from sandbox.ports import free_port
from sandbox.redis_server import redis_server
from sandbox.simulators.openrouter import OpenRouterImitation
from sandbox.simulators.smtp import Postbox, Posted
from sandbox.simulators.vision import VisionImitation
from sandbox.simulators.whisper import WhisperImitation
from sandbox.stripe import StripeSimulator
from sandbox.url_rewriter import Reach

_ANY_PORT = 0
_LOOPBACK = "127.0.0.1"
_STRIPE_PAGES = "/sandbox/stripe-pages"
_TRIAL_DAYS = 14


@asynccontextmanager
async def open_company(settings: Settings, host: str, port: int, data: Path) -> AsyncIterator[str]:
    """Run everything until the context ends; gives the page's address. `data` keeps their files."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(redis_server(data / "redis"))
        settings.redis = RedisSettings(url=SecretStr(url))
        settings.storage = _files(settings.storage, data / "files")
        port = port or free_port(host)
        names = own_names(host, settings.service.public_url)
        reach = Reach({})
        if settings.service.public_url is None:
            own = f"http://{_LOOPBACK if host in ('0.0.0.0', '::') else host}:{port}"
            settings.service = settings.service.model_copy(update={"public_url": own})
            reach.paths[own] = ""
        outward = await _outward(settings, stack, f"http://{_LOOPBACK}:{port}")
        if "prompts_release" not in settings.service.model_fields_set:
            settings.service = settings.service.model_copy(update={"prompts_release": "watch"})
        services = {
            "WhatsApp": "real" if settings.whatsapp.access_token else "imitation",
            "OpenRouter": await _openrouter(settings, stack),
            "Whisper": await _whisper(settings, stack),
            "Vision": await _vision(settings, stack),
            "Subscribers": outward.subscribers,
            "Web Push": outward.keys,
        }
        stripe = await _stripe(settings, stack, port, reach)
        services["Stripe"] = "imitation" if stripe else "real"
        meta = await _meta(settings, stack, port)
        redis = await stack.enter_async_context(connect(settings.redis))
        events = LiveEvents(redis)
        postbox, services["E-mail"] = await _mail(settings, stack, events)
        app = create_app(settings)
        app.middlewares.insert(0, names)
        news = News()
        facts = {"services": services, "staff": _staff(settings, services["WhatsApp"]), "reach": reach.paths}
        page = api.application(meta, events.listen, facts, news.listen)
        page.add_routes(emails.routes(postbox, reach))
        page.router.add_post("/give-back", _give_back(HandOff(Contacts(redis), events)))
        page.router.add_get("/files", list_of_files(redis, files_of(redis, settings)))
        page.router.add_get("/events-out", outward.erp.shown)
        page.router.add_get("/pushes", outward.push.shown)
        page.router.add_post("/push/browser", outward.subscribe)
        outward.erp.changed = partial(news.tell, "events")
        outward.push.changed = partial(news.tell, "pushes")
        if stripe:
            page.add_routes(phone_stripe.routes(stripe))
            app.add_subapp(f"{_STRIPE_PAGES}/", reach.led(stripe.pages()))
        app.add_subapp("/sandbox/", page)
        app.add_routes([web.get("/", _to_the_page)])
        await stack.enter_async_context(running(settings, QUEUES))
        address = await stack.enter_async_context(listening(app, host, port))
        if stripe:
            stripe.on_change = partial(news.tell, "stripe")
            first, *_, last = api.PEOPLE
            demo_customers.subscribe(
                stripe, demo_customers.customer(stripe, first.phone or first.bsuid, first.name, "ana@example.com")
            )
            # Somebody whose account nobody knows yet: a code by e-mail finds it.
            demo_customers.subscribe(stripe, demo_customers.customer(stripe, None, last.name, "sam@example.com"))
        yield f"{address}/sandbox/"


async def _meta(settings: Settings, stack: AsyncExitStack, port: int) -> Meta:
    """The imitation of Meta; with a real token it is there for the page alone, and Recado talks to the real one."""
    real = settings.whatsapp.access_token is not None
    meta = Meta(
        webhook_url=f"http://{_LOOPBACK}:{port}/webhooks/whatsapp",
        app_secret=secrets.token_hex(16),
        access_token=f"sandbox-{secrets.token_hex(8)}",
        verify_token="sandbox",  # noqa: S106 - shown on the page, protects nothing
    )
    base = await meta.start()
    stack.push_async_callback(meta.stop)
    if not real:
        settings.whatsapp = settings.whatsapp.model_copy(
            update={
                "access_token": SecretStr(meta.access_token),
                "phone_number_id": meta.phone_number_id,
                "waba_id": meta.waba_id,
                "webhook_verify_token": SecretStr(meta.verify_token),
                "app_secret": [SecretStr(meta.app_secret)],
                "api_base_url": base,
            }
        )
    return meta


async def _openrouter(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.llm.api_key is not None:
        return "real"
    key = f"sandbox-{secrets.token_hex(8)}"
    url = await stack.enter_async_context(listening(OpenRouterImitation(key).app(), _LOOPBACK, _ANY_PORT, finish=0.1))
    settings.llm = settings.llm.model_copy(update={"api_key": SecretStr(key), "base_url": f"{url}/api/v1"})
    return "imitation"


async def _whisper(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.whisper.api_key is not None:
        return "real"
    key = f"sandbox-{secrets.token_hex(8)}"
    url = await stack.enter_async_context(
        listening(WhisperImitation(api_key=key).app(), _LOOPBACK, _ANY_PORT, finish=0.1)
    )
    settings.whisper = settings.whisper.model_copy(update={"api_key": SecretStr(key), "base_url": f"{url}/v1"})
    return "imitation"


async def _vision(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.vision.configured:
        return "real"
    vision = VisionImitation()
    endpoint = await vision.start(_LOOPBACK, _ANY_PORT)
    stack.push_async_callback(vision.stop)
    settings.vision = settings.vision.model_copy(update={"vision_endpoint": endpoint})
    return "imitation"


async def _mail(settings: Settings, stack: AsyncExitStack, events: LiveEvents) -> tuple[Postbox, str]:
    """A postbox for the page, which e-mail goes to where no provider is configured."""

    async def tell(mail: Posted) -> None:
        await events.publish({"type": "mail", "id": mail.id, "to": mail.to, "subject": mail.subject, "at": mail.at})

    postbox = await stack.enter_async_context(Postbox(arrived=tell).running())
    if settings.mail.configured:
        return postbox, "real"
    settings.mail = settings.mail.model_copy(
        update={
            "providers": [],
            "smtp_host": _LOOPBACK,
            "smtp_port": postbox.port,
            "smtp_tls": "none",
            "smtp_username": None,
            "smtp_from_email": "hola@recado.example",
        }
    )
    return postbox, "imitation"


async def _stripe(settings: Settings, stack: AsyncExitStack, port: int, reach: Reach) -> StripeSimulator | None:
    if settings.stripe.secret_key is not None:
        return None
    key, secret = f"sk_test_{secrets.token_hex(12)}", f"whsec_{secrets.token_hex(16)}"
    webhook = f"http://{_LOOPBACK}:{port}/webhooks/stripe"
    # Redis remembers the ids of earlier runs.
    stripe = StripeSimulator(key, secret, webhook, seed=secrets.token_hex(4))
    url = await stack.enter_async_context(listening(stripe.app(), _LOOPBACK, _ANY_PORT, finish=0.1))
    stripe.account.base_url = url
    reach.paths[url] = _STRIPE_PAGES
    told = {"secret_key": SecretStr(key), "webhook_secret": [SecretStr(secret)], "api_base": url}
    told |= {"return_url": settings.stripe.return_url or f"{url}/back"}
    # The demo's business offers a trial (prompts/_business.md).
    told |= {"trial_days": settings.stripe.trial_days or _TRIAL_DAYS}
    settings.stripe = settings.stripe.model_copy(update=told)
    return stripe


def _staff(settings: Settings, whatsapp: str) -> list[str]:
    """Who of the page's people is staff, by BSUID; where nobody is and nobody real writes, those of the demo are."""
    if not settings.channel.staff_contacts and whatsapp == "imitation":
        settings.channel = settings.channel.model_copy(update={"staff_contacts": list(api.STAFF)})
    known = set(settings.channel.staff_contacts)
    return [person.bsuid for person in api.PEOPLE if {person.bsuid, person.phone} & known]


async def _to_the_page(_: web.Request) -> web.Response:
    raise web.HTTPFound("/sandbox/")


def _give_back(handoff: HandOff) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The page's button: let the bot answer again."""

    async def handler(request: web.Request) -> web.Response:
        try:
            conversation = (await request.json())["conversation"]
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text='expected {"conversation": "c_…"}') from error
        if not is_conversation(conversation) or not await handoff.give_back(conversation):
            raise web.HTTPNotFound(text="there is no such conversation")
        return web.json_response({})

    return handler


def _files(storage: StorageSettings, folder: Path) -> StorageSettings:
    """Where files are kept. Amazon's keys lie about on many machines: alone they don't mean that a bucket is used."""
    by_chance = storage.provider is None and storage.chosen == "s3" and "aws_s3_bucket" not in storage.model_fields_set
    return storage.model_copy(update={"dir": folder} | ({"provider": "local"} if by_chance else {}))
