"""`recado queues …`: jobs that wait, jobs and messages that failed, and their retry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.cli import terminal
from bot.cli.terminal import Format, Yes, check_format, complain, confirm_deletion, read_settings, redis_problem
from bot.cli.words import say
from bot.conversations.dead_letters import Acted, DeadLetters, as_json
from bot.conversations.identity import current_name, is_conversation
from bot.conversations.inbox import Inbox
from bot.infra.queue_admin import counts, drop_failed, failed, retry_failed
from bot.infra.queues import QUEUES, JobScheduler
from bot.infra.redis import connect
from bot.settings import Settings

app = typer.Typer(
    name="queues",
    help="Job queues and messages that failed: show, retry, drop.",
    invoke_without_command=True,
    add_completion=False,
)

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
    """Count jobs, list what failed and messages that were set aside; try them again, or forget them.

    Without a command: show.
    """
    if context.invoked_subcommand is None:
        show()


@app.command()
def show(output: Format = "text") -> None:
    """Count the jobs of every queue, and list those that failed and the messages that were set aside, with reasons."""

    async def run(context: _QueueContext) -> bool:
        found = {
            "queues": {name: await counts(context.redis, name) for name in QUEUES},
            "failed": [asdict(job) for name in QUEUES for job in await failed(context.redis, name)],
            "set_aside": [
                {"conversation": name} | as_json(entry)
                for name, entries in (await context.dead_letters.all()).items()
                for entry in entries
            ],
        }
        terminal.show(found if output == "json" else _text(found))
        return True

    _run(run, output)


@app.command()
def retry(which: Which = None, every: All = False, output: Format = "text") -> None:  # noqa: FBT002 - typer's way
    """Try again: a failed job, or the messages of a conversation that were set aside. Exit 1 when there is none."""

    async def run(context: _QueueContext) -> bool:
        jobs = await retry_failed(context.redis, which)
        messages = 0
        for name in await _conversations(context, which):
            home = await context.dead_letters.carry(name)
            try:
                messages += await context.dead_letters.retry(home)
            except Acted as error:
                complain(say("acted", conversation=error.conversation, tools=error.tools))
            else:
                await context.inbox.request_turn(home)
        return _done("retried", which, jobs, messages, output)

    _run(run, output, chosen=every or which is not None)


@app.command()
def drop(which: Which = None, every: All = False, yes: Yes = False, output: Format = "text") -> None:  # noqa: FBT002 - as above
    """Forget: a failed job, or the messages of a conversation that were set aside. Exit 1 when there is none."""

    async def run(context: _QueueContext) -> bool:
        names = await _conversations(context, which)
        if found := await _droppable(context, which, names):
            confirm_deletion("; ".join(found), yes)
        jobs = await drop_failed(context.redis, which)
        messages = sum([await context.dead_letters.drop(name) for name in names])
        return _done("dropped", which, jobs, messages, output)

    _run(run, output, chosen=every or which is not None)


async def _droppable(context: _QueueContext, which: str | None, names: list[str]) -> list[str]:
    """Jobs and messages that `drop` would forget, in words."""
    jobs = [job for name in QUEUES for job in await failed(context.redis, name) if which in (None, job.id)]
    found = [say("a job", id=job.id, queue=job.queue, name=job.name) for job in jobs]
    for name in names:
        entries = await context.dead_letters.of(name)
        found.append(say("messages of", count=sum(len(entry.messages) for entry in entries), conversation=name))
    return found


async def _conversations(context: _QueueContext, which: str | None) -> list[str]:
    """Conversations with dead letters; a merged conversation counts as the one that it was merged into."""
    found = list(await context.dead_letters.all())
    if which is None:
        return found
    names = {which, await current_name(context.redis, which)} if is_conversation(which) else {which}
    return [name for name in found if name in names]


def _done(what: str, which: str | None, jobs: int, messages: int, output: str) -> bool:
    if which is not None and not jobs + messages:
        complain(say("no such failure", which=which))
    if output == "json":
        terminal.show({what: {"jobs": jobs, "messages": messages}})
    elif which is None or jobs + messages:
        terminal.show(say(what, jobs=jobs, messages=messages))
    return bool(jobs or messages)


def _text(found: dict[str, Any]) -> str:
    states = ("waiting", "active", "delayed", "completed", "failed")
    lines = [f"{say('queue column'):<14}" + "".join(f"{say(state):>11}" for state in states)]
    lines += [
        f"{name:<14}" + "".join(f"{counts.get(state, 0):>11}" for state in states)
        for name, counts in found["queues"].items()
    ]
    for job in found["failed"]:
        lines += ["", say("failed job", **job)]
        lines.append(f"    {job['reason']}")
    for entry in found["set_aside"]:
        lines += ["", say("set aside", **entry | {"messages": ", ".join(entry["messages"])})]
        lines.append(f"    {entry['reason']}")
    if found["failed"] or found["set_aside"]:
        lines += ["", say("what to do")]
    else:
        lines += ["", say("nothing failed")]
    return "\n".join(lines)


def _run(work: Callable[[_QueueContext], Awaitable[bool]], output: str, *, chosen: bool = True) -> None:
    """Exit 0 when all is well, 1 when nothing was found, 2 when the settings or the options are wrong."""
    check_format(output)
    if not chosen:
        raise typer.BadParameter(say("id or all"), param_hint="WHICH")
    raise typer.Exit(0 if asyncio.run(_succeeds(read_settings(), work)) else 1)


async def _succeeds(settings: Settings, work: Callable[[_QueueContext], Awaitable[bool]]) -> bool:
    try:
        async with _open(settings) as context:
            return await work(context)
    except RedisError as error:
        complain(redis_problem(error))
    return False


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[_QueueContext]:
    async with connect(settings.redis) as redis, JobScheduler(redis).running() as scheduler:
        yield _QueueContext(redis, DeadLetters(redis), Inbox(redis, scheduler.turn))
