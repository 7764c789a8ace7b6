"""`recado templates …`: what the company's WhatsApp templates are at Meta, and how to change and send them."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

if TYPE_CHECKING:
    from bot.delivery.notifications import Notifications
    from bot.whatsapp.client import Graph
    from bot.whatsapp.templates.registry import StoredTemplate, Templates
    from bot.whatsapp.templates.rules import Definition
    from bot.whatsapp.templates.submit import Submission

app = typer.Typer(name="templates", help="WhatsApp templates: list, sync, push, send.", no_args_is_help=True)

Format = Annotated[str, typer.Option("--format", help="text or json")]


@dataclass(frozen=True, slots=True)
class _TemplateContext:
    """What the commands work with."""

    templates: Templates
    graph: Graph
    notices: Notifications
    definitions: tuple[Definition, ...]


@app.command("list")
def list_(output: Format = "text") -> None:
    """What is known of the templates, and which of the files are not at Meta yet. Exit 1 when one can't be sent."""

    async def run(at: _TemplateContext) -> bool:
        return _show(await at.templates.all(), at.definitions, output)

    _run(run, output)


@app.command()
def sync(
    output: Format = "text",
    accept: Annotated[bool, typer.Option("--accept", help="Agree to the categories that Meta gave them.")] = False,  # noqa: FBT002
) -> None:
    """Fetch the templates from Meta. Exit 0 when they are fetched; `list` says by its exit whether all can be sent."""

    async def run(at: _TemplateContext) -> bool:
        _show(await at.templates.sync(accept=accept), at.definitions, output)
        return True

    _run(run, output)


@app.command()
def push(output: Format = "text") -> None:
    """Hand the files of TEMPLATES_DIR to Meta's review: the new ones, and those that were changed."""

    async def run(at: _TemplateContext) -> bool:
        from bot.whatsapp.templates.submit import push as pushed  # noqa: PLC0415 - each command loads only what it runs

        outcomes = await pushed(at.templates, at.graph, at.definitions)
        _print_pushed(outcomes, output)
        return all(outcome.problem is None for outcome in outcomes)

    _run(run, output)


@app.command()
def send(
    name: Annotated[str, typer.Argument(help="The template's name.")],
    to: Annotated[str, typer.Argument(help="A phone with its country's digits, or a BSUID.")],
    language: Annotated[str | None, typer.Option(help="Such as es_MX; left out, the person's own.")] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="name=value, as often as needed.")] = None,
    output: Format = "text",
) -> None:
    """Send an approved template to a person."""
    pairs = [one.partition("=") for one in parameter or []]
    if any(not key or not sign for key, sign, _ in pairs):
        raise typer.BadParameter("expected name=value", param_hint="--parameter")

    async def run(at: _TemplateContext) -> bool:
        from bot.delivery.notifications import template_job  # noqa: PLC0415 - as above

        parameters = {key: value for key, _, value in pairs}
        data = {"to": to, "template": name, "language": language, "parameters": parameters}
        await at.notices.send(template_job(data), f"cli-{secrets.token_hex(8)}")
        _print({"sent": name} if output == "json" else f"sent: {name}")
        return True

    _run(run, output)


def _run(work: Callable[[_TemplateContext], Awaitable[bool]], output: str) -> None:
    """Exit 0 when all is well, 1 when a problem was found, 2 when the settings or the options are wrong."""
    if output not in ("text", "json"):
        raise typer.BadParameter("expected text or json", param_hint="--format")
    # The answer stands on standard output; what is logged beside it is for trouble.
    logs.configure("warning", "console")
    try:
        settings = Settings()
        settings.require()
        if settings.whatsapp.waba_id is None:
            raise SettingsWrong(["WHATSAPP_WABA_ID: is not set; expected the account's id, from Meta's API setup page"])  # noqa: TRY301
    except SettingsWrong as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    raise typer.Exit(0 if asyncio.run(_well(settings, work)) else 1)


async def _well(settings: Settings, work: Callable[[_TemplateContext], Awaitable[bool]]) -> bool:
    from redis.exceptions import RedisError  # noqa: PLC0415 - as above

    from bot.infra.queues import JobRejected  # noqa: PLC0415 - as above
    from bot.whatsapp.errors import GraphError, MetaUnavailable  # noqa: PLC0415 - as above
    from bot.whatsapp.templates.files import TemplatesWrong  # noqa: PLC0415 - as above

    try:
        async with _open(settings) as at:
            return await work(at)
    except (GraphError, MetaUnavailable, TemplatesWrong, JobRejected) as error:
        sys.stderr.write(f"{error}\n")
    except RedisError as error:
        sys.stderr.write(f"Redis does not answer ({type(error).__name__}); see REDIS_URL\n")
    return False


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[_TemplateContext]:
    import aiohttp  # noqa: PLC0415 - as above

    from bot.conversations.contacts import Contacts  # noqa: PLC0415 - as above
    from bot.conversations.lease import ConversationLeases  # noqa: PLC0415 - as above
    from bot.conversations.memory import Memory  # noqa: PLC0415 - as above
    from bot.delivery.notifications import Notifications  # noqa: PLC0415 - as above
    from bot.delivery.outbox import outbox_of  # noqa: PLC0415 - as above
    from bot.infra.redis import connect  # noqa: PLC0415 - as above
    from bot.whatsapp.client import Graph  # noqa: PLC0415 - as above
    from bot.whatsapp.templates.files import load  # noqa: PLC0415 - as above
    from bot.whatsapp.templates.registry import Templates  # noqa: PLC0415 - as above

    definitions = load(settings.service.templates_dir)
    async with connect(settings.redis) as redis, aiohttp.ClientSession() as http:
        graph = Graph(http, settings.whatsapp)
        templates = Templates(redis, graph, definitions, default_language=settings.service.default_language)
        leases, memory = ConversationLeases(redis, lease_seconds=_LEASE_SECONDS), Memory(redis, settings.memory)
        contacts = Contacts(redis, settings.channel.staff_contacts)
        outbox = outbox_of(redis, graph, leases, contacts, templates, settings)
        yield _TemplateContext(
            templates, graph, Notifications(redis, leases, contacts, memory, outbox, templates), definitions
        )


# As the workers': a command that is killed holds a conversation no longer than they would.
_LEASE_SECONDS = 6.0


def _show(kept: Iterable[StoredTemplate], definitions: tuple[Definition, ...], output: str) -> bool:
    rows = [_row(one) for one in kept]
    there = {(row["name"], row["language"]) for row in rows}
    rows += [
        {"name": one.name, "language": one.language, "status": "NOT AT META YET", "problem": None}
        for one in definitions
        if (one.name, one.language) not in there
    ]
    if output == "json":
        _print(rows)
    for row in rows if output == "text" else ():
        told = (row["status"], row.get("category"), row.get("quality"), ", ".join(row.get("parameters", ())))
        line = f"{row['name']:<24} {row['language']:<6} {'  '.join(one for one in told if one)}"
        _print(f"{line}  ! {row['problem']}" if row["problem"] else line)
    return not any(row["problem"] for row in rows)


def _row(one: StoredTemplate) -> dict[str, Any]:
    synced = one.synced
    shown = synced.model_dump(exclude={"components", "id"})
    # Waiting for a review is no problem.
    problem = None if synced.status == "PENDING" else one.why_not
    return shown | {"parameters": synced.parameters, "problem": problem}


def _print_pushed(outcomes: Iterable[Submission], output: str) -> None:
    if output == "json":
        _print([
            {"name": one.name, "language": one.language, "outcome": one.outcome, "problem": one.problem}
            for one in outcomes
        ])  # fmt: skip
        return
    for one in outcomes:
        line = f"{one.name:<24} {one.language:<6} {one.outcome}"
        _print(f"{line}  ! {one.problem}" if one.problem else line)


def _print(what: Any) -> None:
    print(what if isinstance(what, str) else json.dumps(what, ensure_ascii=False, indent=2))  # noqa: T201
