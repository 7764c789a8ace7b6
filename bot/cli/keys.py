"""`recado keys`: new keys, as variables ready to paste."""

from __future__ import annotations

import typer

from bot.cli.terminal import show
from bot.cli.words import say
from bot.integrations.push.vapid import new_pair

app = typer.Typer(
    name="keys", help="New keys, as variables ready to paste.", no_args_is_help=True, add_completion=False
)


@app.callback()
def keys() -> None:
    """New keys, as variables ready to paste."""


@app.command()
def vapid() -> None:
    """A new pair for browser notifications (VAPID, RFC 8292), in the format of npm's web-push."""
    public, private = new_pair()
    show(f"VAPID_PUBLIC_KEY={public}\nVAPID_PRIVATE_KEY={private}")
    # A comment, because an address that nobody filled in stops the start of what reads it.
    show(f"# VAPID_SUBJECT=mailto: {say('vapid subject')}")
