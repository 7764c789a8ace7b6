"""The sandbox's e-mails: without a provider the SMTP simulator keeps them, and the page shows them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.infra import queues
from bot.infra.redis import connect
from bot.settings import Settings
from sandbox.app import open_company
from tests.processes import eventually

JOB = {"to": "ana@cliente.example", "template": "verify_email", "data": {"name": "Ana", "code": "482915"}}


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[tuple[str, Settings, Redis]]:
    settings = Settings()
    async with open_company(settings, "127.0.0.1", 0, tmp_path) as url, connect(settings.redis) as redis:
        yield url, settings, redis


async def test_an_email_is_shown_on_the_page_as_its_reader_sees_it(company: tuple[str, Settings, Redis]) -> None:
    url, _, redis = company
    async with aiohttp.ClientSession() as http, http.get(f"{url}events") as stream:
        await queues.add(redis, "email", "send", JOB, "code-1")

        async def mails() -> list[dict[str, Any]]:
            async with http.get(f"{url}mails") as response:
                found: list[dict[str, Any]] = await response.json()
                return found

        (shown,) = await eventually(mails)
        event: dict[str, Any] = {}
        while event.get("type") != "mail":
            line = await stream.content.readline()
            event = json.loads(line[6:]) if line.startswith(b"data: ") else {}
        async with http.get(f"{url}state") as response:
            assert (await response.json())["facts"]["services"]["E-mail"] == "imitation"
    assert shown["to"] == ["ana@cliente.example"]
    assert shown["subject"] == event["subject"] == "Tu código: 482915"
    assert "482915" in shown["text"]
    assert "<h1" in shown["html"]
    assert shown["attachments"] == []
    assert set(shown) == {"id", "to", "sender", "subject", "text", "html", "attachments", "at"}


async def test_the_demos_colleague_is_staff_only_where_nobody_else_is(
    company: tuple[str, Settings, Redis], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, settings, _ = company
    assert settings.channel.staff_contacts == ["MX.8809876543210987"]
    monkeypatch.setenv("STAFF_CONTACTS", "+52 1 55 1234 5678")
    own = Settings()
    async with open_company(own, "127.0.0.1", 0, tmp_path / "own") as url, aiohttp.ClientSession() as http:
        assert own.channel.staff_contacts == ["5215512345678"]
        async with http.get(f"{url}state") as response:
            staff = [person["name"] for person in (await response.json())["people"] if person["staff"]]
    assert staff == ["Ana Morales"]
