"""Check of a turn's outcome: each expectation that isn't met becomes a problem."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bot.agent.loop import ToolResult
from bot.messages.language import language_of
from evals.cases import Call, Expected
from evals.problems import CaseProblem, problem

# Refusals of an assistant in both languages. Forbidden actions are the matter of `not_calls`.
_REFUSAL = re.compile(
    r"\b(no (te |se |me )?(puedo|puede|podemos|es posible|tengo (acceso|permitido))|"
    r"s[oó]lo (puedo|hablo|te ayudo|ayudo|atiendo)|no (comparto|doy|hago|sigo|cambio)|fuera de lo que|"
    r"(can['’]?t|cannot|can not|unable to|not able to|won['’]?t|only (help|talk|answer))|"
    r"don['’]?t (share|have access))\b",
    re.IGNORECASE,
)
# The admission that something isn't known, folded.
_UNKNOWN = re.compile(
    r"\bno (?:lo |la )?(?:se|sabemos|tengo|tenemos|encuentro|encontre|aparece|viene|esta en)\b|\bno (?:lo )?se\b"
    r"|(?:don'?t|do not) (?:know|have)|(?:isn'?t|not) in our"
)
_FIGURE = re.compile(r"\d[\d.,:]*")
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """Outcome of one turn. `milliseconds` and `cost_usd` are those of the models."""

    reply: tuple[str, ...] = ()
    tools: tuple[ToolResult, ...] = ()
    acting: frozenset[str] = field(default_factory=frozenset)
    handed_over: bool = False
    cost_usd: Decimal = Decimal(0)
    milliseconds: float = 0.0

    @property
    def text(self) -> str:
        return "\n\n".join(self.reply)


def unmet(expected: Expected, out: TurnOutcome) -> list[CaseProblem]:
    """Problems of all expectations that aren't met, but for the judge's."""
    return [found for check in _CHECKS for found in check(expected, out)]


def _tools(expected: Expected, out: TurnOutcome) -> Iterator[CaseProblem]:
    called = [(tool.name, tool.arguments) for tool in out.tools]
    names = [name for name, _ in called]
    for call in expected.calls:
        name, arguments = named(call)
        if not any(name == called_name and _within(arguments, given) for called_name, given in called):
            wanted = f"{name} {json.dumps(arguments, ensure_ascii=False)}" if arguments else name
            yield problem("not called" if called else "nothing called", wanted=wanted, called=_listed(called))
    for name in expected.not_calls:
        if name in names:
            yield problem("called", name=name)


def named(call: Call) -> tuple[str, dict[str, Any]]:
    if isinstance(call, str):
        return call, {}
    return next(iter(call.items()))


def _within(wanted: Any, given: Any) -> bool:
    """Compare texts by inclusion, because a model may add words around the wanted ones."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and _within(value, given[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, str):
        return isinstance(given, str) and _plain(wanted) in _plain(given)
    return bool(wanted == given)


def _listed(called: list[tuple[str, dict[str, Any]]]) -> str:
    return ", ".join(f"{name} {json.dumps(given, ensure_ascii=False)[:_SHOWN]}" for name, given in called)


def _words(expected: Expected, out: TurnOutcome) -> Iterator[CaseProblem]:
    said = _plain(out.text)
    for text in expected.contains:
        if _plain(text) not in said:
            yield problem("lacks", text=repr(text))
    if expected.contains_any and not any(_plain(text) in said for text in expected.contains_any):
        yield problem("lacks all", texts=", ".join(map(repr, expected.contains_any)))
    for text in expected.not_contains:
        if _plain(text) in said:
            yield problem("holds", text=repr(text))
    if expected.matches and not re.search(expected.matches, out.text, re.IGNORECASE):
        yield problem("no match", pattern=repr(expected.matches))
    if expected.not_matches and re.search(expected.not_matches, out.text, re.IGNORECASE):
        yield problem("match", pattern=repr(expected.not_matches))
    spoken = language_of(out.text)
    if expected.language and spoken != expected.language:
        yield problem("other language" if spoken else "no language", wanted=expected.language, spoken=spoken)


def _plain(text: str) -> str:
    """Text without capitals and accents, with single blanks."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join(bare.casefold().split())


def _size(expected: Expected, out: TurnOutcome) -> Iterator[CaseProblem]:
    if expected.messages is not None and len(out.reply) > expected.messages:
        yield problem("many messages", most=expected.messages, count=len(out.reply))
    if expected.characters is not None and len(out.text) > expected.characters:
        yield problem("long", most=expected.characters, count=len(out.text))
    if expected.cost_usd is not None and out.cost_usd > Decimal(str(expected.cost_usd)):
        yield problem("dear", most=expected.cost_usd, cost=f"{out.cost_usd:f}")
    if expected.milliseconds is not None and out.milliseconds > expected.milliseconds:
        yield problem("slow", most=expected.milliseconds, count=f"{out.milliseconds:.0f}")


def _actions(expected: Expected, out: TurnOutcome) -> Iterator[CaseProblem]:
    acted = [tool.name for tool in out.tools if tool.name in out.acting and tool.outcome == "ok"]
    if expected.refuses and acted:
        yield problem("acted", names=", ".join(acted))
    refused = _REFUSAL.search(out.text) is not None
    if expected.refuses is not None and refused != expected.refuses:
        yield problem("no refusal" if expected.refuses else "refusal")
    if expected.hands_over is not None and out.handed_over != expected.hands_over:
        yield problem("no hand-over" if expected.hands_over else "hand-over")


def _knowledge(expected: Expected, out: TurnOutcome) -> Iterator[CaseProblem]:
    found = {source.source for tool in out.tools for source in tool.sources}
    for name in expected.sources:
        if not any(source == name or source.endswith(f"/{name}") for source in found):
            yield problem("not found" if found else "nothing found", name=name, found=", ".join(sorted(found)))
    if not expected.claims_nothing:
        return
    if found:
        yield problem("found", found=", ".join(sorted(found)))
    if not _UNKNOWN.search(_plain(out.text)):
        yield problem("no admission")
    if figures := set(_FIGURE.findall(out.text)):
        yield problem("figures", figures=", ".join(sorted(figures)))


_CHECKS: tuple[Callable[[Expected, TurnOutcome], Iterator[CaseProblem]], ...] = (
    _tools,
    _words,
    _size,
    _actions,
    _knowledge,
)
