"""Commands whose modules are imported when they are called, so that `recado --help` and each start stay quick."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command


class LazyCommand(TyperCommand):
    """Command, or group, at `module:attribute`. A list of commands shows `summary`; all else is the module's."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._target = target

    def load(self) -> Any:
        """Import the module, and give its command."""
        module, _, name = self._target.partition(":")
        target = getattr(import_module(module), name)
        if isinstance(target, typer.Typer):
            return get_command(target)
        app = typer.Typer(add_completion=False)
        app.command()(target)
        return get_command(app)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Hand the call to the loaded command; the context belongs to it from here on."""
        return self.load().make_context(info_name, args, parent, **extra)
