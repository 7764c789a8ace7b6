"""Bars of long commands. Because other commands and `serve` show none, this module alone loads rich's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def progress(label: str, total: int | None = None, output: str = "text") -> Iterator[Callable[[], None]]:
    """Show a bar, on standard error, until the context ends; gives the function that tells of a step.

    Because pipes, logs and JSON are no place for a bar, it is shown only beside text, where both streams are terminals.
    """
    if output != "text" or not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield lambda: None
        return
    count = [MofNCompleteColumn()] if total is not None else []
    columns = (TextColumn("{task.description}"), BarColumn(), *count, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)
