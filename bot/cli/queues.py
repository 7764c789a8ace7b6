"""`recado queues …`: what waits, what failed and why, and what is to become of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.conversations.dead_letters import DeadLetters
    from bot.conversations.inbox import Inbox

app = typer.Typer(
    name="queues",
    help="Job queues and messages that failed: show, retry, drop.",
    invoke_without_command=True,
)

Format = Annotated[str, typer.Option("--format", help="text or json")]
Which = Annotated[
    str | None, typer.Argument(help="A failed job's id, or a conversation (c_…) with something set aside.")
]
All = Annotated[bool, typer.Option("--all", help="Everything that failed or is set aside.")]


@dataclass(frozen=True, slots=True)
class _QueueContext:
    redis: Redis
    dead_letters: DeadLetters
    inbox: Inbox


@app.callback()
def queues(context: typer.Context) -> None:
    """Without a command: show."""
    if context.invoked_subcommand is None:
        show()


@app.command()
def show(output: Format = "text") -> None:
    """Count the jobs of every queue, and list those that failed and the messages that were set aside, with reasons."""

    async def run(desk: _QueueContext) -> bool:
        from bot.conversations.dead_letters import as_json  # noqa: PLC0415 - each command loads only what it runs
        from bot.infra.queue_admin import counts, failed  # noqa: PLC0415 - as above
        from bot.infra.queues import QUEUES  # noqa: PLC0415 - as above

        found = {
            "queues": {name: await counts(desk.redis, name) for name in QUEUES},
            "failed": [asdict(one) for name in QUEUES for one in await failed(desk.redis, name)],
            "set_aside": [
                {"conversation": name} | as_json(entry)
                for name, entries in (await desk.dead_letters.all()).items()
                for entry in entries
            ],
        }
        _print(found if output == "json" else _text(found))
        return True

    _run(run, output)


@app.command()
def retry(which: Which = None, every: All = False, output: Format = "text") -> None:  # noqa: FBT002 - typer's way
    """Try again: a failed job, or the messages of a conversation that were set aside. Exit 1 when there is none."""

    async def run(desk: _QueueContext) -> bool:
        from bot.conversations.dead_letters import Acted  # noqa: PLC0415 - as above
        from bot.infra.queue_admin import retry_failed  # noqa: PLC0415 - as above

        jobs = await retry_failed(desk.redis, which)
        messages = 0
        for name in await _conversations(desk, which):
            home = await desk.dead_letters.carry(name)
            try:
                messages += await desk.dead_letters.retry(home)
            except Acted as error:
                sys.stderr.write(f"{error}\n")
            else:
                await desk.inbox.look_at(home)
        return _done("retried", jobs, messages, output)

    _run(run, output, chosen=every or which is not None)


@app.command()
def drop(which: Which = None, every: All = False, output: Format = "text") -> None:  # noqa: FBT002 - as above
    """Forget: a failed job, or the messages of a conversation that were set aside. Exit 1 when there is none."""

    async def run(desk: _QueueContext) -> bool:
        from bot.infra.queue_admin import drop_failed  # noqa: PLC0415 - as above

        jobs = await drop_failed(desk.redis, which)
        messages = sum([await desk.dead_letters.drop(name) for name in await _conversations(desk, which)])
        return _done("dropped", jobs, messages, output)

    _run(run, output, chosen=every or which is not None)


async def _conversations(desk: _QueueContext, which: str | None) -> list[str]:
    """Those with something set aside; one that has become a part of another stands for that one."""
    from bot.conversations.identity import home_of, is_conversation  # noqa: PLC0415 - as above

    found = list(await desk.dead_letters.all())
    if which is None:
        return found
    names = {which, await home_of(desk.redis, which)} if is_conversation(which) else {which}
    return [name for name in found if name in names]


def _done(what: str, jobs: int, messages: int, output: str) -> bool:
    words = f"{what}: {jobs} jobs, {messages} messages"
    _print({what: {"jobs": jobs, "messages": messages}} if output == "json" else words)
    return bool(jobs or messages)


def _text(found: dict[str, Any]) -> str:
    states = ("waiting", "active", "delayed", "completed", "failed")
    lines = [f"{'queue':<14}" + "".join(f"{state:>11}" for state in states)]
    lines += [
        f"{name:<14}" + "".join(f"{counts.get(state, 0):>11}" for state in states)
        for name, counts in found["queues"].items()
    ]
    for job in found["failed"]:
        lines += ["", f"{job['queue']} {job['id']} ({job['name']}, {job['at']}, tried {job['tries']} times)"]
        lines.append(f"    {job['reason']}")
    for entry in found["set_aside"]:
        lines += ["", f"{entry['conversation']}: set aside {entry['at']}: {', '.join(entry['messages'])}"]
        lines.append(f"    {entry['reason']}")
    if found["failed"] or found["set_aside"]:
        lines += ["", "Try again with: recado queues retry ID, or --all"]
    return "\n".join(lines)


def _run(work: Callable[[_QueueContext], Awaitable[bool]], output: str, *, chosen: bool = True) -> None:
    """Exit 0 when all is well, 1 when there was nothing to do it to, 2 when the settings or the options are wrong."""
    if output not in ("text", "json"):
        raise typer.BadParameter("expected text or json", param_hint="--format")
    if not chosen:
        raise typer.BadParameter("expected an id, or --all", param_hint="WHICH")
    logs.configure("warning", "console")
    try:
        settings = Settings()
    except SettingsWrong as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    raise typer.Exit(0 if asyncio.run(_well(settings, work)) else 1)


async def _well(settings: Settings, work: Callable[[_QueueContext], Awaitable[bool]]) -> bool:
    from redis.exceptions import RedisError  # noqa: PLC0415 - as above

    try:
        async with _open(settings) as desk:
            return await work(desk)
    except RedisError as error:
        sys.stderr.write(f"Redis does not answer ({type(error).__name__}); see REDIS_URL\n")
    return False


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[_QueueContext]:
    from bot.conversations.dead_letters import DeadLetters  # noqa: PLC0415 - as above
    from bot.conversations.inbox import Inbox  # noqa: PLC0415 - as above
    from bot.infra.queues import JobScheduler  # noqa: PLC0415 - as above
    from bot.infra.redis import connect  # noqa: PLC0415 - as above

    async with connect(settings.redis) as redis, JobScheduler(redis).running() as scheduler:
        yield _QueueContext(redis, DeadLetters(redis), Inbox(redis, scheduler.turn))


def _print(what: Any) -> None:
    print(what if isinstance(what, str) else json.dumps(what, ensure_ascii=False, indent=2))  # noqa: T201
