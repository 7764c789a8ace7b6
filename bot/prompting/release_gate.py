"""What has to pass before prompts are released: the offline evaluation, in a process of its own.

There the imitations that it needs are loaded, and its work blocks nobody's loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.prompting.diagnostics import Diagnostic
from bot.prompting.prompts import Prompts

# Of the folder of the prompts: where the cases are, with their recordings.
CASES = "evals"
_SECONDS = 300.0
_CLEAR_UP_SECONDS = 5.0
_MOST_LINES = 20
_STATES = {
    "failed": ("case-failed", "fails", "set the prompts or the case right, see `recado prompts eval`"),
    "stale": ("case-stale", "proves nothing", "`recado prompts eval --record`"),
}
_AGAIN = "see `recado prompts eval`; or let releases pass with PROMPTS_GATE=off"


def state_of_cases(folder: Path) -> list[tuple[str, int, int]]:
    """What is another when a case or a recording of the folder has changed."""
    found = ((path, path.stat()) for path in sorted((folder / CASES).rglob("*")))
    return [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found]


class OfflineGate:
    """Performs the cases of a folder with its prompts, by their recordings, for at most so many seconds."""

    def __init__(self, folder: Path, *, seconds: float = _SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds

    async def __call__(self, prompts: Prompts) -> list[Diagnostic]:
        """One finding for each case that fails or proves nothing; none where all pass with these very prompts."""
        return unproven(self._folder, prompts.release, *await self._evaluate())

    async def _evaluate(self) -> tuple[str, str]:
        """What the command said: its report, and what is wrong where there is none."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "prompts", "eval", "--strict", "--format", "json"),
            env=os.environ | {"PROMPTS_DIR": str(self._folder)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._seconds):
                out, err = await process.communicate()
        except TimeoutError:
            return "", f"took longer than {self._seconds:.0f} seconds"
        finally:
            # Also when we are told to stop ourselves.
            await _over(process)
        return out.decode(), err.decode(errors="replace")


async def _over(process: asyncio.subprocess.Process) -> None:
    """Interrupt it as Ctrl-C does, so that it clears up behind itself."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(number)
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=_CLEAR_UP_SECONDS)


def unproven(folder: Path, release: str, out: str, err: str) -> list[Diagnostic]:
    """What a release lacks, by the report of an evaluation as JSON, else by what was said instead of one."""

    def nothing(code: str, message: str) -> Diagnostic:
        return Diagnostic(str(folder / CASES), 1, 1, code, message, _AGAIN)

    try:
        report = json.loads(out)
    except ValueError:
        told = err.splitlines()[-_MOST_LINES:] or ["the evaluation ended without a word"]
        return [nothing("no-cases" if "holds no cases" in one else "not-evaluated", one) for one in told]
    if report["release"] != release:
        return [nothing("not-evaluated", "the folder was changed while its cases were performed")]
    if not report["outcomes"]:
        return [nothing("no-cases", "holds no cases")]
    return [_finding(one) for one in report["outcomes"] if one["state"] != "passed"]


def _finding(outcome: dict[str, Any]) -> Diagnostic:
    code, what, fix = _STATES[outcome["state"]]
    message = f"case {outcome['case']} {what}: {'; '.join(outcome['problems'])}"
    return Diagnostic(outcome["file"], outcome["line"], outcome["column"], code, message, fix)
