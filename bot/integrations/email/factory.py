"""Makes the configured providers, and the queue in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never

import aiohttp
from redis.asyncio import Redis

from bot.infra.alerts import Alerts
from bot.infra.live_events import LiveEvents
from bot.integrations.email.aws_sigv4 import AwsKey
from bot.integrations.email.composer import BusinessName, EmailComposer
from bot.integrations.email.failover import FailoverSender
from bot.integrations.email.http import session
from bot.integrations.email.provider import MailError, Provider, domain_of
from bot.integrations.email.queue import EmailOf, EmailQueue
from bot.integrations.email.receipts import Receipts
from bot.integrations.email.sendgrid import SendGrid
from bot.integrations.email.ses import Ses
from bot.integrations.email.suppression import Suppression
from bot.messages.language import Language
from bot.settings import MailSettings
from bot.settings.integrations import MailProvider
from bot.storage.storage import Storage

NAMES = {"sendgrid": "SendGrid", "ses": "SES", "smtp": "SMTP"}


@asynccontextmanager
async def email_queue(  # noqa: PLR0913 - what the queue stands on
    redis: Redis,
    settings: MailSettings,
    storage: Storage,
    *,
    business: BusinessName,
    language: Language = "es",
    email_of: EmailOf | None = None,
) -> AsyncIterator[EmailQueue | None]:
    """The queue, until the context ends; None when no provider is configured."""
    if not settings.configured:
        yield None
        return
    async with session() as http:
        providers = [provider(name, settings, http) for name in settings.configured]
        suppression = Suppression(redis)
        sender = FailoverSender(providers, Receipts(redis), suppression, Alerts(redis, LiveEvents(redis)))
        composer = EmailComposer(
            storage,
            business=business,
            sender_domain=domain_of(_sender(settings.configured[0], settings)),
            default_language=language,
        )
        yield EmailQueue(redis, composer, sender, suppression, email_of)


async def check_providers(settings: MailSettings) -> list[tuple[str, bool, str]]:
    """Name of each configured provider, whether it would take our e-mail, and its answer with a fix."""
    found = []
    async with session() as http:
        for name in settings.configured:
            try:
                found.append((NAMES[name], True, await provider(name, settings, http, seconds=10).check()))
            except MailError as error:
                fix = getattr(error, "fix", f"see the network and {_ADDRESS_SETTINGS[name]}")
                found.append((NAMES[name], False, f"{error}; {fix}"))
            except ValueError:
                # The error's text may quote an address with a password, so that it isn't shown.
                why = "no request can be made of its address and key; the address may hold no user name or password"
                found.append((NAMES[name], False, f"{why}; see {_ADDRESS_SETTINGS[name]}"))
    return found


_ADDRESS_SETTINGS: dict[MailProvider, str] = {
    "sendgrid": "SENDGRID_BASE_URL",
    "ses": "AWS_SES_REGION, or AWS_ENDPOINT_URL_SES",
    "smtp": "SMTP_HOST and SMTP_PORT",
}


def provider(
    name: MailProvider, settings: MailSettings, http: aiohttp.ClientSession, *, seconds: float = 60
) -> Provider:
    """`seconds` bound one request."""
    sender = _sender(name, settings)
    match name:
        case "sendgrid":
            return SendGrid(
                http,
                api_key=settings.sendgrid_api_key.get_secret_value() if settings.sendgrid_api_key else "",
                sender=sender,
                sender_name=settings.sendgrid_from_name,
                base_url=settings.sendgrid_base_url,
                seconds=seconds,
            )
        case "ses":
            secret = settings.aws_ses_secret_access_key
            key = AwsKey(
                settings.aws_ses_access_key_id or "",
                secret.get_secret_value() if secret else "",
                settings.aws_ses_region,
                "ses",
            )
            return Ses(http, key, sender=sender, base_url=settings.aws_endpoint_url_ses, seconds=seconds)
        case "smtp":
            # Only companies with an SMTP server pay for this import.
            from bot.integrations.email.smtp import Smtp  # noqa: PLC0415

            password = settings.smtp_password
            login = (settings.smtp_username, password.get_secret_value() if password else "")
            return Smtp(
                settings.smtp_host or "",
                settings.smtp_port,
                sender=sender,
                tls=settings.smtp_tls,
                login=(login[0], login[1]) if login[0] else None,
                seconds=min(seconds, 15),
            )
    assert_never(name)


def _sender(name: MailProvider, settings: MailSettings) -> str:
    senders = {
        "sendgrid": settings.sendgrid_from_email,
        "ses": settings.aws_ses_from_email,
        "smtp": settings.smtp_from_email,
    }
    return senders[name] or ""
