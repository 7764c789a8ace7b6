"""Check of every integration: configured, reachable, authorised; else with the fix.

The modules are named like those of `bot/settings/`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp

from bot.cli.doctor import database, documents, integrations, models, people, service, whatsapp
from bot.cli.doctor.check import SECONDS, CheckResult
from bot.cli.doctor.words import said
from bot.cli.language import spoken_language
from bot.cli.terminal import coloured
from bot.infra import bounded_http
from bot.settings import Settings

__all__ = ("CheckResult", "examine", "report")

Check = Callable[[Settings, aiohttp.ClientSession], Awaitable[CheckResult]]
# Integrations whose name differs from their check's name.
_NAMES = {"whatsapp": "WhatsApp", "openrouter": "OpenRouter", "push": "Web Push", "company_login": "OpenID"}
# Because libraries such as obstore quote addresses in their errors, passwords are removed.
_PASSWORD = re.compile(r"(?<=://)[^\s/@]{1,1000}@")
_MARKS = {"ok": ("✓", "green"), "absent": ("–", "bright_black"), "wrong": ("✗", "red")}


async def examine(settings: Settings) -> list[CheckResult]:
    """Results of all checks, in a fixed order; each check takes at most 15 seconds."""
    async with bounded_http.session(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http:
        checks: list[Check] = [
            service.redis,
            database.database,
            whatsapp.whatsapp,
            whatsapp.webhook,
            whatsapp.sending,
            models.openrouter,
            models.whisper,
            models.vision,
            integrations.stripe,
            integrations.storage,
            service.prompts,
            documents.documents,
            models.audio,
            integrations.subscribers,
            integrations.push,
            service.console,
            people.company_login,
            service.metrics,
        ]
        found, mail = await asyncio.gather(
            asyncio.gather(*(_checked(check, settings, http) for check in checks)), _checked_mail(settings)
        )
        return [*found, *mail]


async def _checked(check: Check, settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    """Run one check; because the other results matter too, its failure becomes a result."""
    try:
        found = await check(settings, http)
        return replace(found, said={name: _PASSWORD.sub("", words) for name, words in found.said.items()})
    except Exception as error:  # noqa: BLE001 - an operator has to read the other results
        return _failed_check(_NAMES.get(check.__name__, check.__name__.capitalize()), error)


async def _checked_mail(settings: Settings) -> list[CheckResult]:
    try:
        return await integrations.mail(settings)
    except Exception as error:  # noqa: BLE001 - as above
        return [_failed_check("E-mail", error)]


def _failed_check(integration: str, error: Exception) -> CheckResult:
    # Because the message may quote an address with a password, only the type is shown.
    return CheckResult(integration, "wrong", said("not looked at", error=type(error).__name__))


def report(results: list[CheckResult], output: str) -> str:
    """Results as text, one line each, or as JSON."""
    if output == "json":
        return json.dumps([result.as_json() for result in results], ensure_ascii=False, indent=2)
    width = max(len(result.integration) for result in results)
    return "\n".join(_line(result, width) for result in results)


def _line(check_result: CheckResult, width: int) -> str:
    mark, colour = _MARKS[check_result.state]
    return (
        f"{coloured(f'{mark} {check_result.integration.ljust(width)}', colour)}  {check_result.said[spoken_language()]}"
    )
