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
            fix = "see REDIS_URL, or REDIS_HOST, REDIS_PORT, REDIS_PASSWORD and REDIS_TLS"
            return CheckResult("Redis", "wrong", f"does not answer or can't be written ({type(error).__name__}); {fix}")
    if found:
        return CheckResult("Redis", "wrong", "; and it ".join(found))
    return CheckResult("Redis", "ok", f"version {info.get('redis_version')}, answers and can be written; {durable}")


async def prompts(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    active, lock = CurrentRelease(), None
    async with connect(settings.redis) as client:
        # Redis has its own line.
        with suppress(RedisError, OSError):
            active, lock = await read_current_release(client), await synced(client)
    checked = await asyncio.to_thread(check_folder, settings.service.prompts_dir, vocabulary(settings), lock)
    if checked.prompts is None:
        more = f"; and {len(checked.errors) - 1} more, see `recado prompts check`" if len(checked.errors) > 1 else ""
        return CheckResult("Prompts", "wrong", f"{checked.errors[0]}{more}")
    own, current, canary = checked.prompts.release, active.current, active.canary
    released = "" if current in (None, own) else f"; customers get release {current}, see `recado prompts diff`"
    if canary:
        released += f"; {canary.percent} % of them get {canary.release}, see `recado prompts canary`"
    return CheckResult("Prompts", "ok", f"the folder is release {own}, for {checked.prompts.business.name}{released}")


async def console(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    if settings.service.console_token is None:
        return CheckResult("Console", "absent", "there is no console; set CONSOLE_TOKEN")
    return CheckResult("Console", "ok", f"behind CONSOLE_TOKEN{_strength(settings.service.console_token)}")


async def metrics(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    token = settings.service.metrics_token
    if token is None:
        public = f" at {settings.service.public_url}" if settings.service.public_url else ""
        return CheckResult(
            "Metrics", "absent", f"/metrics is open to whoever reaches `serve`{public}; set METRICS_TOKEN"
        )
    return CheckResult("Metrics", "ok", f"behind METRICS_TOKEN{_strength(token)}")


def _strength(token: SecretStr) -> str:
    short = len(token.get_secret_value()) < _SHORTEST_TOKEN
    return ", which is short enough to be guessed; make another: openssl rand -base64 24" if short else ""
