"""The company's integrations: Stripe, files, subscribers, browser notifications, e-mail."""

from __future__ import annotations

import asyncio
import secrets
from urllib.parse import urlsplit

import aiohttp
from redis.exceptions import RedisError

from bot.cli.doctor.check import SECONDS, CheckResult
from bot.cli.doctor.words import complained, joined, quoted, said
from bot.infra.guarded_http import GuardedHttpClient, NoAnswer
from bot.infra.redis import connect
from bot.integrations.email.factory import check_providers
from bot.integrations.push.vapid import KeysWrong, private_of
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import KeyRejected, StripeFailed
from bot.settings import Settings, SettingsWrong
from bot.settings.reading import origin
from bot.storage.factory import storage_of
from bot.storage.file_index import count_lost
from bot.storage.storage import NotStored, Storage, StorageFailed

_SAMPLE_FILES = 20


async def stripe(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    key = settings.stripe.secret_key
    if key is None and settings.stripe.webhook_secret:
        return CheckResult("Stripe", "wrong", said("stripe events refused"))
    if key is None:
        return CheckResult("Stripe", "absent", said("no billing"))
    try:
        await Stripe(http, settings.stripe, attempt_seconds=5, all_seconds=5).check()
    except KeyRejected as error:
        return CheckResult("Stripe", "wrong", said("stripe key", error=quoted(str(error))))
    except StripeFailed as error:
        return CheckResult("Stripe", "wrong", said("stripe away", error=quoted(str(error))))
    if not settings.stripe.webhook_secret:
        return CheckResult("Stripe", "wrong", said("no stripe events"))
    mode = said("live mode" if "_live_" in key.get_secret_value() else "test mode")
    secrets_ = len(settings.stripe.webhook_secret)
    return CheckResult("Stripe", "ok", said("stripe whole", mode=mode, secrets=secrets_))


async def storage(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    """Check that the storage can write, read and delete a file."""
    chosen = settings.storage.chosen
    place, data = f"doctor/{secrets.token_hex(8)}", b"written by recado doctor"
    fix = said("see the disk") if chosen == "local" else said("see its variables", chosen=chosen)
    try:
        storage = storage_of(settings.storage)
        async with asyncio.timeout(SECONDS):
            await storage.put(place, data, "text/plain")
            same = await storage.get(place) == data
            await storage.delete(place)
            lost, sampled = await _lost(settings, storage)
    except SettingsWrong as error:
        return CheckResult("Storage", "wrong", complained(error))
    except (StorageFailed, NotStored, TimeoutError) as error:
        why = quoted(str(error)) if isinstance(error, StorageFailed) else said("not read back")
        return CheckResult("Storage", "wrong", said("storage", chosen=chosen, why=why, fix=fix))
    if not same:
        return CheckResult("Storage", "wrong", said("storage", chosen=chosen, why=said("came back changed"), fix=fix))
    if lost:
        found = said("files lost", chosen=chosen, sampled=sampled, lost=lost, fix=fix)
        return CheckResult("Storage", "wrong", found)
    links = chosen != "local" or settings.service.public_url
    return CheckResult("Storage", "ok", said("storage whole" if links else "storage without links", chosen=chosen))


async def _lost(settings: Settings, storage: Storage) -> tuple[int, int]:
    """Number of missing files in a sample, and its size; missing files mean that processes use different storages."""
    async with connect(settings.redis) as client:
        try:
            return await count_lost(client, storage, _SAMPLE_FILES)
        except (RedisError, OSError):
            return 0, 0  # Redis has its own line.


async def subscribers(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    to = settings.subscribers
    if not to.subscribers:
        return CheckResult("Subscribers", "absent", said("no subscribers"))
    if to.secret is None:
        return CheckResult("Subscribers", "wrong", said("no webhook secret"))
    guarded = GuardedHttpClient(allow_private=to.allow_private, seconds=SECONDS)
    try:
        reached = await asyncio.gather(*map(guarded.reach, to.subscribers), return_exceptions=True)
    finally:
        await guarded.close()
    problems = [
        # Because the rest of an address may be a secret, only the host is shown.
        said("subscriber private" if error.private else "subscriber away", host=urlsplit(url).hostname, error=error)
        for url, error in zip(to.subscribers, reached, strict=True)
        if isinstance(error, NoAnswer)
    ]
    if problems:
        return CheckResult("Subscribers", "wrong", said("subscribers wrong", problems=joined(problems, separator=", ")))
    return CheckResult("Subscribers", "ok", said("subscribers whole", count=len(to.subscribers)))


async def push(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    push, address = settings.push, settings.service.public_url
    if not (push.public_key or push.private_key):
        return CheckResult("Web Push", "absent", said("no push"))
    try:
        private_of(push)
    except KeysWrong as error:
        return CheckResult("Web Push", "wrong", quoted(str(error)))
    if push.subject is None:
        return CheckResult("Web Push", "wrong", said("no push subject"))
    if address is None:
        return CheckResult("Web Push", "ok", said("push without address"))
    if not address.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        return CheckResult("Web Push", "wrong", said("push without https"))
    return CheckResult("Web Push", "ok", said("push whole", address=origin(address)))


async def mail(settings: Settings) -> list[CheckResult]:
    """Check each provider, because one may be wrong while the others do its work."""
    found = [
        CheckResult(f"E-mail ({name})", "ok" if works else "wrong", quoted(words))
        for name, works, words in await check_providers(settings.mail)
    ]
    return found or [CheckResult("E-mail", "absent", said("no e-mail"))]
