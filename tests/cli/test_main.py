"""Command line: help, wrong variables, start, stop, and a log that machines can read."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.core import TyperGroup

from bot.cli.lazy_command import LazyCommand
from bot.cli.main import cli
from tests.processes import recado, running
from tests.rows import each
from tests.world import Start

META = {
    "WHATSAPP_ACCESS_TOKEN": "EAAG-hunter2",
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "WHATSAPP_APP_SECRET": "secret-hunter2",
}
COMMANDS = sorted(cli.commands)


def lazy_commands(group: TyperGroup, path: str = "") -> Iterator[tuple[str, LazyCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, LazyCommand):
            yield f"{path}{name}", command
        elif isinstance(command, TyperGroup):
            yield from lazy_commands(command, f"{path}{name} ")


LAZY = dict(lazy_commands(cli))


@each("command", LAZY)
def test_the_list_of_commands_says_of_each_what_its_module_says(command: str) -> None:
    listed = LAZY[command]
    told = " ".join(str(listed.load().help).partition("\n\n")[0].split())
    assert listed.help == told


def test_the_list_of_commands_imports_none_of_them() -> None:
    assert imported_by("import bot.cli.main") == []


def imported_by(code: str) -> list[str]:
    """Modules of commands, and libraries that take their time, after this code has run."""
    heavy = (
        *("bot.web.app", "bot.worker", "bot.delivery.outbox", "evals", "sandbox", "redis", "aiohttp", "jinja2"),
        *("pydantic", "stripe", "openai", "PIL", "yaml", "rich", "babel"),
        *("sqlalchemy", "alembic", "argon2", "bot.console", "authlib", "joserfc"),
    )
    code = f"{code}\nimport sys\nprint(*(name for name in {heavy} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_the_web_server_starts_without_what_only_other_commands_need() -> None:
    assert {*imported_by("import bot.__main__, bot.cli.serve")} == {"bot.web.app", "redis", "aiohttp", "pydantic"}


async def test_recado_alone_lists_its_commands() -> None:
    ended = await recado("--help")
    assert ended.code == 0
    for command in COMMANDS:
        assert command in ended.out


@pytest.mark.parametrize(
    "command",
    [
        ("dance",),
        ("serve", "--port", "many"),
        ("serve", "--port", "70000"),
        ("worker", "--concurrency", "0"),
        ("doctor", "--format", "xml"),
    ],
    ids=" ".join,
)
async def test_a_command_that_is_typed_wrong_ends_with_2(command: tuple[str, ...]) -> None:
    ended = await recado(*command)
    assert ended.code == 2
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("command", "environment", "told"),
    [
        (("serve",), {}, ["WHATSAPP_ACCESS_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_APP_SECRET"]),
        (("serve",), META | {"WHATSAPP_APP_SECRET": " , "}, ["WHATSAPP_APP_SECRET"]),
        (("serve",), META | {"TIMEZONE": "Mars", "LOG_LEVEL": "loud"}, ["TIMEZONE", "LOG_LEVEL"]),
        (("worker",), META, ["OPENROUTER_API_KEY"]),
        (("worker",), {}, ["WHATSAPP_ACCESS_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "OPENROUTER_API_KEY"]),
        (("worker", "--queues", "llm,mail"), META, ["--queues"]),
        (("worker", "--queues", " , "), META, ["--queues"]),
        (("worker",), META | {"OPENROUTER_API_KEY": "k", "PROMPTS_DIR": "nowhere"}, ["nowhere"]),
        (("serve",), META | {"REDIS_URL": "http://:hunter2@redis"}, ["REDIS_URL"]),
        (("serve",), META | {"WHATSAPP_PHONE_NUMBER_ID": "hunter2" * 5}, ["WHATSAPP_PHONE_NUMBER_ID"]),
    ],
    ids=[
        "serve without anything", "serve without secret", "wrong values", "worker without key",
        "worker without anything", "a queue that is none", "no queue", "no prompts", "a password",
        "a secret in the wrong place",
    ],
)  # fmt: skip
async def test_wrong_variables_stop_the_start_with_one_line_each(
    command: tuple[str, ...], environment: dict[str, str], told: list[str]
) -> None:
    ended = await recado(*command, **environment)
    assert (ended.code, ended.out) == (2, "")
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert sorted(line["why"].partition(":")[0] for line in lines) == sorted(told)
    assert {(line["event"], line["level"]) for line in lines} == {("can_not_start", "error")}
    assert "hunter2" not in ended.err


async def test_wrong_variables_are_told_in_words_where_the_log_is_for_people() -> None:
    ended = await recado("serve", LOG_FORMAT="console", **META | {"WHATSAPP_APP_SECRET": ""})
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert "WHATSAPP_APP_SECRET: is not set; expected the app secret" in line


async def test_a_port_that_is_taken_ends_the_start_with_one_line(redis_address: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = await recado("serve", "--host", "127.0.0.1", "--port", port, REDIS_URL=redis_address, **META)
    assert ended.code == 1
    (line,) = [json.loads(line) for line in ended.err.splitlines()]
    assert "in use" in line["why"]


async def test_a_worker_without_redis_does_not_start_and_says_why() -> None:
    ended = await recado("worker", REDIS_URL="redis://127.0.0.1:9/0", OPENROUTER_API_KEY="k", **META)
    assert ended.code == 1
    assert [json.loads(line)["level"] for line in ended.err.splitlines()][-1] == "error"
    assert "REDIS_URL" in json.loads(ended.err.splitlines()[-1])["why"]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("command", "ready"),
    [(("serve", "--host", "127.0.0.1", "--port", "0"), "server_ready"), (("worker",), "worker_ready")],
    ids=["serve", "worker"],
)
async def test_a_signal_ends_it_with_0_and_every_line_of_its_log_is_json(
    start: Start, command: tuple[str, ...], ready: str, told: signal.Signals
) -> None:
    await start(workers=0)
    async with running(*command) as run:
        await run.line(ready)
        run.process.send_signal(told)
        assert await run.process.wait() == 0
    assert [line["event"] for line in run.lines][-1] == "stopped"
    assert all(line["level"] and line["timestamp"] for line in run.lines)


async def test_a_worker_says_which_queues_it_works_on_and_which_wait_for_a_provider(start: Start) -> None:
    await start(workers=0)
    async with running("worker", "--queues", "email,webhook") as run:
        ready = await run.line("worker_ready")
    assert (ready["queues"], ready["waiting"]) == (["webhook"], ["email"])


async def test_a_crash_and_a_warning_are_lines_of_the_log_too() -> None:
    code = """
import warnings
from bot.infra import logs
logs.configure("info", "json")
warnings.warn("this is old")
raise KeyError("two\\nlines")
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE)
    _, told = await process.communicate()
    warning, crash = (json.loads(line) for line in told.splitlines())
    assert process.returncode == 1
    assert "this is old" in warning["event"]
    assert (crash["event"], crash["level"]) == ("crashed", "critical")
    assert "KeyError" in crash["exception"]
