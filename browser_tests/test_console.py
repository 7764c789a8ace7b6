"""The console's page in Chromium, on a running sandbox; `console_checks/` has a script for each.

`make test-browser` runs them, as those of the sandbox's page.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bench.chaos.node import install, program
from bot.database.opening import open_current
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from bot.settings import Settings
from sandbox.app import open_company
from sandbox.ports import free_port
from tests.company_provider import company_provider

_CHECKS = Path(__file__).parent / "console_checks"
_PASSWORD = "una frase larga y rara"
_OTHERS = {"run", "company_login"}
pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Console:
    server: str
    people: list[dict[str, str]]


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    settings = Settings()
    token = SecretStr("token-of-the-browser-tests")
    settings.service = settings.service.model_copy(update={"console_token": token})
    async with open_company(settings, "127.0.0.1", 0, tmp_path / "data") as url:
        server = url.removesuffix("/sandbox/")
        yield Console(server, await _people(settings, server))


async def _people(settings: Settings, server: str) -> list[dict[str, str]]:
    """An administrator, an agent whose link is still unused, and another agent."""
    database = await open_current(settings.database.url.get_secret_value())
    operators, people = Operators(database, Passwords()), []
    for name, role in (("Ana Morales", "admin"), ("Leo Duarte", "agent"), ("Sara Gil", "agent")):
        email = f"{name.split()[0].lower()}@example.com"
        _, token = await operators.add(name, email, role)
        person = {"name": name, "email": email, "password": _PASSWORD}
        if name.startswith("Leo"):
            person["link"] = f"{server}/console/password?token={token}"
        else:
            await operators.set_password(token, _PASSWORD)
        people.append(person)
    await database.close()
    return people


@pytest.mark.parametrize("name", sorted(path.stem for path in _CHECKS.glob("*.cjs") if path.stem not in _OTHERS))
async def test_the_console_in_a_browser(console: Console, name: str) -> None:
    await _check(console, name)


async def test_the_companys_account_in_a_browser(tmp_path: Path) -> None:
    settings, port = Settings(), free_port()
    # To a browser, the provider at 127.0.0.1 is another site than localhost.
    server = f"http://localhost:{port}"
    with company_provider(f"{server}/console/oidc/callback") as provider:
        found = await provider.ask("start")
        claims = {"email": "ana@example.com", "email_verified": True}
        await provider.ask("person", claims=claims, inIdToken=True, asks=True)
        token = SecretStr("token-of-the-browser-tests")
        changed = {"console_token": token, "public_url": server}
        settings.service = settings.service.model_copy(update=changed)
        secret = SecretStr(found["client_secret"])
        provided = {"issuer": found["issuer"], "client_id": found["client_id"], "client_secret": secret}
        settings.oidc = settings.oidc.model_copy(update=provided | {"name": "Cuentas"})
        async with open_company(settings, "127.0.0.1", port, tmp_path / "data"):
            await _check(Console(server, await _people(settings, server)), "company_login")


async def _check(console: Console, name: str) -> None:
    install(_CHECKS)
    node, _ = program()
    arguments = (str(_CHECKS / "run.cjs"), console.server, name, json.dumps(console.people))
    process = await asyncio.create_subprocess_exec(*node, *arguments, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
