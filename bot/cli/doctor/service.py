"""Checks of the service itself: Redis, prompts, console, metrics."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiohttp
from pydantic import SecretStr
from redis.exceptions import RedisError

from bot.agent.vocabulary import vocabulary
from bot.cli.doctor import durability
from bot.cli.doctor.check import CheckResult
from bot.cli.doctor.words import Said, joined, said
from bot.infra.redis import connect
from bot.prompting.canary import CurrentRelease
from bot.prompting.knowledge_lock import synced
from bot.prompting.linter import check_folder
from bot.prompting.releases import read_current_release
from bot.settings import Settings

_SHORTEST_TOKEN = 16


async def redis(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    wanted = settings.redis.wait_replicas
    async with connect(settings.redis) as client:
        try:
            # Because managed Redis refuses CONFIG GET, we read INFO first.
            info = await client.info()
            found = await durability.problems(client, info, wanted)
            if not found:
                await client.set("recado:doctor", "1", ex=10)
                durable = await durability.summary(client, info, wanted)
        except (RedisError, OSError) as error:
            return CheckResult("Redis", "wrong", said("redis away", error=type(error).__name__))
    if found:
        return CheckResult("Redis", "wrong", joined(found, "and it"))
    return CheckResult("Redis", "ok", said("redis answers", version=info.get("redis_version"), durable=durable))


async def prompts(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    active, lock = CurrentRelease(), None
    async with connect(settings.redis) as client:
        # Redis has its own line.
        with suppress(RedisError, OSError):
            active, lock = await read_current_release(client), await synced(client)
    checked = await asyncio.to_thread(check_folder, settings.service.prompts_dir, vocabulary(settings), lock)
    if checked.prompts is None:
        more = len(checked.errors) - 1
        first: Said = {"en": str(checked.errors[0]), "es": checked.errors[0].plain("es")}
        return CheckResult("Prompts", "wrong", said("prompts wrong", first=first, more=more) if more else first)
    own, current, canary = checked.prompts.release, active.current, active.canary
    parts = [said("folder is", release=own, business=checked.prompts.business.name)]
    if current not in (None, own):
        parts.append(said("customers get", release=current))
    if canary:
        parts.append(said("some get", percent=canary.percent, release=canary.release))
    return CheckResult("Prompts", "ok", joined(parts))


async def console(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    if settings.service.console_token is None:
        return CheckResult("Console", "absent", said("no console"))
    return CheckResult("Console", "ok", _behind("CONSOLE_TOKEN", settings.service.console_token))


async def metrics(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    token = settings.service.metrics_token
    if token is None:
        address = settings.service.public_url
        found = said("metrics open at", address=address) if address else said("metrics open")
        return CheckResult("Metrics", "absent", found)
    return CheckResult("Metrics", "ok", _behind("METRICS_TOKEN", token))


def _behind(name: str, token: SecretStr) -> Said:
    short = len(token.get_secret_value()) < _SHORTEST_TOKEN
    return said("behind short" if short else "behind", name=name)
