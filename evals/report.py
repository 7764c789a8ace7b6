"""Outcomes in words and as JSON, with the confidence interval of each pass rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.prompting.confidence import wilson_interval
from evals.runner import CaseOutcome, Report


def as_json(report: Report, against: Report | None = None) -> dict[str, Any]:
    """Report with money in US dollars, as text."""
    passes, runs = report.runs
    found: dict[str, Any] = {
        "release": report.release,
        "cases": len(report.outcomes),
        "passed": report.count("passed"),
        "failed": report.count("failed"),
        "stale": report.count("stale"),
        "recorded_by": report.by,
        "pass_rate": {"passes": passes, "runs": runs, "interval": wilson_interval(passes, runs)},
        "seconds": round(report.seconds, 2),
        "outcomes": [_outcome(one) for one in report.outcomes],
    }
    return found | ({"against": as_json(against)} if against else {})


def _outcome(one: CaseOutcome) -> dict[str, Any]:
    return {
        "case": one.case,
        **({"file": str(place.path), "line": place.line, "column": place.column} if (place := one.place) else {}),
        "state": one.state,
        "problems": one.problems,
        "by": one.by,
        "runs": one.runs,
        "passes": one.passes,
        "unjudged": one.unjudged,
        "cost_usd": f"{one.cost_usd:f}",
        "milliseconds": round(one.milliseconds),
        "tags": one.tags,
    }


def as_text(report: Report, against: Report | None = None, *, is_live: bool = False) -> str:
    """Report with a line for each notable case, then the totals."""
    return "\n".join([*_lines(report, against, is_live=is_live), *_totals(report, against, is_live=is_live)])


def _lines(report: Report, against: Report | None, *, is_live: bool) -> Iterator[str]:
    before = {one.case: one for one in against.outcomes} if against else {}
    for one in report.outcomes:
        if is_live:
            old = before.get(one.case)
            beside = f"{_rate(old):>24} → " if old else "  "
            yield f"{one.state:<7} {one.case:<36}{beside}{_rate(one)}"
        if one.state != "passed":
            yield from (f"{'' if is_live else one.state:<7} {one.case}: {problem}" for problem in one.problems)


def _rate(one: CaseOutcome | Report) -> str:
    passes, runs = one.runs if isinstance(one, Report) else (one.passes, one.runs)
    low, high = wilson_interval(passes, runs)
    return f"{passes}/{runs} ({low:.0%} … {high:.0%})"


def _totals(report: Report, against: Report | None, *, is_live: bool) -> Iterator[str]:
    counts = ", ".join(f"{report.count(state)} {state}" for state in ("passed", "failed", "stale"))
    yield f"{len(report.outcomes)} cases of release {report.release}: {counts}, in {report.seconds:.1f} s"
    if is_live:
        cost = sum(one.cost_usd for one in report.outcomes)
        yield f"runs that passed: {_rate(report)}, with 95 % certainty; {cost:.4f} USD"
        if against:
            yield f"before, release {against.release}: {_rate(against)}"
    if not is_live and report.scripted:
        yield (
            f"{report.scripted} answered by examples or the stand-in, not by a model: they prove tools, files and form,"
            " not how a model takes your words (OPENROUTER_API_KEY and --record, or --tier live)"
        )
    if report.by and not is_live:
        yield "recorded by: " + ", ".join(f"{name} {count}" for name, count in sorted(report.by.items()))
    if unjudged := sum(one.unjudged for one in report.outcomes):
        yield f"not judged: {unjudged} rubrics, which need a real model (--record or --tier live)"
    if report.count("stale"):
        yield "stale is no failure: nothing is proven until it is recorded again (--record leaves alone what is proven)"
        if cost := sum(one.cost_usd for one in report.outcomes if one.state == "stale"):
            yield f"to record what is stale cost {cost:.4f} USD the last time"
