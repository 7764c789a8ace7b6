"""Every integration looked at once: configured, reachable, authorised, and the fix in words where it isn't.

The modules are named like those of `bot/settings/`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace

import aiohttp

from bot.cli.doctor import integrations, models, service, whatsapp
from bot.cli.doctor.check import SECONDS, CheckResult
from bot.settings import Settings

__all__ = ("CheckResult", "examine", "report")

Look = Callable[[Settings, aiohttp.ClientSession], Awaitable[CheckResult]]
# Integrations whose name isn't simply that of their look.
_NAMES = {"whatsapp": "WhatsApp", "openrouter": "OpenRouter", "push": "Web Push"}
# What others say of an address that holds one (obstore does).
_PASSWORD = re.compile(r"(?<=://)[^\s/@]{1,1000}@")
_MARKS = {"ok": "✓", "absent": "–", "wrong": "✗"}


async def examine(settings: Settings) -> list[CheckResult]:
    """All findings, in a fixed order; each look takes at most 15 seconds."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http:
        looks: list[Look] = [
            service.redis,
            whatsapp.whatsapp,
            whatsapp.webhook,
            whatsapp.sending,
            models.openrouter,
            models.whisper,
            models.vision,
            integrations.stripe,
            integrations.storage,
            service.prompts,
            models.audio,
            integrations.subscribers,
            integrations.push,
            service.console,
            service.metrics,
        ]
        found, mail = await asyncio.gather(
            asyncio.gather(*(_found(look, settings, http) for look in looks)), _mail(settings)
        )
        return [*found, *mail]


async def _found(look: Look, settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    """Findings of a single look; its own failure is a finding too, so that the others are still told."""
    try:
        found = await look(settings, http)
        return replace(found, words=_PASSWORD.sub("", found.words))
    except Exception as error:  # noqa: BLE001 - whatever it is, an operator has to read the other findings
        return _unexpected(_NAMES.get(look.__name__, look.__name__.capitalize()), error)


async def _mail(settings: Settings) -> list[CheckResult]:
    try:
        return await integrations.mail(settings)
    except Exception as error:  # noqa: BLE001 - as above
        return [_unexpected("E-mail", error)]


def _unexpected(integration: str, error: Exception) -> CheckResult:
    # Never its words: they may quote an address with a password.
    fix = "see its variables in .env.example, first its address: no user name or password belongs there"
    return CheckResult(integration, "wrong", f"could not be looked at ({type(error).__name__}); {fix}")


def report(findings: list[CheckResult], output: str) -> str:
    """The findings as text, one line each, or as JSON."""
    if output == "json":
        return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2)
    width = max(len(finding.integration) for finding in findings)
    return "\n".join(f"{_MARKS[one.state]} {one.integration.ljust(width)}  {one.words}" for one in findings)
