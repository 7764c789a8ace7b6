"""Closed environment of an evaluation: real tools on a Redis of their own, and simulators of all outside services."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.agent.tool import ToolServices
from bot.catalogue.finder import ProductFinder
from bot.catalogue.importer import read_catalogue
from bot.conversations.contacts import Contact
from bot.integrations.push.vapid import new_pair
from bot.knowledge.knowledge import Knowledge
from bot.media.understanding import PerceivedMessage
from bot.messages.inbound import Inbound
from bot.prompting.business_profile import Business
from bot.prompting.release_gate import CASES
from bot.services import Services, open_services
from bot.settings import RedisSettings, Settings
from bot.web.server import listening
from bot.whatsapp.client import File, FileTooLarge
from evals.case_documents import SyncedDocuments, knowledge_of_cases
from evals.cases import Case
from pipelines.byte_budget import ByteReservation
from sandbox.meta.simulator import MetaSimulator
from sandbox.phone.demo_customers import customer, subscribe
from sandbox.redis_server import redis_server
from sandbox.simulators.whisper import WhisperSimulator
from sandbox.stripe import StripeSimulator

if TYPE_CHECKING:
    from bot.database.engine import Database

_LOOPBACK = "127.0.0.1"
# Because answers of tools have to be the same every day, subscriptions of the cases begin at a fixed time.
_SUBSCRIBED_AT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CaseEnvironment:
    """Services of a run. No effect of a tool leaves this environment.

    `knowledge` has the company's documents and those of the folder `documents` beside the cases; None without any.
    `product_finder` knows the products of the file `catalogue.csv` beside the cases.
    """

    services: Services
    stripe: StripeSimulator
    product_finder: ProductFinder
    knowledge: Knowledge | None = None

    @property
    def tool_services(self) -> ToolServices:
        """Services of the tools, without confirmed cards, because cases have no photos to capture."""
        return replace(
            self.services.tool_services, products=None, product_finder=self.product_finder, knowledge=self.knowledge
        )

    def person(self, case: Case, run: str) -> tuple[str, Contact]:
        """Make a conversation and a contact for one run of a case."""
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
            # Because two customers can't share an address, each run of a case gets its own.
            mail = known.email or f"{name[:12]}@example.com"
            made = customer(self.stripe, contact.phone, known.name or "Cliente", mail)
            subscribe(self.stripe, made, known.plan)
        return f"c_{name[:20]}", contact

    async def perceive(self, case: Case, conversation: str, message: Inbound) -> PerceivedMessage:
        """Read the message's file, which lies beside the case."""
        perception = self.services.perception(_CaseFiles(case.folder))
        return (await perception.perceive(conversation, [message], None, 60))[0]


@dataclass(frozen=True, slots=True)
class _CaseFiles:
    """Files of a folder of cases, in the place of Meta's media."""

    folder: Path

    async def fetch(
        self,
        media_id: str,
        *,
        limit: int,
        reservation: ByteReservation | None = None,  # noqa: ARG002 - a MediaStore's
        sha256: str | None = None,  # noqa: ARG002 - a MediaStore's
    ) -> File:
        data = (self.folder / media_id).read_bytes()
        if len(data) > limit:
            raise FileTooLarge
        return File(data, "")


@asynccontextmanager
async def open_environment(
    settings: Settings, business: Business, folder: Path, synced: SyncedDocuments | None = None
) -> AsyncIterator[CaseEnvironment]:
    """Open the environment until the context ends; `folder` holds its data, `business` is the prompts' one.

    Of the settings only models, speech-to-text and OCR stay as they are.
    """
    async with AsyncExitStack() as stack:
        stripe = await _imitate_services(settings, stack, folder)
        services = await stack.enter_async_context(open_services(settings))

        async def business_name() -> str:
            return business.name

        await services.open_email(business_name)
        beside = settings.service.prompts_dir / CASES
        finder = ProductFinder(_stocked(services, beside / "catalogue.csv"), services.product_finder.cards)
        yield CaseEnvironment(services, stripe, finder, knowledge_of_cases(settings, beside, synced))


def _stocked(services: Services, file: Path) -> Callable[[], Awaitable[Database]]:
    """The way to the environment's database, which has the products of the file from its first use on."""
    data = file.read_bytes() if file.exists() else None

    async def opened() -> Database:
        from bot.catalogue.table import ProductTable  # noqa: PLC0415 - for cases that look for products

        database = await services.database()
        if data is not None:
            currency = services.settings.service.shop_currency
            read = read_catalogue(data, currency, _SUBSCRIBED_AT, lambda: None)
            await ProductTable(database).write(read.products)
        return database

    return opened


async def _imitate_services(settings: Settings, stack: AsyncExitStack, folder: Path) -> StripeSimulator:
    """Point the settings of all services with effects to simulators, whatever is configured."""
    url = await stack.enter_async_context(redis_server(folder / "redis"))
    settings.redis = RedisSettings(url=SecretStr(url))
    local = {"provider": "local", "dir": folder / "files"}
    settings.storage = settings.storage.model_copy(update=local)
    settings.database = settings.database.model_copy(update={"url": SecretStr(f"sqlite:///{folder}/recado.db")})
    settings.subscribers = settings.subscribers.model_copy(update={"subscribers": []})
    settings.service = settings.service.model_copy(update={"public_url": "https://recado.example"})
    public, private = new_pair()
    pair = {"public_key": public, "private_key": SecretStr(private), "subject": "mailto:sandbox@example.com"}
    settings.push = settings.push.model_copy(update=pair)
    # Because no worker serves the queue of e-mails here, they stay in the queue.
    post = {"providers": ["smtp"], "smtp_host": _LOOPBACK, "smtp_tls": "none", "smtp_from_email": "hola@recado.example"}
    settings.mail = settings.mail.model_copy(update=post)
    token = "evaluation"  # noqa: S105 - no secret: the simulator has nothing to protect
    meta = MetaSimulator(webhook_url="", app_secret=secrets.token_hex(8), access_token=token, verify_token=token)
    base = await meta.start()
    stack.push_async_callback(meta.stop)
    number = {"access_token": SecretStr(meta.access_token), "phone_number_id": meta.phone_number_id}
    number |= {"waba_id": meta.waba_id, "api_base_url": base}
    settings.whatsapp = settings.whatsapp.model_copy(update=number)
    if settings.whisper.api_key is None:
        whisper = WhisperSimulator()
        whisper_url = await stack.enter_async_context(listening(whisper.app(), _LOOPBACK, 0, finish=0.1))
        settings.whisper = settings.whisper.model_copy(
            update={"api_key": SecretStr("evaluation"), "base_url": f"{whisper_url}/v1"}
        )
    return await _stripe(settings, stack)


async def _stripe(settings: Settings, stack: AsyncExitStack) -> StripeSimulator:
    key = f"sk_test_{secrets.token_hex(12)}"
    stripe = StripeSimulator(key, f"whsec_{secrets.token_hex(8)}", source=lambda: _SUBSCRIBED_AT)
    url = await stack.enter_async_context(listening(stripe.app(), _LOOPBACK, 0, finish=0.1))
    stripe.account.base_url = url
    imitated = {"secret_key": SecretStr(key), "api_base": url, "return_url": "https://recado.example", "trial_days": 14}
    settings.stripe = settings.stripe.model_copy(update=imitated)
    return stripe
