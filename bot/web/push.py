"""The door for browsers: the page that a link from the chat opens, and the subscriptions that it makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from bot.conversations.contacts import Contacts
from bot.conversations.identity import home_of
from bot.conversations.tombstones import erased
from bot.integrations.push.invitations import InvitationLinks
from bot.integrations.push.subscriptions import NotASubscription, PushSubscriptions, subscription
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
_OVER = "token: this link is over; ask for a new one in the chat"
# A PushSubscription has some 500 bytes.
_BODY_LIMIT = 8 * 1024
_UNREAD = {413: "expected at most 8 KiB", 408: "the body came too slowly", 503: "try again in a moment"}
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
    """What the routes work with; `default_language` for whoever shows no other."""

    redis: Redis
    settings: PushSettings
    default_language: Language
    links: InvitationLinks


DOOR = web.AppKey("push", PushServices)


@routes.get("/push/public-key")
async def public_key(request: web.Request) -> web.Response:
    """`{publicKey}`, for `pushManager.subscribe`."""
    settings = _door(request).settings
    return web.json_response({"publicKey": str(settings.public_key).rstrip("=")}, headers=_SAFE)


@routes.post("/push/subscriptions")
async def subscribe(request: web.Request) -> web.Response:
    """Keep a browser for the person of the token: 201; the same one again is the same one."""
    door = _door(request)
    data, conversation = await _read(request, door)
    try:
        one = await subscription(data.get("subscription"), allow_private=door.settings.allow_private)
    except NotASubscription as error:
        raise _problem(400, str(error)) from error
    await _within_limits(door, conversation)
    if not await PushSubscriptions(door.redis).add(conversation, one):
        raise _problem(403, _OVER)
    return web.json_response({"subscribed": True}, status=201, headers=_PRIVATE)


@routes.delete("/push/subscriptions")
async def unsubscribe(request: web.Request) -> web.Response:
    """Forget a browser of the person of the token; one that isn't there is forgotten already."""
    door = _door(request)
    data, conversation = await _read(request, door)
    try:
        # What was kept may go, whatever the rules for new ones are by now.
        one = await subscription(data.get("subscription"), allow_private=True)
    except NotASubscription as error:
        raise _problem(400, str(error)) from error
    await _within_limits(door, conversation)
    await PushSubscriptions(door.redis).remove(conversation, one)
    return web.json_response({"subscribed": False}, headers=_PRIVATE)


@routes.get("/push/manifest.webmanifest")
async def manifest(request: web.Request) -> web.Response:
    """What iOS needs to put the page on the home screen, where alone it allows notifications."""
    door = _door(request)
    token = request.query.get("token", "")
    if await _conversation(door, token) is None:
        raise web.HTTPNotFound(text="this link is over")
    words = WORDS[_asked(request, door.default_language)]
    told = {
        "name": words["title"],
        "short_name": words["short"],
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
    body = json.dumps(told, ensure_ascii=False)
    return web.Response(text=body, content_type="application/manifest+json", headers=_PRIVATE)


@routes.get("/push/{name:[a-z]+\\.(?:js|css|svg|png)}")
async def file(request: web.Request) -> web.Response:
    """The page's own files."""
    _door(request)
    name = request.match_info["name"]
    if name not in _FILES:
        raise web.HTTPNotFound
    headers = _SAFE | {"Cache-Control": "no-cache"}
    return web.Response(body=_bytes(name), content_type=_FILES[name], headers=headers)


@routes.get("/push/{token}")
async def page(request: web.Request) -> web.Response:
    """The page, in the person's language; 404 and a way out for a link that is over."""
    door = _door(request)
    token = request.match_info["token"]
    conversation = await _conversation(door, token)
    asked = _asked(request, door.default_language)
    if conversation is None:
        return _html(asked, token="", status=404)
    language = (await Contacts(door.redis).get(conversation)).language
    return _html(language_from(language, asked), token=token, status=200)


def _html(language: Any, *, token: str, status: int) -> web.Response:
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415 - loaded when somebody opens the page

    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True)
    text = environment.get_template("page.html").render(language=language, token=token, words=WORDS[language])
    headers = _PRIVATE | {"Content-Language": language, "X-Robots-Tag": "noindex"}
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def _door(request: web.Request) -> PushServices:
    door = request.app[DOOR]
    if not door.settings.configured:
        raise web.HTTPNotFound(text="browser notifications are not set up; see `recado keys vapid`")
    return door


async def _read(request: web.Request, door: PushServices) -> tuple[dict[str, Any], str]:
    """The body and whose token it holds."""
    try:
        data = json.loads(await request.app[BODIES].read(request, _BODY_LIMIT))
    except BodyRefused as refused:
        raise _problem(refused.status, _UNREAD.get(refused.status, "the body can't be read")) from refused
    except (ValueError, RecursionError) as error:
        raise _problem(400, 'expected JSON: {"subscription": …, "token": …}') from error
    if not isinstance(data, dict):
        raise _problem(400, 'expected JSON: {"subscription": …, "token": …}')
    conversation = await _conversation(door, data.get("token"))
    if conversation is None:
        raise _problem(403, _OVER)
    return data, conversation


async def _conversation(door: PushServices, token: object) -> str | None:
    """Whose token it is; None for one that is over, be it because its person was erased."""
    conversation = await door.links.conversation(token)
    home = await home_of(door.redis, conversation) if conversation else None
    gone = [erased(one) for one in (conversation, home) if one]
    return None if gone and await door.redis.exists(*gone) else home


async def _within_limits(door: PushServices, conversation: str) -> None:
    if not await PushSubscriptions(door.redis).may_change(conversation):
        raise _problem(429, "too many changes; try again in an hour")


def _problem(status: int, words: str) -> web.HTTPException:
    kinds: dict[int, type[web.HTTPException]] = {
        400: web.HTTPBadRequest,
        403: web.HTTPForbidden,
        408: web.HTTPRequestTimeout,
        429: web.HTTPTooManyRequests,
        503: web.HTTPServiceUnavailable,
    }
    text = json.dumps({"error": words}, ensure_ascii=False)
    if status == 413:  # noqa: PLR2004 - this one is made otherwise
        return web.HTTPRequestEntityTooLarge(_BODY_LIMIT, text=text, content_type="application/json")
    return kinds[status](text=text, content_type="application/json")


def _asked(request: web.Request, default: Language) -> Language:
    """The first of our languages that the browser asks for."""
    for piece in request.headers.get("Accept-Language", "").split(","):
        if language := language_from(piece.strip().partition(";")[0], None):
            return language
    return default


@lru_cache
def _bytes(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
