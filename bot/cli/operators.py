"""`recado operators …`: the people of the console."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.cli.language import spoken_language
from bot.cli.terminal import Format, check_format, complain, database_problem, read_settings, show, stop
from bot.cli.words import say
from bot.database.opening import SchemaOutdated, open_current
from bot.people.audit import AuditLog
from bot.people.operators import OperatorKnown, Operators, OperatorWrong
from bot.people.passwords import Passwords
from bot.people.roles import ROLES
from bot.settings import Settings

app = typer.Typer(
    name="operators",
    help="People of the console: add, list, disable, reset.",
    no_args_is_help=True,
    add_completion=False,
)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address with which they log in.")]
_Work = Callable[[Settings, Operators, AuditLog], Awaitable[None]]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Their name, as colleagues read it.")],
    email: Annotated[str, typer.Option(help="The e-mail address with which they log in.")],
    role: Annotated[str, typer.Option(help=f"{', '.join(ROLES)}; see `recado doctor --console`.")],
) -> None:
    """Add an operator, and print the link by which they set their password: good once, for a day."""
    if role not in ROLES:
        raise typer.BadParameter(say("expected", choices=", ".join(ROLES)), param_hint="--role")

    async def run(settings: Settings, operators: Operators, audit: AuditLog) -> None:
        try:
            operator, token = await operators.add(name, email, role)
        except OperatorWrong as error:
            stop(error.said[spoken_language()], 1 if isinstance(error, OperatorKnown) else 2)
        await audit.record(_who(), "operator_added", operator.email, address="", details={"role": operator.role})
        _show_link(settings, token)

    _run(run)


@app.command("list")
def list_(output: Format = "text") -> None:
    """Operators with their roles."""
    check_format(output)

    async def run(_: Settings, operators: Operators, __: AuditLog) -> None:
        found = await operators.all()
        if output == "json":
            show([{name: value for name, value in asdict(operator).items() if name != "id"} for operator in found])
            return
        if not found:
            complain(say("no operators"))
            return
        width = max(len(operator.email) for operator in found)
        columns = (say(f"{name} column") for name in ("e-mail", "role", "name", "state"))
        show("{:<{width}}  {:<10}  {:<24}  {}".format(*columns, width=width))
        for operator in found:
            state = say("disabled") if operator.disabled else "" if operator.has_password else say("no password")
            show(f"{operator.email:<{width}}  {operator.role:<10}  {operator.name:<24}  {state}".rstrip())

    _run(run)


@app.command()
def disable(email: Email) -> None:
    """End an operator's sessions, and let them in no more. Exit 1 when nobody has this address."""

    async def run(_: Settings, operators: Operators, audit: AuditLog) -> None:
        operator = await operators.disable(email)
        if operator is None:
            stop(say("no operator"))
        await audit.record(_who(), "operator_disabled", operator.email, address="")
        show(say("is disabled", email=operator.email))

    _run(run)


@app.command()
def reset(email: Email) -> None:
    """Print a new link that sets an operator's password. Exit 1 when nobody who is enabled has this address."""

    async def run(settings: Settings, operators: Operators, audit: AuditLog) -> None:
        token = await operators.reset(email)
        if token is None:
            stop(say("no operator"))
        await audit.record(_who(), "password_link_made", email.strip(), address="")
        _show_link(settings, token)

    _run(run)


def password_link(settings: Settings, token: str) -> str:
    """The address that sets a password; its host is a guess where PUBLIC_URL is not set."""
    base = (settings.service.public_url or "http://localhost:8080").rstrip("/")
    return f"{base}/console/password?token={token}"


def _show_link(settings: Settings, token: str) -> None:
    show(password_link(settings, token))
    if settings.service.public_url is None:
        complain(say("no public url"))
    if settings.service.console_token is None:
        complain(say("no console"))


def _who() -> str:
    """The account of this machine that runs the command."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        return "command line"


def _run(work: _Work) -> None:
    settings = read_settings()

    async def run() -> None:
        try:
            database = await open_current(settings.database.url.get_secret_value())
        except SchemaOutdated as error:
            stop(say("outdated", missing=error.missing))
        try:
            await work(settings, Operators(database, Passwords()), AuditLog(database))
        finally:
            await database.close()

    try:
        asyncio.run(run())
    except (SQLAlchemyError, OSError) as error:
        stop(database_problem(error))
