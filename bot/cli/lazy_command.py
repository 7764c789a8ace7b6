"""Commands whose modules are imported when they are called, so that `recado --help` and each start stay quick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from bot.cli.language import spoken_language
from bot.cli.spanish import error_in_spanish, speak_spanish

# The class from which Typer's own usage errors come; it has no other public name.
UsageError: Any = typer.BadParameter.__base__


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
        loaded = self.load()
        if spoken_language() == "es":
            speak_spanish(loaded)
        return loaded.make_context(info_name, args, parent, **extra)


class SpeakingGroup(TyperGroup):
    """Group of all commands: its help and its usage errors are in the language of the command line."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command."""
        if spoken_language() == "es":
            speak_spanish(self)
        return super().main(*args, **extra)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the command line."""
        with _told_in_spanish():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Call the command; the contexts of those below are made here."""
        with _told_in_spanish():
            return super().invoke(ctx)


@contextmanager
def _told_in_spanish() -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        if spoken_language() != "es" or type(error).__name__ == "NoArgsIsHelpError":
            raise
        raise UsageError(error_in_spanish(error.format_message()), error.ctx) from error
