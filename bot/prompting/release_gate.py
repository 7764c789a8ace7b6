"""Gate before a release: the folder's recorded cases have to pass with exactly these prompts.

Because an evaluation needs the whole service, which is a layer above, it is handed in as a function.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.prompting.diagnostics import Diagnostic
from bot.prompting.prompts import Prompts

# Folder of the cases and their recordings, in the folder of the prompts.
CASES = "evals"
_STATES = {
    "failed": ("case-failed", "fails", "set the prompts or the case right, see `recado prompts eval`"),
    "stale": ("case-stale", "proves nothing", "`recado prompts eval --record`"),
}
_AGAIN = "see `recado prompts eval`; or let releases pass with PROMPTS_GATE=off"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """Outcome of a case; the case begins at `line` and `column` of `file`. `stale`: its recording proves nothing.

    `in_spanish` has the same problems in Spanish.
    """

    case: str
    state: Literal["passed", "failed", "stale"]
    problems: tuple[str, ...]
    file: str
    line: int
    column: int
    in_spanish: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Results of all cases with the prompts of `release`."""

    release: str
    cases: tuple[CaseResult, ...]


class NotEvaluated(Exception):
    """There is no report; the message has a line for each reason."""


# Evaluates the cases of a folder by their recordings, with a set of documents. Raises NotEvaluated.
EvaluateCases = Callable[[Path, str | None], Awaitable[EvaluationReport]]


async def no_evaluation(_: Path, __: str | None) -> EvaluationReport:
    """Refuse, in a process that was given no evaluation."""
    raise NotEvaluated("this process can't evaluate cases")


class OfflineGate:
    """Gate of one folder."""

    def __init__(self, folder: Path, evaluate: EvaluateCases) -> None:
        self._folder = folder
        self._evaluate = evaluate

    async def __call__(self, prompts: Prompts) -> list[Diagnostic]:
        """Diagnostics of all cases that fail or prove nothing; none where all pass with these prompts."""
        if not await asyncio.to_thread(_has_cases, self._folder):
            return [self._refusal("no-cases", "holds no cases")]
        try:
            report = await self._evaluate(self._folder, prompts.knowledge)
        except NotEvaluated as error:
            return [self._refusal("not-evaluated", line) for line in str(error).splitlines()]
        if report.release != prompts.wording:
            return [self._refusal("not-evaluated", "the folder was changed while its cases were performed")]
        if not report.cases:
            return [self._refusal("no-cases", "holds no cases")]
        return [_diagnostic(case) for case in report.cases if case.state != "passed"]

    def _refusal(self, code: str, message: str) -> Diagnostic:
        return Diagnostic(str(self._folder / CASES), 1, 1, code, message, _AGAIN, message)


def _diagnostic(result: CaseResult) -> Diagnostic:
    code, verdict, fix = _STATES[result.state]
    problems, in_spanish = "; ".join(result.problems), "; ".join(result.in_spanish or result.problems)
    message, about = f"case {result.case} {verdict}: {problems}", f"{result.case} ({problems})"
    about_es = f"{result.case} ({in_spanish})"
    return Diagnostic(result.file, result.line, result.column, code, message, fix, about, about_es=about_es)


def _has_cases(folder: Path) -> bool:
    return any((folder / CASES).glob("*.yaml"))


def state_of_cases(folder: Path) -> list[tuple[str, int, int]]:
    """Path, time and size of each case and recording, to see whether any has changed."""
    found = ((path, path.stat()) for path in sorted((folder / CASES).rglob("*")))
    return [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found]
