"""`recado db`, and processes that meet a database without its schema."""

from __future__ import annotations

import json

import pytest

from tests.databases import new_database
from tests.processes import recado, running

META = {
    "WHATSAPP_ACCESS_TOKEN": "EAAG",
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "WHATSAPP_APP_SECRET": "secret",
    "OPENROUTER_API_KEY": "key",
    "LOG_FORMAT": "json",
}


@pytest.mark.xdist_group("postgresql")
async def test_postgresql_gets_its_schema_by_the_command_that_a_process_names(
    postgres: str, redis_address: str
) -> None:
    there = {"DATABASE_URL": await new_database(postgres)}
    checked = await recado("db", "check", **there)
    assert (checked.code, "recado db upgrade" in checked.err) == (1, True)
    for command in (("serve", "--port", "0"), ("worker",)):
        started = await recado(*command, **there, **META, REDIS_URL=redis_address)
        assert started.code == 2
        (line,) = [json.loads(line) for line in started.err.splitlines() if "can_not_start" in line]
        assert "recado db upgrade" in line["why"]
    assert (await recado("db", "upgrade", **there)).code == 0
    checked = await recado("db", "check", **there)
    assert (checked.code, checked.out) == (0, "up to date\n")


async def test_sqlite_is_made_where_it_is_named(tmp_path: object) -> None:
    there = {"DATABASE_URL": f"sqlite:///{tmp_path}/new/recado.db"}
    assert (await recado("db", "check", **there)).code == 1
    assert (await recado("db", "upgrade", **there)).code == 0
    assert (await recado("db", "upgrade", **there)).out == "up to date\n"


@pytest.mark.parametrize(("command", "ready"), [("serve --port 0", "server_ready"), ("worker", "worker_ready")])
async def test_sqlite_is_up_to_date_when_a_process_has_started(
    command: str, ready: str, tmp_path: object, redis_address: str
) -> None:
    there = {"DATABASE_URL": f"sqlite:///{tmp_path}/new/recado.db"}
    async with running(*command.split(), **there, **META, REDIS_URL=redis_address) as process:
        await process.line(ready)
        checked = await recado("db", "check", **there)
        assert (checked.code, checked.out) == (0, "up to date\n")


async def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    found = await recado("db", "check", DATABASE_URL="postgresql://me:hunter2@127.0.0.1:9/recado")
    assert found.code == 1
    assert "DATABASE_URL" in found.err
    assert "hunter2" not in found.err
