"""What can be typed after `recado`: each command reads the settings, says what is wrong in words, and runs."""

from __future__ import annotations

import asyncio
import errno
import signal
import sys
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from bot.cli import canary, contacts, eval_case, keys, products, prompts, templates
from bot.cli import evals as evaluation_commands
from bot.cli import queues as cli_queues
from bot.infra import logs
from bot.infra.open_files import raise_file_limit
from bot.prompting.diagnostics import PromptsWrong
from bot.settings import Settings, SettingsWrong, log_settings

cli = typer.Typer(
    name="recado",
    help="A WhatsApp assistant that a company runs itself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
prompts.app.command("eval")(evaluation_commands.evaluate)
prompts.app.command("case")(eval_case.case)
prompts.app.command("promote")(canary.promote)
prompts.app.command("canary")(canary.canary)
cli.add_typer(prompts.app)
cli.add_typer(templates.app)
cli.add_typer(cli_queues.app)
cli.add_typer(contacts.app)
cli.add_typer(keys.app)
cli.add_typer(products.app)
_log = structlog.get_logger()

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)]


@cli.command()
def serve(host: Host = "0.0.0.0", port: Port = 8080) -> None:
    """Run the web server: webhooks, console, health, metrics. Any number of them, on any number of machines."""

    async def run(settings: Settings) -> None:
        from bot.web.app import create_app  # noqa: PLC0415 - each command loads only what it runs
        from bot.web.server import listening  # noqa: PLC0415 - as above

        async with listening(create_app(settings), host, port):
            await _until_told_to_stop()

    _run(run)


@cli.command()
def worker(
    queues: Annotated[str, typer.Option(help="The queues to work on, with commas.")] = "llm,email,webhook,notification",
    concurrency: Annotated[
        int | None,
        typer.Option(help="Jobs of one queue at the same time.", min=1, show_default="500 of llm, 100 of others"),
    ] = None,
) -> None:
    """Run the queue workers. Any number of them, on any number of machines."""

    async def run(settings: Settings) -> None:
        from bot.infra.queues import QUEUES  # noqa: PLC0415 - as above
        from bot.worker import running  # noqa: PLC0415 - as above
        from pipelines.byte_budget import keep_no_freed_memory  # noqa: PLC0415 - as above

        asked = [name.strip() for name in queues.split(",") if name.strip()]
        unknown = sorted(set(asked) - set(QUEUES))
        if unknown or not asked:
            raise SettingsWrong([f"--queues: {', '.join(unknown) or 'nothing'}; expected some of {', '.join(QUEUES)}"])
        settings.require(turns="llm" in asked)
        keep_no_freed_memory()
        async with running(settings, tuple(name for name in QUEUES if name in asked), concurrency):
            await _until_told_to_stop()

    _run(run)


@cli.command()
def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Annotated[Path, typer.Option(help="Where its Redis keeps its data.")] = Path("data/sandbox"),
) -> None:
    """Run the whole service on this machine, with a phone in the browser; no account and no key needed."""

    async def run(settings: Settings) -> None:
        from sandbox.app import open_company  # noqa: PLC0415 - as above

        async with open_company(settings, host, port, data) as url:
            print(f"\n  Recado is open: {url}\n  Stop it with Ctrl-C.\n", flush=True)  # noqa: T201
            await _until_told_to_stop()

    _run(run)


@cli.command()
def doctor(
    output: Annotated[str, typer.Option("--format", help="text or json")] = "text",
    tools: Annotated[bool, typer.Option("--tools", help="Show which role may use which tool instead.")] = False,  # noqa: FBT002 - typer's way
) -> None:
    """Look at every integration: configured? reachable? authorised? With the fix, one line each."""
    from bot.cli.doctor import examine, report  # noqa: PLC0415 - as above

    if output not in ("text", "json"):
        raise typer.BadParameter("expected text or json", param_hint="--format")
    if tools:
        from bot.agent.tools.catalog import listed  # noqa: PLC0415 - as above

        print(listed(output))  # noqa: T201
        return
    try:
        settings = Settings()
    except SettingsWrong as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    logs.configure("error", settings.log.format)
    findings = asyncio.run(examine(settings))
    print(report(findings, output))  # noqa: T201
    raise typer.Exit(1 if any(finding.wrong for finding in findings) else 0)


def _run(work: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Read the settings and run until the end; exit 2 with one line a mistake where they are wrong."""
    raise_file_limit()
    log = log_settings()
    logs.configure(log.level, log.format)
    try:
        settings = Settings()
        _loop(work(settings), settings.service.shutdown_grace_seconds)
    except (SettingsWrong, PromptsWrong) as error:
        for line in str(error).splitlines():
            _log.error("can_not_start", why=line)
        raise typer.Exit(2) from error
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        fix = {"fix": "another program has this port: name a free one with --port"} if taken else {}
        _log.error("can_not_start", why=error.strerror or str(error), **fix)
        raise typer.Exit(1) from error


def _loop(work: Coroutine[Any, Any, None], grace: float) -> None:
    factory = None
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415 - not made for Windows

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_watched(work, grace))


async def _watched(work: Coroutine[Any, Any, None], grace: float) -> None:
    from bot.infra.loop_watchdog import loop_watched  # noqa: PLC0415 - as above

    async with loop_watched():
        await _within_grace(work, grace)


async def _within_grace(work: Coroutine[Any, Any, None], grace: float) -> None:
    """Run until SIGTERM or SIGINT, then finish what is in hand, but no longer than the grace."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    _TOLD.set(told)
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if told.is_set():
        _log.info("stopping", grace_seconds=grace)
    _, late = await asyncio.wait({task}, timeout=grace)
    if late:
        _log.warning("grace_over", fix="raise SHUTDOWN_GRACE_SECONDS; the turns in hand go to another worker")
        task.cancel()
        await asyncio.wait({task})
        return
    await task
    _log.info("stopped")


async def _until_told_to_stop() -> None:
    await _TOLD.get().wait()


# Set once for the process's one loop; the work that runs in it inherits it.
_TOLD: ContextVar[asyncio.Event] = ContextVar("told_to_stop")
