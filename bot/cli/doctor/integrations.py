"""The company's integrations: Stripe, files, subscribers, browser notifications, e-mail."""

from __future__ import annotations

import asyncio
import secrets
from urllib.parse import urlsplit

import aiohttp
from redis.exceptions import RedisError

from bot.cli.doctor.check import SECONDS, CheckResult
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
        return CheckResult(
            "Stripe", "wrong", "its events are refused, because nobody could work on them; set STRIPE_SECRET_KEY"
        )
    if key is None:
        return CheckResult("Stripe", "absent", "there is no billing; set STRIPE_SECRET_KEY")
    try:
        await Stripe(http, settings.stripe, attempt_seconds=5, all_seconds=5).check()
    except KeyRejected as error:
        fix = "see STRIPE_SECRET_KEY: a secret key, or a restricted one that may read customers"
        return CheckResult("Stripe", "wrong", f"{error}; {fix}")
    except StripeFailed as error:
        return CheckResult("Stripe", "wrong", f"{error}; see the network and STRIPE_API_BASE")
    if not settings.stripe.webhook_secret:
        fix = "make an endpoint for /webhooks/stripe and set STRIPE_WEBHOOK_SECRET"
        return CheckResult("Stripe", "wrong", f"takes the key, but its events don't arrive; {fix}")
    mode = "live mode" if "_live_" in key.get_secret_value() else "test mode"
    return CheckResult(
        "Stripe", "ok", f"takes the key ({mode}), and {len(settings.stripe.webhook_secret)} webhook secret(s)"
    )


async def storage(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    """Check that the storage can write, read and delete a file."""
    chosen = settings.storage.chosen
    place, data = f"doctor/{secrets.token_hex(8)}", b"written by recado doctor"
    fix = "see STORAGE_DIR and its disk" if chosen == "local" else f"see the variables of {chosen} in .env.example"
    try:
        storage = storage_of(settings.storage)
        async with asyncio.timeout(SECONDS):
            await storage.put(place, data, "text/plain")
            same = await storage.get(place) == data
            await storage.delete(place)
            lost, sampled = await _lost(settings, storage)
    except SettingsWrong as error:
        return CheckResult("Storage", "wrong", "; ".join(str(error).splitlines()))
    except (StorageFailed, NotStored, TimeoutError) as error:
        why = str(error) if isinstance(error, StorageFailed) else "a file that was written could not be read"
        return CheckResult("Storage", "wrong", f"{chosen}: {why}; {fix}")
    if not same:
        return CheckResult("Storage", "wrong", f"{chosen}: a file came back changed; {fix}")
    if lost:
        words = f"of {sampled} files that people have, {lost} are not here; serve, worker and commands need one storage"
        return CheckResult("Storage", "wrong", f"{chosen}: {words}: {fix}")
    links = chosen != "local" or settings.service.public_url
    return CheckResult("Storage", "ok", f"{chosen}, can be written{'' if links else '; for links set PUBLIC_URL'}")


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
        return CheckResult("Subscribers", "absent", "nobody gets events; set WEBHOOK_SUBSCRIBERS and WEBHOOK_SECRET")
    if to.secret is None:
        return CheckResult("Subscribers", "wrong", "events can't be signed; set WEBHOOK_SECRET to whsec_ and base64")
    guarded = GuardedHttpClient(allow_private=to.allow_private, seconds=SECONDS)
    try:
        reached = await asyncio.gather(*map(guarded.reach, to.subscribers), return_exceptions=True)
    finally:
        await guarded.close()
    problems = [
        # Because the rest of an address may be a secret, only the host is shown.
        f"{urlsplit(url).hostname}: {error}{'; allow it with WEBHOOK_ALLOW_PRIVATE' if error.private else ''}"
        for url, error in zip(to.subscribers, reached, strict=True)
        if isinstance(error, NoAnswer)
    ]
    if problems:
        return CheckResult("Subscribers", "wrong", f"{', '.join(problems)}; see WEBHOOK_SUBSCRIBERS")
    return CheckResult("Subscribers", "ok", f"{len(to.subscribers)} can be reached, events are signed")


async def push(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    push, address = settings.push, settings.service.public_url
    if not (push.public_key or push.private_key):
        return CheckResult("Web Push", "absent", "no notifications in browsers; make keys with `recado keys vapid`")
    try:
        private_of(push)
    except KeysWrong as error:
        return CheckResult("Web Push", "wrong", str(error))
    if push.subject is None:
        return CheckResult(
            "Web Push", "wrong", "push services want to know whom to write to; set VAPID_SUBJECT=mailto:…"
        )
    if address is None:
        return CheckResult("Web Push", "ok", "keys of one pair; the assistant invites nobody until PUBLIC_URL is set")
    if not address.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        return CheckResult("Web Push", "wrong", "browsers subscribe only at https addresses; see PUBLIC_URL")
    return CheckResult("Web Push", "ok", f"keys of one pair, people are invited to {origin(address)}")


async def mail(settings: Settings) -> list[CheckResult]:
    """Check each provider, because one may be wrong while the others do its work."""
    found = [
        CheckResult(f"E-mail ({name})", "ok" if works else "wrong", words)
        for name, works, words in await check_providers(settings.mail)
    ]
    fix = "set SENDGRID_API_KEY and SENDGRID_FROM_EMAIL, or AWS_SES_…, or SMTP_HOST and SMTP_FROM_EMAIL"
    return found or [CheckResult("E-mail", "absent", f"no e-mail leaves; {fix}")]
