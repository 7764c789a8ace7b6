"""Every integration looked at once: configured, reachable, authorised, and the fix in words where it isn't.

The modules are named like those of `bot/settings/`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import aiohttp

from bot.doctor import channel, integrations, models, service
from bot.doctor.finding import SECONDS, Finding
from bot.settings import Settings

__all__ = ("Finding", "examine", "report")

_MARKS = {"ok": "✓", "absent": "–", "wrong": "✗"}


async def examine(settings: Settings) -> list[Finding]:
    """All findings, in a fixed order; each look takes at most 15 seconds."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http:
        looks: list[Callable[[Settings, aiohttp.ClientSession], Awaitable[Finding]]] = [
            service.redis,
            channel.whatsapp,
            channel.webhook,
            channel.sending,
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
            asyncio.gather(*(look(settings, http) for look in looks)), integrations.mail(settings)
        )
        return [*found, *mail]


def report(findings: list[Finding], output: str) -> str:
    """The findings as text, one line each, or as JSON."""
    if output == "json":
        return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2)
    width = max(len(finding.integration) for finding in findings)
    return "\n".join(f"{_MARKS[one.state]} {one.integration.ljust(width)}  {one.words}" for one in findings)
