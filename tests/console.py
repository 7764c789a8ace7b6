"""Operators of the console, as their browsers call it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from argon2 import PasswordHasher

from bot.database.opening import open_current
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from bot.people.roles import Role
from tests.world import World

PASSWORD = "una frase larga y rara"
BEARER = {"Authorization": "Bearer console-token"}
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class QuickPasswords(Passwords):
    """Hashes that are checked in no time, because a hash names its own cost."""

    async def hashed(self, password: str) -> str:
        return _QUICK.hash(password)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


@dataclass
class Browser:
    """A browser with the cookie of a session, if there is one, that sends what the console's page sends."""

    world: World
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, *, json: Any = None, data: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        own = {"Origin": self.world.url, "X-Requested-With": "recado"} if method != "GET" else {}
        if self.cookie:
            own["Cookie"] = f"recado_session={self.cookie}"
        url = f"{self.world.url}/console/api/{path}"
        sent = own | self.headers | (headers or {})
        sent = {name: value for name, value in sent.items() if value}
        async with self.world.http.request(method, url, json=json, data=data, headers=sent) as response:
            is_json = response.content_type == "application/json"
            return Answer(
                response.status, await response.json() if is_json else await response.read(), response.headers
            )

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        return await self.ask("POST", path, json=json, **options)

    async def log_in(self, email: str, password: str = PASSWORD, **options: Any) -> Answer:
        answer = await self.post("session", {"email": email, "password": password}, **options)
        if answer.status == 200:
            self.cookie = cookie_of(answer)
        return answer


def cookie_of(answer: Answer) -> str:
    return str(answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0])


async def operators_of(world: World) -> Operators:
    """The operators in the world's database; its connections end with the test's loop."""
    return Operators(await open_current(world.settings.database.url.get_secret_value()), Passwords())


async def add_operator(world: World, name: str, role: Role = "agent") -> Browser:
    """Add `name@example.com` with a password, and log in."""
    email = f"{name.lower()}@example.com"
    database = await open_current(world.settings.database.url.get_secret_value())
    operators = Operators(database, QuickPasswords())
    _, token = await operators.add(name, email, role)
    await operators.set_password(token, PASSWORD)
    await database.close()
    browser = Browser(world)
    assert (await browser.log_in(email)).status == 200
    return browser


def program(world: World) -> Browser:
    """A program that has CONSOLE_TOKEN."""
    return Browser(world, headers=dict(BEARER))
