"""Every command of `recado`, and the module that is imported when the command is called."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_group

from bot.cli.lazy_command import LazyCommand, SpeakingGroup
from bot.cli.spanish import HELP_OPTIONS


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer's way
    if asked:
        print(f"recado {version('recado')}")  # noqa: T201
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
]


def _recado(version: _Version = False) -> None:  # noqa: FBT002 - typer's way
    """A WhatsApp assistant that a company runs itself."""


_PROMPTS = TyperGroup(
    name="prompts",
    help="Prompt files: check, render, release, roll back.",
    no_args_is_help=True,
    commands=[
        LazyCommand(
            "check",
            "bot.cli.prompts.check:check",
            "Look for mistakes in PROMPTS_DIR, one line each: file:line:column code message. "
            "Exit 1 when there is an error.",
        ),
        LazyCommand(
            "render",
            "bot.cli.prompts.render:render",
            "The messages that a model would get from the folder, their tokens and price, and the diff to the release.",
        ),
        LazyCommand(
            "release",
            "bot.cli.prompts.release:release",
            "Make PROMPTS_DIR the current release for all processes at once, or a candidate. "
            "Exit 1 when it has an error.",
        ),
        LazyCommand(
            "rollback",
            "bot.cli.prompts.rollback:rollback",
            "Go back to an earlier release, for all processes at once; a candidate is dropped in any case.",
        ),
        LazyCommand(
            "list",
            "bot.cli.prompts.history:history",
            "Changes of the release, the newest first; * is the current one, ~ a candidate and its share of contacts.",
        ),
        LazyCommand(
            "diff",
            "bot.cli.prompts.diff:diff",
            "Differences of the folder from the current release; or of release A from it; or of B from A.",
        ),
        LazyCommand(
            "eval",
            "bot.cli.prompts.evaluate:evaluate",
            "Perform the cases of PROMPTS_DIR/evals with the prompts of the folder. Exit 1 when one fails.",
        ),
        LazyCommand(
            "case", "bot.cli.prompts.case:case", "Make a case of what happened in a conversation, without identities."
        ),
        LazyCommand(
            "promote",
            "bot.cli.prompts.promote:promote",
            "Make the candidate the current release, for all processes at once.",
        ),
        LazyCommand(
            "canary",
            "bot.cli.prompts.canary:canary",
            "The candidate and the current release side by side: what is judged, and how it stands. "
            "Exit 1 without one.",
        ),
    ],
)

_COMMANDS = [
    LazyCommand(
        "serve",
        "bot.cli.serve:serve",
        "Run the web server: webhooks, console, health, metrics. Any number of them, on any number of machines.",
    ),
    LazyCommand(
        "worker", "bot.cli.worker:worker", "Run the queue workers. Any number of them, on any number of machines."
    ),
    LazyCommand(
        "sandbox",
        "bot.cli.sandbox:sandbox",
        "Run the whole service on this machine, with a phone in the browser; no account and no key needed.",
    ),
    LazyCommand(
        "doctor",
        "bot.cli.doctor.command:doctor",
        "Look at every integration: configured? reachable? authorised? With the fix, one line each.",
    ),
    _PROMPTS,
    LazyCommand("templates", "bot.cli.templates:app", "WhatsApp templates: list, sync, push, send."),
    LazyCommand("queues", "bot.cli.queues:app", "Job queues and messages that failed: show, retry, drop."),
    LazyCommand("contacts", "bot.cli.contacts:app", "What is stored about people: list, find, export, erase."),
    LazyCommand("db", "bot.cli.db:app", "The database's schema: upgrade, check."),
    LazyCommand("operators", "bot.cli.operators:app", "People of the console: add, list, disable, reset."),
    LazyCommand("knowledge", "bot.cli.knowledge:app", "The company's own documents: check, sync, list, search."),
    LazyCommand("keys", "bot.cli.keys:app", "New keys, as variables ready to paste."),
    LazyCommand("catalogue", "bot.cli.catalogue:app", "Products to find and to sell: import, export."),
    LazyCommand("products", "bot.cli.products:app", "The confirmed catalogue: export."),
]


_app = typer.Typer(
    name="recado",
    cls=SpeakingGroup,
    callback=_recado,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": HELP_OPTIONS},
)
cli = get_group(_app)
for _command in _COMMANDS:
    cli.add_command(_command)
