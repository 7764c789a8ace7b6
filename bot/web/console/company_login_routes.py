"""Routes of the login with an account of the company (OpenID Connect).

The page asks where to send the browser. The provider sends the browser back to the login page, whose script hands the
answer in. Because that request comes from our own page, all cookies of the console stay SameSite=Strict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from pydantic import Field, SecretStr

from bot.settings import OidcSettings
from bot.web.console.access import PUBLIC, json_answer, open_to_all
from bot.web.console.bodies import Body, read_body
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.session_routes import logged_in
from bot.web.refusals import count_refusal
from bot.web.token_guard import client_of

if TYPE_CHECKING:
    from bot.console.parts import ConsoleParts
    from bot.people.sessions import ConsoleSession

PROVIDER = web.AppKey("company_provider", OidcSettings)
# Name in the audit log for people whom the provider sent and Recado refused.
STRANGER = "OpenID Connect"
_COOKIE = "recado_oidc"
_COOKIE_PATH = "/console/api/oidc"
_log = structlog.get_logger()
routes = web.RouteTableDef()


class Returned(Body):
    """The answer that the provider sent back; `iss` is its own word for the issuer (RFC 9207)."""

    state: str = Field(min_length=1, max_length=200)
    code: SecretStr = Field(min_length=1, max_length=8000)
    iss: str | None = Field(None, max_length=2000)


@routes.get("/console/api/oidc", allow_head=False)
@open_to_all
async def offered(request: web.Request) -> web.Response:
    """The provider's name for the login page; null where none is configured."""
    provider = request.app[PROVIDER]
    return json_answer({"name": provider.label if provider.configured else None})


@routes.post("/console/api/oidc")
@open_to_all
async def begin(request: web.Request) -> web.Response:
    """Begin a login: the provider's address, and a cookie that binds its answer to this browser."""
    _require_provider(request)
    public = request.app[PUBLIC]
    if public.origin and request.headers.get("Origin", public.origin) != public.origin:
        # The provider sends people back to PUBLIC_URL, where this browser would have no cookie.
        raise ApiProblem(409, "company_login_elsewhere", address=f"{public.origin}/console/")
    console = await parts(request)
    from bot.people.company_login import SECONDS  # noqa: PLC0415 - loaded with the console's parts
    from bot.people.provider import ProviderAway  # noqa: PLC0415 - as above

    try:
        begun = await console.company_login.begin()
    except ProviderAway as error:
        raise _away(error) from error
    response = json_answer({"url": begun.url})
    response.set_cookie(
        _COOKIE,
        begun.cookie,
        max_age=SECONDS,
        path=_COOKIE_PATH,
        httponly=True,
        samesite="Strict",
        secure=public.is_secure,
    )
    return response


@routes.post("/console/api/oidc/session")
@open_to_all
async def finish(request: web.Request) -> web.Response:
    """Begin a session with what the provider sent back, as a password would."""
    _require_provider(request)
    body, console = await read_body(request, Returned), await parts(request)
    from bot.people.login_limits import TooManyTries  # noqa: PLC0415 - loaded with the console's parts

    address, _ = client_of(request)
    try:
        await console.login_limits.count_company_login(address)
    except TooManyTries as error:
        count_refusal("console_login_limited")
        headers = {"Retry-After": str(error.seconds)}
        raise ApiProblem(429, "too_many_tries", headers=headers, seconds=error.seconds) from error
    session = await _session(console, body, request.cookies.get(_COOKIE, ""), address)
    await console.login_limits.forget_company_login(address)
    email = session.operator.email
    await console.audit.record(email, "login", email, address=address, details={"by": STRANGER})
    response = logged_in(request, session, address)
    response.del_cookie(_COOKIE, path=_COOKIE_PATH)
    return response


async def _session(console: ConsoleParts, body: Returned, cookie: str, address: str) -> ConsoleSession:
    """The session of the operator whom the provider names; raises ApiProblem."""
    from bot.people.company_login import (  # noqa: PLC0415 - loaded with the console's parts
        EmailUnverified,
        LoginUnfinished,
        ProviderAnswer,
    )
    from bot.people.provider import ProviderAway  # noqa: PLC0415 - as above
    from bot.people.sessions import LoginWrong  # noqa: PLC0415 - as above

    email = ""
    try:
        answer = ProviderAnswer(body.state, body.code.get_secret_value(), body.iss)
        email = await console.company_login.finish(cookie, answer)
        return await console.sessions.login_with_company(email, address)
    except ProviderAway as error:
        raise _away(error) from error
    except LoginUnfinished as error:
        count_refusal("console_login", why=str(error))
        raise ApiProblem(401, "company_login_unfinished") from error
    except EmailUnverified as error:
        await _refused(console, error.email, "unverified", address)
        raise ApiProblem(403, "company_login_unverified") from error
    except LoginWrong as error:
        await _refused(console, email, "no_operator", address)
        raise ApiProblem(403, "company_login_unknown") from error


async def _refused(console: ConsoleParts, email: str, why: str, address: str) -> None:
    count_refusal("console_login")
    await console.audit.record(STRANGER, "login_refused", email or "-", address=address, details={"why": why})


def _require_provider(request: web.Request) -> None:
    if not request.app[PROVIDER].configured:
        raise ApiProblem(404, "company_login_off")


def _away(error: Exception) -> ApiProblem:
    count_refusal("console_provider_away")
    _log.error("company_login_away", why=str(error))
    return ApiProblem(503, "company_login_away", headers={"Retry-After": "5"})
