"""Outcomes in words and as JSON, with the confidence interval of each pass rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.messages.language import Language
from bot.prompting.confidence import wilson_interval
from evals.report_words import REPORT
from evals.runner import CaseOutcome, Report

_LANGUAGES: tuple[Language, ...] = ("es", "en")


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
        "outcomes": [_outcome(outcome) for outcome in report.outcomes],
    }
    return found | ({"against": as_json(against)} if against else {})


def _outcome(outcome: CaseOutcome) -> dict[str, Any]:
    return {
        "case": outcome.case,
        **({"file": str(place.path), "line": place.line, "column": place.column} if (place := outcome.place) else {}),
        "state": outcome.state,
        "problems": [problem.said("en") for problem in outcome.problems],
        "words": {language: [problem.said(language) for problem in outcome.problems] for language in _LANGUAGES},
        "by": outcome.by,
        "runs": outcome.runs,
        "passes": outcome.passes,
        "unjudged": outcome.unjudged,
        "cost_usd": f"{outcome.cost_usd:f}",
        "milliseconds": round(outcome.milliseconds),
        "tags": outcome.tags,
    }


def as_text(report: Report, against: Report | None = None, *, is_live: bool = False, language: Language = "en") -> str:
    """Report with a line for each notable case, then the totals."""
    totals = _totals(report, against, language, is_live=is_live)
    return "\n".join([*_lines(report, against, language, is_live=is_live), *totals])


def _lines(report: Report, against: Report | None, language: Language, *, is_live: bool) -> Iterator[str]:
    before = {outcome.case: outcome for outcome in against.outcomes} if against else {}
    for outcome in report.outcomes:
        state = REPORT[outcome.state][language]
        if is_live:
            old = before.get(outcome.case)
            beside = f"{_rate(old):>24} → " if old else "  "
            yield f"{state:<7} {outcome.case:<36}{beside}{_rate(outcome)}"
        if outcome.state != "passed":
            before_case = "" if is_live else state
            yield from (f"{before_case:<7} {outcome.case}: {why.said(language)}" for why in outcome.problems)


def _rate(counted: CaseOutcome | Report) -> str:
    passes, runs = counted.runs if isinstance(counted, Report) else (counted.passes, counted.runs)
    low, high = wilson_interval(passes, runs)
    return f"{passes}/{runs} ({low:.0%} … {high:.0%})"


def _totals(report: Report, against: Report | None, language: Language, *, is_live: bool) -> Iterator[str]:
    def said(what: str, **values: object) -> str:
        return REPORT[what][language].format(**values)

    counts = said("counts", **{state: report.count(state) for state in ("passed", "failed", "stale")})
    facts = {"cases": len(report.outcomes), "release": report.release, "seconds": f"{report.seconds:.1f}"}
    yield said("totals", **facts, counts=counts)
    if is_live:
        cost = sum(outcome.cost_usd for outcome in report.outcomes)
        yield said("rate", rate=_rate(report), cost=f"{cost:.4f}")
        if against:
            yield said("before", release=against.release, rate=_rate(against))
    if not is_live and report.scripted:
        yield said("scripted", count=report.scripted)
    if report.by and not is_live:
        yield said("recorded", names=", ".join(f"{name} {count}" for name, count in sorted(report.by.items())))
    if unjudged := sum(outcome.unjudged for outcome in report.outcomes):
        yield said("unjudged", count=unjudged)
    if report.count("stale"):
        yield said("stale is")
        if cost := sum(outcome.cost_usd for outcome in report.outcomes if outcome.state == "stale"):
            yield said("cost", cost=f"{cost:.4f}")
