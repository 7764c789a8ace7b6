"""Callers of the console: operators by the cookie of their session, programs by CONSOLE_TOKEN; and their rights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from bot.messages.language import Language
from bot.people.roles import Action, Role, may
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem, preferred_language
from bot.web.console.token_routes import CONSOLE_TOKEN
from bot.web.refusals import count_refusal
from bot.web.request_bodies import BODIES, BodyRefused
from bot.web.token_guard import GUARD, client_of

COOKIE = "recado_session"
# The name of whoever has CONSOLE_TOKEN, in the audit log and as the holder of a conversation.
TOKEN_HOLDER = "CONSOLE_TOKEN"  # noqa: S105 - a name, not the token
_READING = frozenset({"GET", "HEAD"})
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    """`who` is an operator's address, or TOKEN_HOLDER; `address` is that of the network."""

    who: str
    name: str
    role: Role
    address: str
    language: Language
    expires_at: datetime | None = None

    def require(self, action: Action) -> None:
        if not may(self.role, action):
            count_refusal("console_role")
            raise ApiProblem(403, "forbidden")


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """`origin` of PUBLIC_URL, if it is set: whether cookies need TLS, and which pages are ours."""

    origin: str | None
    default_language: Language

    @property
    def is_secure(self) -> bool:
        return bool(self.origin and self.origin.startswith("https://"))


PUBLIC = web.AppKey("console_public", PublicUrl)
Handler = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


def operators_may(action: Action) -> Callable[[Handler], Route]:
    """Let a handler be called by those whose role allows the action; all failures become answers."""

    def decorate(handler: Handler) -> Route:
        async def guarded(request: web.Request) -> web.StreamResponse:
            async def answer() -> web.StreamResponse:
                caller = await caller_of(request)
                caller.require(action)
                return await handler(request, caller)

            return await answered(request, answer)

        return guarded

    return decorate


def open_to_all(handler: Route) -> Route:
    """Let a handler be called without a login, but not by another site's page; all failures become answers."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        async def answer() -> web.StreamResponse:
            if request.method not in _READING and "Origin" in request.headers:
                _require_own_origin(request)
            return await handler(request)

        return await answered(request, answer)

    return guarded


async def answered(request: web.Request, answer: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """The answer, or what has to be said instead of it."""
    language = preferred_language(request, request.app[PUBLIC].default_language)
    try:
        return await answer()
    except ApiProblem as problem:
        return problem.response(language)
    except BodyRefused as refused:
        code = {413: "body_too_large", 408: "body_slow", 503: "unavailable"}.get(refused.status, "body_unreadable")
        return ApiProblem(refused.status, code).response(language)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - the answer of a fault has the form of all others
        return _failure(error).response(language)


def _failure(error: Exception) -> ApiProblem:
    """The refusal that tells an operator of a part that is away, or of a fault of ours, which is logged."""
    # The database's library is loaded late, so that its errors are known by their module.
    module = type(error).__module__
    if module == "bot.database.version":
        return ApiProblem(503, "database_outdated")
    is_database = module.startswith(("sqlalchemy.", "asyncpg.", "sqlite3", "aiosqlite"))
    if is_database or isinstance(error, RedisError | OSError):
        fix = "see DATABASE_URL" if is_database else "see that Redis answers"
        _log.error("console_request_not_served", error=type(error).__name__, fix=fix)
        return ApiProblem(503, "unavailable")
    _log.error("request_failed", status=500, exc_info=error)
    return ApiProblem(500, "failed")


async def caller_of(request: web.Request) -> Caller:
    """The caller of a request; raises ApiProblem 401, 403 or 429."""
    address, _ = client_of(request)
    language = preferred_language(request, request.app[PUBLIC].default_language)
    if "Authorization" in request.headers:
        _check_token(request)
        return Caller(TOKEN_HOLDER, TOKEN_HOLDER, "admin", address, language)
    token = request.cookies.get(COOKIE)
    if not token:
        raise ApiProblem(401, "login_needed")
    session = await (await parts(request)).sessions.of(token)
    if session is None:
        raise ApiProblem(401, "session_over")
    if request.method not in _READING:
        if request.headers.get("X-Requested-With") != "recado":
            count_refusal("console_cross_site")
            raise ApiProblem(403, "cross_site")
        _require_own_origin(request)
    operator = session.operator
    return Caller(operator.email, operator.name, operator.role, address, language, session.expires_at)


def _check_token(request: web.Request) -> None:
    try:
        request.app[GUARD].check(request, request.app[CONSOLE_TOKEN], realm="console")
    except web.HTTPTooManyRequests as error:
        wait = error.headers["Retry-After"]
        raise ApiProblem(429, "too_many_tries", headers={"Retry-After": wait}, seconds=wait) from error
    except web.HTTPUnauthorized as error:
        headers = {"WWW-Authenticate": error.headers["WWW-Authenticate"]}
        raise ApiProblem(401, "token_wrong", headers=headers) from error


def _require_own_origin(request: web.Request) -> None:
    """Refuse a request that another site's page sent, or nobody knows which."""
    origin = request.headers.get("Origin", "")
    public = request.app[PUBLIC].origin
    try:
        parts_ = urlsplit(origin)
    except ValueError:
        parts_ = urlsplit("")
    own = bool(origin) and (origin == public or (parts_.scheme in ("http", "https") and parts_.netloc == request.host))
    if not own or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        count_refusal("console_cross_site")
        raise ApiProblem(403, "cross_site")


async def body_bytes(request: web.Request, limit: int) -> bytes:
    return await request.app[BODIES].read(request, limit)


def json_answer(data: Any, status: int = 200) -> web.Response:
    return web.json_response(data, status=status, headers={"Cache-Control": "no-store"})
