"""`recado templates …`: the company's WhatsApp templates at Meta: list, change, send."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError

from bot.cli.progress import progress
from bot.cli.terminal import Format, check_format, complain, read_settings, redis_problem, show, stop, stop_for_settings
from bot.cli.words import say
from bot.delivery.notifications import Notifications, template_job
from bot.infra.queues import JobRejected
from bot.infra.redis import RedisIsCluster
from bot.services import open_services
from bot.settings import Settings, SettingsWrong
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.templates import submit
from bot.whatsapp.templates.files import TemplatesWrong, load
from bot.whatsapp.templates.registry import StoredTemplate, Templates
from bot.whatsapp.templates.rules import Definition

app = typer.Typer(
    name="templates", help="WhatsApp templates: list, sync, push, send.", no_args_is_help=True, add_completion=False
)


_NOT_THERE = "NOT AT META YET"


@dataclass(frozen=True, slots=True)
class _TemplateContext:
    templates: Templates
    graph: Graph
    notifications: Notifications
    definitions: tuple[Definition, ...]


@app.command("list")
def list_(output: Format = "text") -> None:
    """Known templates with their state, and files that are not at Meta yet. Exit 1 when one can't be sent."""

    async def run(context: _TemplateContext) -> bool:
        return _show_templates(await context.templates.all(), context.definitions, output)

    _run(run, output)


@app.command()
def sync(
    output: Format = "text",
    accept: Annotated[bool, typer.Option("--accept", help="Agree to the categories that Meta gave them.")] = False,  # noqa: FBT002
) -> None:
    """Fetch the templates from Meta. Exit 0 when they are fetched; `list` says by its exit whether all can be sent."""

    async def run(context: _TemplateContext) -> bool:
        with progress(say("fetching"), output=output):
            stored = await context.templates.sync(accept=accept)
        _show_templates(stored, context.definitions, output)
        return True

    _run(run, output)


@app.command()
def push(output: Format = "text") -> None:
    """Hand the files of TEMPLATES_DIR to Meta's review: the new ones, and those that were changed."""

    async def run(context: _TemplateContext) -> bool:
        with progress(say("handing in"), output=output):
            outcomes = await submit.push(context.templates, context.graph, context.definitions)
        _show_submissions(outcomes, output)
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
    pairs = [pair.partition("=") for pair in parameter or []]
    if any(not key or not sign for key, sign, _ in pairs):
        raise typer.BadParameter(say("name=value"), param_hint="--parameter")

    async def run(context: _TemplateContext) -> bool:
        parameters = {key: value for key, _, value in pairs}
        data = {"to": to, "template": name, "language": language, "parameters": parameters}
        await context.notifications.send(template_job(data), f"cli-{secrets.token_hex(8)}")
        show({"sent": name} if output == "json" else say("sent", name=name))
        return True

    _run(run, output)


def _run(work: Callable[[_TemplateContext], Awaitable[bool]], output: str) -> None:
    """Exit 0 when all is well, 1 when a problem was found, 2 when the settings or the options are wrong."""
    check_format(output)
    settings = read_settings()
    try:
        settings.require()
    except SettingsWrong as error:
        stop_for_settings(error)
    if settings.whatsapp.waba_id is None:
        stop(say("no waba"), 2)
    raise typer.Exit(0 if asyncio.run(_succeeds(settings, work)) else 1)


async def _succeeds(settings: Settings, work: Callable[[_TemplateContext], Awaitable[bool]]) -> bool:
    try:
        async with _open(settings) as context:
            return await work(context)
    except (GraphError, MetaUnavailable, TemplatesWrong, JobRejected) as error:
        complain(str(error))
    except RedisIsCluster:
        complain(say("cluster"))
    except RedisError as error:
        complain(redis_problem(error))
    return False


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[_TemplateContext]:
    definitions = load(settings.service.templates_dir)
    async with open_services(settings) as services:
        yield _TemplateContext(services.templates, services.graph, services.notifications, definitions)


def _show_templates(stored: Iterable[StoredTemplate], definitions: tuple[Definition, ...], output: str) -> bool:
    rows = [_row(template) for template in stored]
    there = {(row["name"], row["language"]) for row in rows}
    rows += [
        {"name": definition.name, "language": definition.language, "status": _NOT_THERE, "problem": None}
        for definition in definitions
        if (definition.name, definition.language) not in there
    ]
    if output == "json":
        show(rows)
    elif rows:
        show(f"{say('template column'):<24} {say('template columns')}")
    else:
        show(say("no templates"))
    for row in rows if output == "text" else ():
        status = say("not at Meta") if row["status"] == _NOT_THERE else row["status"]
        facts = (status, row.get("category"), row.get("quality"), ", ".join(row.get("parameters", ())))
        line = f"{row['name']:<24} {row['language']:<6} {'  '.join(fact for fact in facts if fact)}"
        show(f"{line}  ! {row['problem']}" if row["problem"] else line)
    return not any(row["problem"] for row in rows)


def _row(stored_template: StoredTemplate) -> dict[str, Any]:
    synced = stored_template.synced
    shown = synced.model_dump(exclude={"components", "id"})
    # Because a template under review needs no action, it counts as no problem.
    problem = None if synced.status == "PENDING" else stored_template.why_not
    return shown | {"parameters": synced.parameters, "problem": problem}


def _show_submissions(outcomes: Iterable[submit.Submission], output: str) -> None:
    if output == "json":
        show([
            {"name": outcome.name, "language": outcome.language, "outcome": outcome.outcome, "problem": outcome.problem}
            for outcome in outcomes
        ])  # fmt: skip
        return
    for outcome in outcomes:
        line = f"{outcome.name:<24} {outcome.language:<6} {outcome.outcome}"
        show(f"{line}  ! {outcome.problem}" if outcome.problem else line)
