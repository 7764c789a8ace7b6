"""The table of customers' answers when an outside service fails: their text, their delay, the requests made."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from bench.chaos import dead_model
from bench.chaos.cases import FailureCase, FailureRow, play
from bench.chaos.cases_combined import LONG_TIMES, TOGETHER
from bench.chaos.cases_media import VISION, WHISPER
from bench.chaos.cases_meta import FILES, SENDING
from bench.chaos.cases_models import OPENROUTER
from bench.chaos.in_process import ANSWER, DEADLINE_SECONDS, open_recado

# Each group runs its own Recado with these variables.
GROUPS: dict[str, tuple[tuple[FailureCase, ...], Mapping[str, str]]] = {
    "openrouter": (OPENROUTER, {}),
    "whisper": (WHISPER, {}),
    "vision": (VISION, {}),
    "files": (FILES, {}),
    "sending": (SENDING, {}),
    "together": (TOGETHER, LONG_TIMES),
}
HEADER = (
    "outside",
    "what fails",
    "the customer reads",
    f"after s (of {DEADLINE_SECONDS:.0f})",
    "still on it",
    "requests",
    "ends",
    "as it has to be",
)
PrintRow = Callable[[Sequence[str]], None]
_SHOWN = 44


async def rows() -> AsyncIterator[FailureRow]:
    """Every case of the table, in order."""
    for cases, environment in GROUPS.values():
        with tempfile.TemporaryDirectory() as folder:
            async with open_recado(Path(folder), **environment) as recado:
                for case in cases:
                    yield await play(recado, case)


async def run(print_row: PrintRow) -> list[str]:
    """Print the table, cell by cell, after its header and Markdown's rule; returns the faults."""
    print_row(HEADER)
    print_row(("---",) * len(HEADER))
    faults: list[str] = []
    async for row in rows():
        print_row(cells(row))
        faults += [f"{row.case.upstream}, {row.case.failure}: {fault}" for fault in row.faults + row.late_answer_faults]
    for name, failure in dead_model.FAILURES.items():
        with tempfile.TemporaryDirectory() as folder:
            async with open_recado(Path(folder), **dead_model.TIMES) as recado:
                first, second, back = await dead_model.run_outage(recado, failure)
        fault = _fault(first, second)
        for wave, what in ((first, "at once"), (second, "after them")):
            print_row(_wave_cells(f"{name}: the default model, {wave.people} people {what}", wave, fault))
        print_row(("OpenRouter", f"{name}: it is back", "the answer, its own", f"{back:.1f}", "", "", "", ""))
        faults += [f"{name}: {fault}"] if fault else []
    return faults


def cells(row: FailureRow) -> tuple[str, ...]:
    seen = "the answer" if row.seen == ANSWER else f"«{row.seen[:_SHOWN]}…»" if row.seen else "nothing"
    after = f"{row.seconds:.1f}" if row.seconds is not None else ""
    ends = ", ".join(dict.fromkeys(row.states))
    verdict = "; ".join(row.faults + row.late_answer_faults) or (
        "yes: late, as Meta took it late" if row.case.late else "yes"
    )
    return (
        row.case.upstream,
        row.case.failure,
        seen,
        after,
        str(row.delay_notices or ""),
        _asked(row.asked),
        ends,
        verdict,
    )


def _asked(asked: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {times}" for name, times in asked.items() if times)


def _wave_cells(what: str, wave: dead_model.Wave, fault: str | None) -> tuple[str, ...]:
    asked = _asked({"default": wave.default, "fallback": wave.fallback})
    seen = "the answer" if wave.answered == wave.people else f"the answer: {wave.answered}"
    return "OpenRouter", what, seen, f"{wave.seconds:.1f}", "", asked, "answered", fault or "yes"


def _fault(first: dead_model.Wave, second: dead_model.Wave) -> str | None:
    """The first people ask once each; while the breaker is open, one person of the second wave probes."""
    if first.answered < first.people or second.answered < second.people:
        return "not all were answered"
    few = first.people + dead_model.FAILURES_BEFORE_OPEN
    return "the dead model is asked too often" if first.default > few or second.default > 2 else None


def markdown(line: Sequence[str]) -> str:
    """A row as a line of Markdown."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in line)} |"
