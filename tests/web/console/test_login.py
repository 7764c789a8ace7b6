"""Logins of the console: passwords by a link, sessions by a cookie, and attackers of both."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.database.opening import open_current
from bot.people.login_limits import LoginLimits
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from bot.people.sessions import Sessions
from tests.console import PASSWORD, Browser, add_operator, cookie_of, program
from tests.rows import each
from tests.world import Start, World


@pytest.fixture
async def serving(start: Start) -> World:
    return await start(workers=0)


async def invited(world: World, email: str = "eva@example.com") -> str:
    database = await open_current(world.settings.database.url.get_secret_value())
    _, token = await Operators(database, Passwords()).add("Eva", email, "agent")
    await database.close()
    return token


async def test_a_link_sets_a_password_once(serving: World) -> None:
    token, browser = await invited(serving), Browser(serving)
    weak = await browser.post("password", {"token": token, "password": "corta"})
    assert (weak.status, weak.code, weak.body["error"]["field"]) == (422, "password_short", "password")
    both = await asyncio.gather(*(browser.post("password", {"token": token, "password": PASSWORD}) for _ in range(2)))
    assert sorted(answer.status for answer in both) == [204, 410]
    assert (await browser.post("password", {"token": token, "password": PASSWORD})).code == "link_over"
    assert (await browser.post("password", {"token": "made-up", "password": PASSWORD})).status == 410
    assert (await browser.log_in("EVA@example.com")).body["role"] == "agent"


async def test_a_session_begins_and_ends(serving: World) -> None:
    eva = await add_operator(serving, "Eva", "supervisor")
    me = await eva.get("session")
    assert (me.status, me.body["email"], me.body["name"], me.body["role"]) == (
        200,
        "eva@example.com",
        "Eva",
        "supervisor",
    )
    assert "read_reports" in me.body["may"]
    assert "erase_contact" not in me.body["may"]
    assert (await eva.ask("DELETE", "session")).status == 204
    over = await eva.get("session", headers={"Accept-Language": "es-MX,en;q=0.5"})
    assert (over.status, over.code) == (401, "session_over")
    assert over.body["error"]["message"] == "Tu sesión terminó; inicia sesión de nuevo."


async def test_the_cookie_is_for_this_console_alone(start: Start) -> None:
    world = await start(workers=0, PUBLIC_URL="https://desk.example.com")
    await add_operator(world, "Eva")
    answer = await Browser(world).log_in("eva@example.com", headers={"Origin": "https://desk.example.com"})
    flags = {flag.strip().lower() for flag in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "secure", "path=/console"} <= flags


async def test_a_login_never_goes_on_with_a_cookie_that_was_given(serving: World) -> None:
    await add_operator(serving, "Eva")
    attacked = Browser(serving, cookie="planted-by-an-attacker")
    answer = await attacked.log_in("eva@example.com")
    assert cookie_of(answer) != "planted-by-an-attacker"
    assert (await Browser(serving, cookie="planted-by-an-attacker").get("session")).status == 401


async def test_wrong_passwords_are_limited_and_tell_nothing(serving: World) -> None:
    await add_operator(serving, "Eva")
    guesser = Browser(serving)
    wrong = await guesser.log_in("eva@example.com", "not the password")
    unknown = await guesser.log_in("nobody@example.com", "not the password")
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body) == (401, wrong.body)
    # At once, so that a count after the check would let all of them through.
    tries = await asyncio.gather(*(guesser.log_in("eva@example.com", f"guess {n}") for n in range(12)))
    assert [answer.status for answer in tries].count(401) == 4
    locked = await guesser.log_in("eva@example.com")
    assert (locked.status, locked.code) == (429, "too_many_tries")
    assert int(locked.headers["Retry-After"]) > 0
    elsewhere = await Browser(serving).log_in("eva@example.com", headers={"X-Forwarded-For": "203.0.113.7"})
    assert elsewhere.status == 200


async def test_a_disabled_operator_is_out_at_once(serving: World) -> None:
    eva = await add_operator(serving, "Eva")
    database = await open_current(serving.settings.database.url.get_secret_value())
    await Operators(database, Passwords()).disable("eva@example.com")
    await database.close()
    assert (await eva.get("session")).status == 401
    assert (await Browser(serving).log_in("eva@example.com")).code == "login_wrong"


async def test_a_session_ends_by_its_time(serving: World) -> None:
    await add_operator(serving, "Eva")
    database = await open_current(serving.settings.database.url.get_secret_value())
    operator = await Operators(database, Passwords()).by_email("eva@example.com")
    assert operator
    over = Sessions(database, Passwords(), LoginLimits(serving.redis), timedelta(seconds=-1))
    session = await over.begin(operator, "127.0.0.1")
    await database.close()
    assert (await Browser(serving, cookie=session.token).get("session")).code == "session_over"


FOREIGN: list[dict[str, str]] = [
    {"X-Requested-With": ""},
    {"X-Requested-With": "XMLHttpRequest"},
    {"Origin": ""},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "http://[::1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def test_another_sites_page_writes_nothing(serving: World) -> None:
    eva = await add_operator(serving, "Eva")
    for headers in FOREIGN:
        refused = await eva.ask("DELETE", "session", headers=headers)
        assert (refused.status, refused.code) == (403, "cross_site"), headers
    assert (await eva.get("session")).status == 200


async def test_another_sites_page_logs_nobody_in(serving: World) -> None:
    await add_operator(serving, "Eva")
    refused = await Browser(serving).log_in("eva@example.com", headers={"Origin": "https://evil.example"})
    assert (refused.status, refused.code) == (403, "cross_site")


async def test_a_program_with_the_token_is_an_admin(serving: World) -> None:
    me = await program(serving).get("session")
    assert (me.status, me.body["role"], me.body["email"]) == (200, "admin", None)
    wrong = await Browser(serving, headers={"Authorization": "Bearer wrong"}).get("session")
    assert (wrong.status, wrong.code) == (401, "token_wrong")
    # A cookie beside a wrong token helps nobody.
    eva = await add_operator(serving, "Eva")
    assert (await eva.get("session", headers={"Authorization": "Bearer wrong"})).status == 401


@each(
    ("body", "status", "field"),
    [
        ({}, 422, "email"),
        ({"email": 5, "password": "x"}, 422, "email"),
        ({"email": "eva@example.com"}, 422, "password"),
        ({"email": "eva@example.com", "password": ""}, 422, "password"),
        ({"email": "e" * 400, "password": "x"}, 422, "email"),
        ({"email": "eva@example.com", "password": "x", "role": "admin"}, 422, "role"),
        ([], 422, ""),
    ],
    ids=str,
)
async def test_a_wrong_body_is_told_by_its_field(serving: World, body: object, status: int, field: str) -> None:
    answer = await Browser(serving).post("session", body, headers={"Accept-Language": "en"})
    assert (answer.status, answer.body["error"]["field"]) == (status, field)
    assert set(answer.body) == {"error"}


async def test_what_is_no_json_or_no_route_is_told_so(serving: World) -> None:
    browser = Browser(serving)
    assert (await browser.ask("POST", "session", data=b"{")).status == 400
    assert (await browser.ask("POST", "session", data=b"[" * 100_000)).status == 400
    assert (await browser.ask("POST", "session", data=b"x" * 300_000)).status == 413
    assert (await browser.get("nothing/here")).code == "not_found"


async def test_without_its_database_the_console_asks_to_try_again(start: Start) -> None:
    world = await start(workers=0, DATABASE_URL="postgresql://127.0.0.1:9/recado")
    for answer in (await Browser(world).log_in("eva@example.com"), await program(world).get("conversations")):
        assert (answer.status, answer.code) == (503, "unavailable")
    async with world.http.get(f"{world.url}/console/login") as page:
        assert page.status == 200


async def test_without_redis_nobody_is_told_more_than_to_try_again(serving: World) -> None:
    eva = await add_operator(serving, "Eva")
    await serving.redis.config_set("maxmemory", "1")
    try:
        answer = await eva.post(f"conversations/c_{'0' * 20}/take")
        assert answer.status in (404, 503)
        assert (await Browser(serving).log_in("eva@example.com")).code == "unavailable"
    finally:
        await serving.redis.config_set("maxmemory", "0")
