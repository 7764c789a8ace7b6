"""Evaluation of a folder by `recado prompts eval` in a process of its own.

Because the process loads imitations of all outside services, the work blocks nobody's loop and fills nobody's memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from bot.prompting.release_gate import CaseResult, EvaluationReport, NotEvaluated

_SECONDS = 300.0
_CLEAR_UP_SECONDS = 5.0
_MOST_LINES = 20


async def evaluate_cases(folder: Path, knowledge: str | None, *, seconds: float = _SECONDS) -> EvaluationReport:
    """Play the recordings of a folder's cases again, with a set of documents. Raises NotEvaluated."""
    documents = ("--knowledge", knowledge) if knowledge else ()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "prompts", "eval", "--strict", "--format", "json", *documents),
        env=os.environ | {"PROMPTS_DIR": str(folder)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except TimeoutError as error:
        raise NotEvaluated(f"took longer than {seconds:.0f} seconds") from error
    finally:
        # Because a task that is cancelled leaves no process behind, the end comes here.
        await _end(process)
    return report_of(out.decode(), err.decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Interrupt the process as Ctrl-C does, so that it removes its folders and servers."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(number)
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=_CLEAR_UP_SECONDS)


def report_of(out: str, err: str) -> EvaluationReport:
    """Read the command's JSON; raises NotEvaluated with the last lines of standard error where there is none."""
    try:
        report = json.loads(out)
    except ValueError as error:
        lines = err.splitlines()[-_MOST_LINES:] or ["the evaluation ended without a word"]
        raise NotEvaluated("\n".join(lines)) from error
    return EvaluationReport(
        report["release"],
        tuple(
            CaseResult(
                *(
                    outcome["case"],
                    outcome["state"],
                    tuple(outcome["problems"]),
                    outcome["file"],
                    outcome["line"],
                    outcome["column"],
                ),
                in_spanish=tuple(outcome["words"]["es"]),
            )
            for outcome in report["outcomes"]
        ),
    )
