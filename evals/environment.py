"""The closed world of an evaluation: real tools on a Redis of their own, and imitations of everybody outside."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from bot.agent.tool import ToolServices
from bot.conversations.contacts import Contact
from bot.integrations.push.vapid import new_pair
from bot.media.understanding import PerceivedMessage
from bot.messages.inbound import Inbound
from bot.prompting.business_profile import Business
from bot.services import Services, open_services
from bot.settings import RedisSettings, Settings
from bot.web.server import listening
from bot.whatsapp.client import File, FileTooLarge
from evals.cases import Case
from pipelines.byte_budget import Room
from sandbox.meta.simulator import Meta
from sandbox.phone.demo_customers import customer, subscribe
from sandbox.redis_server import redis_server
from sandbox.simulators.whisper import WhisperImitation
from sandbox.stripe import StripeSimulator

_LOOPBACK = "127.0.0.1"
# When the people of the cases subscribed: what tools say of it is the same every day.
_WHEN = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CaseEnvironment:
    """What a case is performed with. Nothing that a tool does here reaches anybody."""

    services: Services
    stripe: StripeSimulator

    @property
    def tool_services(self) -> ToolServices:
        """No photo was sent in a case, so nobody is offered a catalogue of products."""
        return replace(self.services.tool_services, products=None)

    def person(self, case: Case, run: str) -> tuple[str, Contact]:
        """The conversation and the contact of a case, made anew for each run."""
        name = hashlib.sha256(f"{case.name}\0{run}".encode()).hexdigest()
        known = case.contact
        digits = f"{int(name[:12], 16):010d}"[-10:]
        contact = Contact(
            phone=f"521{digits}",
            bsuid=f"MX.{int(name[:14], 16)}",
            name=known.name,
            language=known.language,
            role=case.role,
            email=known.email,
        )
        if known.plan:
            # An address is one customer's: another run of the case has its own.
            mail = known.email or f"{name[:12]}@example.com"
            made = customer(self.stripe, contact.phone, known.name or "Cliente", mail)
            subscribe(self.stripe, made, known.plan)
        return f"c_{name[:20]}", contact

    async def perceive(self, case: Case, conversation: str, message: Inbound) -> PerceivedMessage:
        """Hear, see or read the message's file, which lies beside the case."""
        perception = self.services.perception(_Beside(case.folder))
        return (await perception.perceive(conversation, [message], None, 60))[0]


@dataclass(frozen=True, slots=True)
class _Beside:
    """The folder of the cases in the place of Meta's files."""

    folder: Path

    async def fetch(
        self,
        media_id: str,
        *,
        limit: int,
        room: Room | None = None,  # noqa: ARG002 - a Shelf's
        sha256: str | None = None,  # noqa: ARG002 - a Shelf's
    ) -> File:
        data = (self.folder / media_id).read_bytes()
        if len(data) > limit:
            raise FileTooLarge
        return File(data, "")


@asynccontextmanager
async def open_stage(settings: Settings, business: Business, folder: Path) -> AsyncIterator[CaseEnvironment]:
    """Open it until the context ends; `folder` holds its data, `business` is that of the prompts.

    Of the settings only the models and the engines that hear and see stay as they are.
    """
    async with AsyncExitStack() as stack:
        stripe = await _contained(settings, stack, folder)
        services = await stack.enter_async_context(open_services(settings))

        async def named() -> str:
            return business.name

        await services.open_email(named)
        yield CaseEnvironment(services, stripe)


async def _contained(settings: Settings, stack: AsyncExitStack, folder: Path) -> StripeSimulator:
    """Point all settings of what acts to imitations, whatever is configured."""
    url = await stack.enter_async_context(redis_server(folder / "redis"))
    settings.redis = RedisSettings(url=SecretStr(url))
    local = {"provider": "local", "dir": folder / "files"}
    settings.storage = settings.storage.model_copy(update=local)
    settings.subscribers = settings.subscribers.model_copy(update={"subscribers": []})
    settings.service = settings.service.model_copy(update={"public_url": "https://recado.example"})
    public, private = new_pair()
    pair = {"public_key": public, "private_key": SecretStr(private), "subject": "mailto:sandbox@example.com"}
    settings.push = settings.push.model_copy(update=pair)
    # Nobody works on the queue of e-mails here: they stay in it.
    post = {"providers": ["smtp"], "smtp_host": _LOOPBACK, "smtp_tls": "none", "smtp_from_email": "hola@recado.example"}
    settings.mail = settings.mail.model_copy(update=post)
    meta = Meta(webhook_url="", app_secret=secrets.token_hex(8), access_token="evaluation", verify_token="evaluation")  # noqa: S106 - protects nothing
    base = await meta.start()
    stack.push_async_callback(meta.stop)
    number = {"access_token": SecretStr(meta.access_token), "phone_number_id": meta.phone_number_id}
    number |= {"waba_id": meta.waba_id, "api_base_url": base}
    settings.whatsapp = settings.whatsapp.model_copy(update=number)
    if settings.whisper.api_key is None:
        whisper = WhisperImitation()
        heard = await stack.enter_async_context(listening(whisper.app(), _LOOPBACK, 0, finish=0.1))
        settings.whisper = settings.whisper.model_copy(
            update={"api_key": SecretStr("evaluation"), "base_url": f"{heard}/v1"}
        )
    return await _stripe(settings, stack)


async def _stripe(settings: Settings, stack: AsyncExitStack) -> StripeSimulator:
    key = f"sk_test_{secrets.token_hex(12)}"
    stripe = StripeSimulator(key, f"whsec_{secrets.token_hex(8)}", source=lambda: _WHEN)
    url = await stack.enter_async_context(listening(stripe.app(), _LOOPBACK, 0, finish=0.1))
    stripe.account.base_url = url
    told = {"secret_key": SecretStr(key), "api_base": url, "return_url": "https://recado.example", "trial_days": 14}
    settings.stripe = settings.stripe.model_copy(update=told)
    return stripe
