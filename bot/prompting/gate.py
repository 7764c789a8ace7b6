"""What has to pass before prompts are released: the offline evaluation, in a process of its own.

There the imitations that it needs are loaded, and its work blocks nobody's loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.prompting.findings import Finding
from bot.prompting.prompts import Prompts

# Of the folder of the prompts: where the cases are, with their recordings.
CASES = "evals"
_SECONDS = 300.0
_CLEAR_UP_SECONDS = 5.0
_FAILED = "set the prompts or the case right, see `recado prompts eval`"
_STALE = "record it anew: `recado prompts eval --record`"
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

    async def __call__(self, prompts: Prompts) -> list[Finding]:
        """One finding for each case that fails or proves nothing; none where all pass with these very prompts."""
        out, err, why = await self._evaluate()
        try:
            report = json.loads(out)
        except ValueError:
            told = [why] if why else err.splitlines()[-20:] or ["it ended without a word"]
            return [self._finding("no-cases" if "holds no cases" in one else "not-evaluated", one) for one in told]
        if report["release"] != prompts.release:
            return [self._finding("not-evaluated", "the folder was changed while its cases were performed")]
        if not report["outcomes"]:
            return [self._finding("no-cases", "holds no cases")]
        return list(_unproven(report["outcomes"]))

    async def _evaluate(self) -> tuple[str, str, str]:
        """What the command printed to both of its streams, and why it was stopped, if it was."""
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
            return "", "", f"took longer than {self._seconds:.0f} seconds"
        finally:
            # Also when we are told to stop ourselves.
            await _over(process)
        return out.decode(), err.decode(errors="replace"), ""

    def _finding(self, code: str, message: str) -> Finding:
        return Finding(str(self._folder / CASES), 1, 1, code, message, _AGAIN)


async def _over(process: asyncio.subprocess.Process) -> None:
    """Interrupt it as Ctrl-C does, so that it clears up behind itself."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(number)
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=_CLEAR_UP_SECONDS)


def _unproven(outcomes: list[dict[str, Any]]) -> Iterator[Finding]:
    for one in outcomes:
        if one["state"] != "passed":
            code, fix = ("case-stale", _STALE) if one["state"] == "stale" else ("case-failed", _FAILED)
            message = f"case {one['case']} {'proves nothing' if one['state'] == 'stale' else 'fails'}: "
            yield Finding(one["file"], one["line"], one["column"], code, message + "; ".join(one["problems"]), fix)
