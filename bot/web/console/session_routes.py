"""Routes of passwords and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import Field, SecretStr

from bot.people.roles import actions_of
from bot.web.console.access import (
    COOKIE,
    PUBLIC,
    TOKEN_HOLDER,
    Caller,
    answered,
    caller_of,
    json_answer,
    open_to_all,
    operators_may,
)
from bot.web.console.bodies import Body, read_body
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.refusals import count_refusal
from bot.web.token_guard import client_of

if TYPE_CHECKING:
    from bot.people.sessions import ConsoleSession

routes = web.RouteTableDef()


class NewPassword(Body):
    token: SecretStr = Field(max_length=200)
    password: SecretStr = Field(max_length=1000)


class Login(Body):
    email: str = Field(min_length=1, max_length=320)
    password: SecretStr = Field(min_length=1, max_length=1000)


@routes.post("/console/api/password")
@open_to_all
async def set_password(request: web.Request) -> web.Response:
    """Set a password by a link, once."""
    body, console = await read_body(request, NewPassword), await parts(request)
    from bot.people.operators import LinkOver  # noqa: PLC0415 - loaded with the console's parts
    from bot.people.passwords import PasswordsBusy, PasswordWeak  # noqa: PLC0415 - as above

    try:
        token, password = body.token.get_secret_value(), body.password.get_secret_value()
        operator = await console.operators.set_password(token, password)
    except LinkOver as error:
        count_refusal("console_link")
        raise ApiProblem(410, "link_over") from error
    except PasswordsBusy as error:
        raise _busy() from error
    except PasswordWeak as error:
        raise ApiProblem(422, error.code, field="password") from error
    address, _ = client_of(request)
    await console.audit.record(operator.email, "password_set", operator.email, address=address)
    return web.Response(status=204)


@routes.post("/console/api/session")
@open_to_all
async def log_in(request: web.Request) -> web.Response:
    """Begin a session, always a new one."""
    body, console = await read_body(request, Login), await parts(request)
    from bot.people.login_limits import TooManyTries  # noqa: PLC0415 - loaded with the console's parts
    from bot.people.passwords import PasswordsBusy  # noqa: PLC0415 - as above
    from bot.people.sessions import LoginWrong  # noqa: PLC0415 - as above

    address, _ = client_of(request)
    try:
        session = await console.sessions.login(body.email, body.password.get_secret_value(), address)
    except LoginWrong as error:
        count_refusal("console_login")
        raise ApiProblem(401, "login_wrong") from error
    except PasswordsBusy as error:
        raise _busy() from error
    except TooManyTries as error:
        count_refusal("console_login_limited")
        headers = {"Retry-After": str(error.seconds)}
        raise ApiProblem(429, "too_many_tries", headers=headers, seconds=error.seconds) from error
    await console.audit.record(session.operator.email, "login", session.operator.email, address=address)
    return logged_in(request, session, address)


def logged_in(request: web.Request, session: ConsoleSession, address: str) -> web.Response:
    """The answer that begins a session in the browser."""
    operator = session.operator
    caller = Caller(operator.email, operator.name, operator.role, address, "en", session.expires_at)
    response = json_answer(_shown(caller))
    set_cookie(request.app, response, session.token, (session.expires_at - session.began_at).total_seconds())
    return response


@routes.get("/console/api/session", allow_head=False)
@operators_may("read")
async def who_am_i(_: web.Request, caller: Caller) -> web.Response:
    """The caller, and what they may do."""
    return json_answer(_shown(caller))


@routes.delete("/console/api/session")
async def log_out(request: web.Request) -> web.StreamResponse:
    """End the session of the cookie."""

    async def answer() -> web.Response:
        caller = await caller_of(request)
        token = request.cookies.get(COOKIE)
        if token and caller.who != TOKEN_HOLDER:
            console = await parts(request)
            await console.sessions.end(token)
            await console.audit.record(caller.who, "logout", caller.who, address=caller.address)
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/console")
        return response

    return await answered(request, answer)


def set_cookie(app: web.Application, response: web.StreamResponse, token: str, seconds: float) -> None:
    """Give the browser the session's secret, which no script can read and no other site's request carries."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(seconds),
        path="/console",
        httponly=True,
        samesite="Strict",
        secure=app[PUBLIC].is_secure,
    )


def _busy() -> ApiProblem:
    count_refusal("console_login_busy")
    return ApiProblem(503, "unavailable", headers={"Retry-After": "2"})


def _shown(caller: Caller) -> dict[str, object]:
    return {
        "email": None if caller.who == TOKEN_HOLDER else caller.who,
        "name": caller.name,
        "role": caller.role,
        "may": list(actions_of(caller.role)),
        "expires_at": caller.expires_at.isoformat() if caller.expires_at else None,
    }
