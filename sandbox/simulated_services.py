"""Simulators of the vendors: one starts for each service without a key, and the settings then point to it."""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from bot.infra.live_events import LiveEvents
from bot.integrations.push.vapid import new_pair
from bot.settings import Settings
from bot.web.server import listening
from sandbox.background import BackgroundTasks
from sandbox.kept_records import KeptRecords
from sandbox.meta.chat_store import ChatStore
from sandbox.meta.simulator import MetaSimulator
from sandbox.simulators.event_subscriber import ErpSimulator, new_secret
from sandbox.simulators.openrouter import OpenRouterSimulator
from sandbox.simulators.smtp import ReceivedEmail, SmtpSimulator
from sandbox.simulators.vision import VisionSimulator
from sandbox.simulators.web_push import PushServiceSimulator
from sandbox.simulators.whisper import WhisperSimulator
from sandbox.stripe import StripeSimulator

# The page's scripts compare these words.
Mode = Literal["real", "imitation"]

LOOPBACK = "127.0.0.1"
_ANY_PORT = 0
_TRIAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class SimulatedServices:
    """The simulators that the page shows, and the `modes` of all services; `stripe` is None if Stripe is real."""

    meta: MetaSimulator
    smtp: SmtpSimulator
    stripe: StripeSimulator | None
    erp: ErpSimulator
    push: PushServiceSimulator
    modes: dict[str, Mode]


async def start_simulators(  # noqa: PLR0913 - the parts of a process that simulators use
    settings: Settings, stack: AsyncExitStack, port: int, events: LiveEvents, store: ChatStore, *, warm: bool = False
) -> SimulatedServices:
    """Start a simulator for each service without a key; `port` is the port of Recado's server.

    `store` keeps the chats and what the page lists. `warm` loads the engine that reads photos before the first comes.
    """
    erp, erp_mode = await _start_erp(settings, stack, KeptRecords("event", store))
    push, push_mode = await _start_push_service(settings, stack, KeptRecords("push", store))
    modes: dict[str, Mode] = {
        "WhatsApp": "real" if settings.whatsapp.access_token else "imitation",
        "OpenRouter": await _start_openrouter(settings, stack),
        "Whisper": await _start_whisper(settings, stack),
        "Vision": await _start_vision(settings, stack, warm=warm),
        "Subscribers": erp_mode,
        "Web Push": push_mode,
    }
    stripe = await _start_stripe(settings, stack, port)
    modes["Stripe"] = "imitation" if stripe else "real"
    meta = await _start_meta(settings, stack, port, store)
    smtp, modes["E-mail"] = await _start_smtp(settings, stack, events, KeptRecords("mail", store))
    return SimulatedServices(meta, smtp, stripe, erp, push, modes)


async def _start_meta(settings: Settings, stack: AsyncExitStack, port: int, store: ChatStore) -> MetaSimulator:
    """Start Meta's simulator; with a real token only the page uses it, and Recado talks to Meta."""
    real = settings.whatsapp.access_token is not None
    meta = MetaSimulator(
        webhook_url=f"http://{LOOPBACK}:{port}/webhooks/whatsapp",
        app_secret=secrets.token_hex(16),
        access_token=f"sandbox-{secrets.token_hex(8)}",
        verify_token="sandbox",  # noqa: S106 - shown on the page, protects nothing
        store=store,
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


async def _start_openrouter(settings: Settings, stack: AsyncExitStack) -> Mode:
    if settings.llm.api_key is not None:
        return "real"
    key = f"sandbox-{secrets.token_hex(8)}"
    url = await stack.enter_async_context(listening(OpenRouterSimulator(key).app(), LOOPBACK, _ANY_PORT, finish=0.1))
    settings.llm = settings.llm.model_copy(update={"api_key": SecretStr(key), "base_url": f"{url}/api/v1"})
    return "imitation"


async def _start_whisper(settings: Settings, stack: AsyncExitStack) -> Mode:
    if settings.whisper.api_key is not None:
        return "real"
    key = f"sandbox-{secrets.token_hex(8)}"
    app = WhisperSimulator(api_key=key).app()
    url = await stack.enter_async_context(listening(app, LOOPBACK, _ANY_PORT, finish=0.1))
    settings.whisper = settings.whisper.model_copy(update={"api_key": SecretStr(key), "base_url": f"{url}/v1"})
    return "imitation"


async def _start_vision(settings: Settings, stack: AsyncExitStack, *, warm: bool) -> Mode:
    if settings.vision.configured:
        return "real"
    vision = VisionSimulator()
    endpoint = await vision.start(LOOPBACK, _ANY_PORT)
    tasks = BackgroundTasks()
    stack.push_async_callback(vision.stop)
    stack.push_async_callback(tasks.stop)
    if warm:
        tasks.start(vision.warm())
    settings.vision = settings.vision.model_copy(update={"vision_endpoint": endpoint})
    return "imitation"


async def _start_smtp(
    settings: Settings, stack: AsyncExitStack, events: LiveEvents, kept: KeptRecords
) -> tuple[SmtpSimulator, Mode]:
    """Start an SMTP server that the page shows; e-mail goes to it where no provider is configured."""

    async def announce(mail: ReceivedEmail) -> None:
        await events.publish({"type": "mail", "id": mail.id, "to": mail.to, "subject": mail.subject, "at": mail.at})

    smtp = await stack.enter_async_context(SmtpSimulator(on_received=announce, kept=kept).running())
    if settings.mail.configured:
        return smtp, "real"
    settings.mail = settings.mail.model_copy(
        update={
            "providers": [],
            "smtp_host": LOOPBACK,
            "smtp_port": smtp.port,
            "smtp_tls": "none",
            "smtp_username": None,
            "smtp_from_email": "hola@recado.example",
        }
    )
    return smtp, "imitation"


async def _start_stripe(settings: Settings, stack: AsyncExitStack, port: int) -> StripeSimulator | None:
    if settings.stripe.secret_key is not None:
        return None
    key, secret = f"sk_test_{secrets.token_hex(12)}", f"whsec_{secrets.token_hex(16)}"
    webhook = f"http://{LOOPBACK}:{port}/webhooks/stripe"
    # Redis remembers the ids of earlier runs, so that each run has ids of its own.
    stripe = StripeSimulator(key, secret, webhook, seed=secrets.token_hex(4))
    url = await stack.enter_async_context(listening(stripe.app(), LOOPBACK, _ANY_PORT, finish=0.1))
    stripe.account.base_url = url
    settings.stripe = settings.stripe.model_copy(
        update={
            "secret_key": SecretStr(key),
            "webhook_secret": [SecretStr(secret)],
            "api_base": url,
            "return_url": settings.stripe.return_url or f"{url}/back",
            # The demo's business offers a trial (prompts/_business.md).
            "trial_days": settings.stripe.trial_days or _TRIAL_DAYS,
        }
    )
    return stripe


async def _start_erp(settings: Settings, stack: AsyncExitStack, kept: KeptRecords) -> tuple[ErpSimulator, Mode]:
    """Start the company's ERP; with real subscribers it receives nothing, and the page shows an empty list."""
    configured = settings.subscribers.secret
    if settings.subscribers.subscribers:
        return ErpSimulator(configured.get_secret_value() if configured else new_secret()), "real"
    secret = new_secret()
    erp = ErpSimulator(secret, kept)
    url = await stack.enter_async_context(listening(erp.app(), LOOPBACK, _ANY_PORT, finish=0.1))
    settings.subscribers = settings.subscribers.model_copy(
        update={"subscribers": [f"{url}/events"], "secret": SecretStr(secret), "allow_private": True}
    )
    return erp, "imitation"


async def _start_push_service(
    settings: Settings, stack: AsyncExitStack, kept: KeptRecords
) -> tuple[PushServiceSimulator, Mode]:
    mode: Mode = "real" if settings.push.configured else "imitation"
    if mode == "imitation":
        public, private = new_pair()
        keys = {"public_key": public, "private_key": SecretStr(private), "subject": "mailto:sandbox@example.com"}
        settings.push = settings.push.model_copy(update=keys)
    # Simulated browsers are on this machine, so that their private addresses must be allowed.
    settings.push = settings.push.model_copy(update={"allow_private": True})
    push = PushServiceSimulator(kept)
    push.url = await stack.enter_async_context(listening(push.app(), LOOPBACK, _ANY_PORT, finish=0.1))
    return push, mode
