"""Routes for browser notifications: the page that a link from the chat opens, and its subscriptions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from bot.conversations.contacts import Contacts
from bot.conversations.identity import current_name
from bot.conversations.tombstones import erased
from bot.integrations.push.invitations import InvitationLinks
from bot.integrations.push.subscriptions import NotASubscription, PushSubscriptions, parse_subscription
from bot.messages.language import Language, language_from
from bot.settings import PushSettings
from bot.web.push_texts import WORDS
from bot.web.request_bodies import BODIES, BodyRefused

_FOLDER = Path(__file__).parent / "push_page"
_FILES = {
    "page.js": "text/javascript",
    "page.css": "text/css",
    "worker.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "icon.png": "image/png",
}
_EXPIRED = "token: this link is over; ask for a new one in the chat"
# A PushSubscription has some 500 bytes.
_BODY_LIMIT = 8 * 1024
_BODY_PROBLEMS = {413: "expected at most 8 KiB", 408: "the body came too slowly", 503: "try again in a moment"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # The address holds the token.
    "Referrer-Policy": "no-referrer",
}
_PRIVATE = _SAFE | {"Cache-Control": "no-store"}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class PushServices:
    """`default_language` is for browsers that ask for none of ours."""

    redis: Redis
    settings: PushSettings
    default_language: Language
    tokens: InvitationLinks


SERVICES = web.AppKey("push", PushServices)


@routes.get("/push/public-key")
async def public_key(request: web.Request) -> web.Response:
    """`{publicKey}`, for `pushManager.subscribe`."""
    settings = _services(request).settings
    return web.json_response({"publicKey": str(settings.public_key).rstrip("=")}, headers=_SAFE)


@routes.post("/push/subscriptions")
async def subscribe(request: web.Request) -> web.Response:
    """Store a browser for the token's person: 201, also when it is stored already."""
    services = _services(request)
    data, conversation = await _read(request, services)
    try:
        subscription = await parse_subscription(data.get("subscription"), allow_private=services.settings.allow_private)
    except NotASubscription as error:
        raise _problem(400, str(error)) from error
    await _within_limits(services, conversation)
    if not await PushSubscriptions(services.redis).add(conversation, subscription):
        raise _problem(403, _EXPIRED)
    return web.json_response({"subscribed": True}, status=201, headers=_PRIVATE)


@routes.delete("/push/subscriptions")
async def unsubscribe(request: web.Request) -> web.Response:
    """Forget a browser of the token's person; a missing one counts as forgotten."""
    services = _services(request)
    data, conversation = await _read(request, services)
    try:
        # Stored browsers may go, whatever the rules for new ones are by now.
        subscription = await parse_subscription(data.get("subscription"), allow_private=True)
    except NotASubscription as error:
        raise _problem(400, str(error)) from error
    await _within_limits(services, conversation)
    await PushSubscriptions(services.redis).remove(conversation, subscription)
    return web.json_response({"subscribed": False}, headers=_PRIVATE)


@routes.get("/push/manifest.webmanifest")
async def manifest(request: web.Request) -> web.Response:
    """The manifest that puts the page on the home screen, where alone iOS allows notifications."""
    services = _services(request)
    token = request.query.get("token", "")
    if await _conversation(services, token) is None:
        raise web.HTTPNotFound(text="this link is over")
    texts = WORDS[_preferred_language(request, services.default_language)]
    content = {
        "name": texts["title"],
        "short_name": texts["short"],
        "start_url": f"/push/{token}",
        "scope": "/push/",
        "display": "standalone",
        "background_color": "#0f1512",
        "theme_color": "#0f1512",
        "icons": [
            {"src": "/push/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            {"src": "/push/icon.png", "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
        ],
    }
    body = json.dumps(content, ensure_ascii=False)
    return web.Response(text=body, content_type="application/manifest+json", headers=_PRIVATE)


@routes.get("/push/{name:[a-z]+\\.(?:js|css|svg|png)}")
async def file(request: web.Request) -> web.Response:
    """The page's own files."""
    _services(request)
    name = request.match_info["name"]
    if name not in _FILES:
        raise web.HTTPNotFound
    headers = _SAFE | {"Cache-Control": "no-cache"}
    return web.Response(body=_bytes(name), content_type=_FILES[name], headers=headers)


@routes.get("/push/{token}")
async def page(request: web.Request) -> web.Response:
    """The page in the person's language; 404 with a way out for an expired link."""
    services = _services(request)
    token = request.match_info["token"]
    conversation = await _conversation(services, token)
    preferred = _preferred_language(request, services.default_language)
    if conversation is None:
        return _html(preferred, token="", status=404)
    language = (await Contacts(services.redis).get(conversation)).language
    return _html(language_from(language, preferred), token=token, status=200)


def _html(language: Any, *, token: str, status: int) -> web.Response:
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415 - loaded when somebody opens the page

    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True)
    text = environment.get_template("page.html").render(language=language, token=token, words=WORDS[language])
    headers = _PRIVATE | {"Content-Language": language, "X-Robots-Tag": "noindex"}
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def _services(request: web.Request) -> PushServices:
    services = request.app[SERVICES]
    if not services.settings.configured:
        raise web.HTTPNotFound(text="browser notifications are not set up; see `recado keys vapid`")
    return services


async def _read(request: web.Request, services: PushServices) -> tuple[dict[str, Any], str]:
    """The body and the conversation of its token."""
    try:
        data = json.loads(await request.app[BODIES].read(request, _BODY_LIMIT))
    except BodyRefused as refused:
        raise _problem(refused.status, _BODY_PROBLEMS.get(refused.status, "the body can't be read")) from refused
    except (ValueError, RecursionError) as error:
        raise _problem(400, 'expected JSON: {"subscription": …, "token": …}') from error
    if not isinstance(data, dict):
        raise _problem(400, 'expected JSON: {"subscription": …, "token": …}')
    conversation = await _conversation(services, data.get("token"))
    if conversation is None:
        raise _problem(403, _EXPIRED)
    return data, conversation


async def _conversation(services: PushServices, token: object) -> str | None:
    """The conversation of a token; None when the token has expired or its person was erased."""
    conversation = await services.tokens.conversation(token)
    home = await current_name(services.redis, conversation) if conversation else None
    gone = [erased(name) for name in (conversation, home) if name]
    return None if gone and await services.redis.exists(*gone) else home


async def _within_limits(services: PushServices, conversation: str) -> None:
    if not await PushSubscriptions(services.redis).count_change(conversation):
        raise _problem(429, "too many changes; try again in an hour")


def _problem(status: int, message: str) -> web.HTTPException:
    kinds: dict[int, type[web.HTTPException]] = {
        400: web.HTTPBadRequest,
        403: web.HTTPForbidden,
        408: web.HTTPRequestTimeout,
        429: web.HTTPTooManyRequests,
        503: web.HTTPServiceUnavailable,
    }
    text = json.dumps({"error": message}, ensure_ascii=False)
    if status == 413:  # noqa: PLR2004 - this one is made otherwise
        return web.HTTPRequestEntityTooLarge(_BODY_LIMIT, text=text, content_type="application/json")
    return kinds[status](text=text, content_type="application/json")


def _preferred_language(request: web.Request, default: Language) -> Language:
    """The first of our languages that the browser asks for."""
    for piece in request.headers.get("Accept-Language", "").split(","):
        if language := language_from(piece.strip().partition(";")[0], None):
            return language
    return default


@lru_cache
def _bytes(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
