"""`recado keys`: new keys, as variables ready to paste."""

from __future__ import annotations

import typer

app = typer.Typer(name="keys", help="New keys, as variables ready to paste.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """New keys, as variables ready to paste."""


@app.command()
def vapid() -> None:
    """A new pair for browser notifications (VAPID, RFC 8292), in the format of npm's web-push."""
    from bot.integrations.push.vapid import new_pair  # noqa: PLC0415 - each command loads only what it runs

    public, private = new_pair()
    print(f"VAPID_PUBLIC_KEY={public}\nVAPID_PRIVATE_KEY={private}")  # noqa: T201
    # Whoever pastes it without a thought gets told by the settings, not by a push service months later.
    print("VAPID_SUBJECT=mailto:")  # noqa: T201
