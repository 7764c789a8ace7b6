"""Every integration looked at once: configured, reachable, authorised, and the fix in words where it isn't."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
from redis.exceptions import RedisError

from bot.events import Events
from bot.mail.connect import examined
from bot.outside import NoAnswer, Outside
from bot.pause import Pause
from bot.payments.client import Stripe
from bot.payments.errors import KeyRejected, StripeFailed
from bot.prompting.check import check_folder
from bot.prompting.releases import standing
from bot.push.keys import KeysWrong, private_of
from bot.redis import connect
from bot.settings import Settings, SettingsWrong
from bot.storage.connect import storage_of
from bot.storage.door import NotStored, StorageFailed
from bot.vocabulary import vocabulary
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, Unavailable
from pipelines.ffmpeg import program

_SECONDS = 15
# What servers of the transcription API say to a request without a recording, once they know who asks.
_NO_FILE = (400, 415, 422)
_MARKS = {"ok": "✓", "absent": "–", "wrong": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`absent`: not configured, which is allowed; `wrong`: configured and not working."""

    integration: str
    state: Literal["ok", "absent", "wrong"]
    words: str

    @property
    def wrong(self) -> bool:
        return self.state == "wrong"


async def examine(settings: Settings) -> list[Finding]:
    """All findings, in a fixed order; each look takes at most 15 seconds."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as http:
        looks: list[Callable[[Settings, aiohttp.ClientSession], Awaitable[Finding]]] = [
            _redis,
            _whatsapp,
            _webhook,
            _sending,
            _openrouter,
            _whisper,
            _vision,
            _stripe,
            _storage,
            _prompts,
            _audio,
            _subscribers,
            _push,
            _console,
        ]
        found, mail = await asyncio.gather(asyncio.gather(*(look(settings, http) for look in looks)), _mail(settings))
        return [*found, *mail]


def report(findings: list[Finding], output: str) -> str:
    """The findings as text, one line each, or as JSON."""
    if output == "json":
        return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2)
    width = max(len(finding.integration) for finding in findings)
    return "\n".join(f"{_MARKS[one.state]} {one.integration.ljust(width)}  {one.words}" for one in findings)


async def _redis(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    async with connect(settings.redis) as client:
        try:
            await client.set("recado:doctor", "1", ex=10)
            # Not CONFIG GET: managed Redis refuses it.
            info = await client.info()
            policy = info.get("maxmemory_policy", "noeviction")
        except (RedisError, OSError) as error:
            fix = "see REDIS_URL, or REDIS_HOST, REDIS_PORT, REDIS_PASSWORD and REDIS_TLS"
            return Finding("Redis", "wrong", f"does not answer or can't be written ({type(error).__name__}); {fix}")
    if policy != "noeviction":
        return Finding("Redis", "wrong", f"forgets under pressure (maxmemory-policy {policy}); set it to noeviction")
    return Finding("Redis", "ok", f"version {info.get('redis_version')}, answers and can be written")


async def _whatsapp(settings: Settings, http: aiohttp.ClientSession) -> Finding:
    if not (settings.whatsapp.access_token and settings.whatsapp.phone_number_id):
        return Finding("WhatsApp", "absent", "set WHATSAPP_ACCESS_TOKEN and WHATSAPP_PHONE_NUMBER_ID")
    try:
        state = await Graph(http, settings.whatsapp).number_state()
    except Unavailable as error:
        return Finding("WhatsApp", "wrong", f"{error}; see the network and WHATSAPP_API_BASE_URL")
    except GraphError as error:
        rejected = error.code in (0, 190)
        fix = "make a token of a system user with whatsapp_business_messaging" if rejected else "see the number's id"
        return Finding("WhatsApp", "wrong", f"{error}; {fix}")
    return Finding("WhatsApp", "ok", f"number {state.get('display_phone_number')} ({state.get('verified_name')})")


async def _webhook(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    whatsapp = settings.whatsapp
    if not whatsapp.app_secret:
        return Finding("Webhook", "absent", "set WHATSAPP_APP_SECRET; `serve` does not start without it")
    if whatsapp.webhook_verify_token is None:
        return Finding("Webhook", "wrong", "Meta can't verify the callback URL; set WHATSAPP_WEBHOOK_VERIFY_TOKEN")
    return Finding("Webhook", "ok", f"{len(whatsapp.app_secret)} app secret(s) and a verify token")


async def _sending(settings: Settings, http: aiohttp.ClientSession) -> Finding:
    """Whether messages would leave now: our own pause, the number's health, our subscription to its account."""
    whatsapp = settings.whatsapp
    if not (whatsapp.access_token and whatsapp.phone_number_id):
        return Finding("Sending", "absent", "set WHATSAPP_ACCESS_TOKEN and WHATSAPP_PHONE_NUMBER_ID")
    async with connect(settings.redis) as client:
        try:
            paused = await Pause(client, Events(client)).now()
        except (RedisError, OSError):
            paused = None  # Redis has its own line.
    if paused:
        return Finding("Sending", "wrong", f"paused, replies wait: {paused.why}; it resumes by itself")
    graph = Graph(http, whatsapp)
    try:
        await graph.check_can_send()
        subscribed = await graph.subscribed(whatsapp.waba_id) if whatsapp.waba_id else None
    except (GraphError, Unavailable) as error:
        return Finding("Sending", "wrong", f"{error}; see the number's state in Meta's WhatsApp Manager")
    if subscribed is False:
        fix = "subscribe the app: POST /{WABA id}/subscribed_apps"
        return Finding("Sending", "wrong", f"no app is subscribed to the account, so no message arrives; {fix}")
    unknown = "; set WHATSAPP_WABA_ID to see whether the app is subscribed too" if subscribed is None else ""
    return Finding("Sending", "ok", f"not paused, the number may send{unknown}")


async def _openrouter(settings: Settings, http: aiohttp.ClientSession) -> Finding:
    if settings.llm.api_key is None:
        return Finding("OpenRouter", "absent", "set OPENROUTER_API_KEY; the queue llm does not work without it")
    problem = await _asked(http, "GET", f"{settings.llm.base_url}/key", settings.llm.api_key.get_secret_value())
    if problem:
        return Finding("OpenRouter", "wrong", f"{problem}; see OPENROUTER_API_KEY and LLM_BASE_URL")
    return Finding("OpenRouter", "ok", f"models {', '.join(settings.llm.models)}")


async def _whisper(settings: Settings, http: aiohttp.ClientSession) -> Finding:
    whisper = settings.whisper
    if whisper.api_key is None:
        return Finding("Whisper", "absent", "voice notes can't be heard; set OPENAI_API_KEY")
    # A request without a recording, which costs nothing: other servers of this API know no list of models.
    form = aiohttp.FormData({"model": whisper.model}, default_to_multipart=True)
    key = whisper.api_key.get_secret_value()
    problem = await _asked(http, "POST", f"{whisper.base_url}/audio/transcriptions", key, data=form, expected=_NO_FILE)
    if problem:
        return Finding("Whisper", "wrong", f"{problem}; see OPENAI_API_KEY and OPENAI_BASE_URL")
    return Finding("Whisper", "ok", f"answers; model {whisper.model}")


async def _vision(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    vision = settings.vision
    local = importlib.util.find_spec("rapidocr") is not None
    if not vision.configured:
        words = "the local engine reads photos" if local else "photos can't be read: install the extra recado[ocr]"
        return Finding("Vision", "absent", f"{words}; for Google Vision set GOOGLE_APPLICATION_CREDENTIALS")
    credentials = vision.application_credentials
    if credentials is not None and not credentials.is_file():
        return Finding("Vision", "wrong", f"{credentials} is not a file; see GOOGLE_APPLICATION_CREDENTIALS")
    host, _colon, port = vision.vision_endpoint.removeprefix("http://").rpartition(":")
    try:
        async with asyncio.timeout(_SECONDS):
            _reader, writer = await asyncio.open_connection(host, int(port))
            writer.close()
    except (OSError, TimeoutError):
        return Finding("Vision", "wrong", f"no connection to {host}:{port}; see GOOGLE_VISION_ENDPOINT")
    return Finding("Vision", "ok", f"Google Vision at {host}:{port} can be reached")


async def _stripe(settings: Settings, http: aiohttp.ClientSession) -> Finding:
    key = settings.stripe.secret_key
    if key is None and settings.stripe.webhook_secret:
        return Finding("Stripe", "wrong", "its events arrive, but can't be worked on; set STRIPE_SECRET_KEY")
    if key is None:
        return Finding("Stripe", "absent", "there is no billing; set STRIPE_SECRET_KEY")
    try:
        await Stripe(http, settings.stripe, attempt_seconds=5, all_seconds=5).check()
    except KeyRejected as error:
        fix = "see STRIPE_SECRET_KEY: a secret key, or a restricted one that may read customers"
        return Finding("Stripe", "wrong", f"{error}; {fix}")
    except StripeFailed as error:
        return Finding("Stripe", "wrong", f"{error}; see the network and STRIPE_API_BASE")
    if not settings.stripe.webhook_secret:
        fix = "make an endpoint for /webhooks/stripe and set STRIPE_WEBHOOK_SECRET"
        return Finding("Stripe", "wrong", f"takes the key, but its events don't arrive; {fix}")
    mode = "live mode" if "_live_" in key.get_secret_value() else "test mode"
    return Finding(
        "Stripe", "ok", f"takes the key ({mode}), and {len(settings.stripe.webhook_secret)} webhook secret(s)"
    )


async def _storage(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    """Whether a file can be written, read and erased where files are kept."""
    chosen = settings.storage.chosen
    place, data = f"doctor/{secrets.token_hex(8)}", b"written by recado doctor"
    fix = "see STORAGE_DIR and its disk" if chosen == "local" else f"see the variables of {chosen} in .env.example"
    try:
        storage = storage_of(settings.storage)
        async with asyncio.timeout(_SECONDS):
            await storage.put(place, data, "text/plain")
            same = await storage.get(place) == data
            await storage.delete(place)
    except SettingsWrong as error:
        return Finding("Storage", "wrong", "; ".join(str(error).splitlines()))
    except (StorageFailed, NotStored, TimeoutError) as error:
        why = str(error) if isinstance(error, StorageFailed) else "a file that was written could not be read"
        return Finding("Storage", "wrong", f"{chosen}: {why}; {fix}")
    if not same:
        return Finding("Storage", "wrong", f"{chosen}: a file came back changed; {fix}")
    links = chosen != "local" or settings.service.public_url
    return Finding("Storage", "ok", f"{chosen}, can be written{'' if links else '; for links set PUBLIC_URL'}")


async def _prompts(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    checked = await asyncio.to_thread(check_folder, settings.service.prompts_dir, vocabulary(settings))
    if checked.prompts is None:
        more = f"; and {len(checked.errors) - 1} more, see `recado prompts check`" if len(checked.errors) > 1 else ""
        return Finding("Prompts", "wrong", f"{checked.errors[0]}{more}")
    async with connect(settings.redis) as client:
        try:
            current = (await standing(client)).current
        except (RedisError, OSError):
            current = None  # Redis has its own line.
    own = checked.prompts.release
    released = "" if current in (None, own) else f"; customers get release {current}, see `recado prompts diff`"
    return Finding("Prompts", "ok", f"the folder is release {own}, for {checked.prompts.business.name}{released}")


async def _audio(_: Settings, __: aiohttp.ClientSession) -> Finding:
    return Finding("Audio", "ok", f"ffmpeg: {program()}")


async def _subscribers(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    to = settings.subscribers
    if not to.subscribers:
        return Finding("Subscribers", "absent", "nobody gets events; set WEBHOOK_SUBSCRIBERS and WEBHOOK_SECRET")
    if to.secret is None:
        return Finding("Subscribers", "wrong", "events can't be signed; set WEBHOOK_SECRET to whsec_ and base64")
    outside = Outside(allow_private=to.allow_private, seconds=_SECONDS)
    try:
        reached = await asyncio.gather(*map(outside.reach, to.subscribers), return_exceptions=True)
    finally:
        await outside.close()
    problems = [
        # Of an address only the host is shown: the rest may be a secret.
        f"{urlsplit(url).hostname}: {error}{'; allow it with WEBHOOK_ALLOW_PRIVATE' if error.private else ''}"
        for url, error in zip(to.subscribers, reached, strict=True)
        if isinstance(error, NoAnswer)
    ]
    if problems:
        return Finding("Subscribers", "wrong", f"{', '.join(problems)}; see WEBHOOK_SUBSCRIBERS")
    return Finding("Subscribers", "ok", f"{len(to.subscribers)} can be reached, events are signed")


async def _push(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    push, address = settings.push, settings.service.public_url
    if not (push.public_key or push.private_key):
        return Finding("Web Push", "absent", "no notifications in browsers; make keys with `recado keys vapid`")
    try:
        private_of(push)
    except KeysWrong as error:
        return Finding("Web Push", "wrong", str(error))
    if push.subject is None:
        return Finding("Web Push", "wrong", "push services want to know whom to write to; set VAPID_SUBJECT=mailto:…")
    if address is None:
        return Finding("Web Push", "ok", "keys of one pair; the assistant invites nobody until PUBLIC_URL is set")
    if not address.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        return Finding("Web Push", "wrong", "browsers subscribe only at https addresses; see PUBLIC_URL")
    return Finding("Web Push", "ok", f"keys of one pair, people are invited to {address}")


async def _console(settings: Settings, _: aiohttp.ClientSession) -> Finding:
    if settings.service.console_token is None:
        return Finding("Console", "absent", "there is no console; set CONSOLE_TOKEN")
    return Finding("Console", "ok", "behind CONSOLE_TOKEN")


async def _mail(settings: Settings) -> list[Finding]:
    """One line a provider, because each may be wrong while the others do its work."""
    found = [
        Finding(f"E-mail ({name})", "ok" if works else "wrong", words)
        for name, works, words in await examined(settings.mail)
    ]
    fix = "set SENDGRID_API_KEY and SENDGRID_FROM_EMAIL, or AWS_SES_…, or SMTP_HOST and SMTP_FROM_EMAIL"
    return found or [Finding("E-mail", "absent", f"no e-mail leaves; {fix}")]


async def _asked(  # noqa: PLR0913 - one request has these parts
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    token: str,
    *,
    data: aiohttp.FormData | None = None,
    expected: tuple[int, ...] = (200,),
) -> str | None:
    """What is wrong with an address and its key; None when it answers as expected."""
    try:
        async with http.request(method, url, headers={"Authorization": f"Bearer {token}"}, data=data) as response:
            if response.content_type == "text/html":
                return f"HTTP {response.status} with a web page, not the API"
            return None if response.status in expected else f"HTTP {response.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no connection ({type(error).__name__})"
