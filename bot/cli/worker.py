"""`recado worker`: the queue workers."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from bot.cli.eval_process import evaluate_cases
from bot.cli.process import collect_garbage_rarely, run_process, until_stopped
from bot.database.version import require_current
from bot.infra.queues import QUEUES, Name
from bot.settings import Complaint, Settings, SettingsWrong
from bot.settings.complaints import Spoken
from bot.worker import running
from pipelines.byte_budget import keep_no_freed_memory

# Because Meta waits for acknowledgements, `serve` and Redis get the processor before a turn does. A worker then wakes
# more rarely, for more at a time.
_NICENESS = 5


def worker(
    queues: Annotated[str, typer.Option(help="The queues to work on, with commas.")] = "llm,email,webhook,notification",
    concurrency: Annotated[
        int | None,
        typer.Option(help="Jobs of one queue at the same time.", min=1, show_default="500 of llm, 100 of others"),
    ] = None,
) -> None:
    """Run the queue workers. Any number of them, on any number of machines."""

    async def run(settings: Settings) -> None:
        chosen = _chosen(queues)
        settings.require(turns="llm" in chosen)
        await require_current(settings.database)
        keep_no_freed_memory()
        async with running(settings, chosen, concurrency, evaluate=evaluate_cases):
            collect_garbage_rarely()
            await until_stopped()

    if sys.platform != "win32":
        os.nice(_NICENESS)
    run_process(run)


def _chosen(queues: str) -> tuple[Name, ...]:
    """Queues of the option `--queues`, in our order. Raises SettingsWrong."""
    names = [name.strip() for name in queues.split(",") if name.strip()]
    unknown = sorted(set(names) - set(QUEUES))
    if unknown or not names:
        expected: dict[Spoken, str] = {"es": f"algunas de {', '.join(QUEUES)}", "en": f"some of {', '.join(QUEUES)}"}
        code = "unknown_queues" if unknown else "no_queue"
        raise SettingsWrong([Complaint("--queues", code, expected, {"queues": ", ".join(unknown)})])
    return tuple(name for name in QUEUES if name in names)
