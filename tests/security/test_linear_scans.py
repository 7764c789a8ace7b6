"""No text makes a scan hold the process: time grows linearly with the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from bot.past_cases.pseudonyms import Pseudonyms
from bot.privacy import Person
from tests.rows import each
from tests.security.growth import steep
from tests.security.patterns import Scan, found
from tests.security.pumps import hostile

# All patterns are looked for once.
pytestmark = pytest.mark.xdist_group("scans")
# Patterns made at run time: their makers, and the tests with texts for them.
BUILT = {
    "bot.cli.doctor.words.quoted": "a table of the module, over a line of ours",
    "bot.cli.spanish.error_in_spanish": "a table of the module, over an operator's own words",
    "bot.knowledge.finding_words.reason_in": "a table of the module, over a line of ours",
    "bot.knowledge.answer_forms.": "a table of the module: found there",
    "bot.knowledge.gaps.redacted": "a piece of a name, letter by letter",
    "bot.knowledge.words.": "a table of the module: found there",
    "bot.privacy.is_about": "below: of one person's identities",
    "evals.cases._pattern": "an operator's own file, compiled to be checked",
    "evals.expectations._words": "an operator's own file, on an operator's machine",
    "bot.past_cases.pseudonyms._pattern_of": "below: of one person's name",
    "sandbox.simulators.rule_based_billing.": "a table of the module: found there",
    "sandbox.simulators.rule_based_products.next_tool_call": "a word of a table, letter by letter",
    "pipelines.product.codes._elements": "a table of the module, for the name of an identifier",
    "pipelines.product.price_parsing.": "a table of the module: found there",
}


@pytest.mark.timeout(300)
def test_every_pattern_takes_a_time_that_grows_with_the_text() -> None:
    slow = [f"{scan}: {growth}" for scan in found().scans if (growth := _steep(scan))]
    assert slow == []


def test_no_pattern_repeats_a_group_without_going_back() -> None:
    """Python before 3.11.5, which is Debian 12's, misses matches of these: https://github.com/python/cpython/issues/106052."""
    broken = [str(scan) for scan in found().scans if _repeats_a_group(re._parser.parse(scan.pattern.pattern))]  # type: ignore[attr-defined]
    assert broken == []


def _repeats_a_group(parsed: Any) -> bool:
    """Whether a parsed pattern holds an atomic group, or a possessive repeat of more than one character."""
    for name, value in parsed:
        if str(name) == "ATOMIC_GROUP" or (str(name) == "POSSESSIVE_REPEAT" and str(value[2][0][0]) in _GROUPS):
            return True
        inner = [part for part in _flat(value) if isinstance(part, re._parser.SubPattern)]  # type: ignore[attr-defined]
        if any(map(_repeats_a_group, inner)):
            return True
    return False


_GROUPS = ("SUBPATTERN", "BRANCH", "MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for part in value:
            yield from _flat(part)
    else:
        yield value


def _steep(scan: Scan) -> str | None:
    grown = ((text, steep(scan.apply, text)) for text in hostile(scan.pattern))
    return next((f"{text.__name__}, {growth}" for text, growth in grown if growth), None)


def test_a_new_pattern_is_found_wherever_it_stands() -> None:
    places = {(scan.place, scan.method) for scan in found().scans}
    assert {
        ("bot.messages.prompt_text._FORGED", "sub"),
        ("bot.infra.logs._IDENTITIES", "sub"),
        ("pipelines.product.price_parsing._WORD_BEFORE", "search"),
        ("sandbox.simulators.rule_based_billing._COMPILED", "search"),
        ("bot.prompting.lint_text._NAME", "finditer"),
    } <= places
    # Inline patterns are found too.
    assert any(place.startswith("pipelines.transcript:") and method == "sub" for place, method in places)
    assert found().built == tuple(sorted(BUILT))


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"\s+$", "search"),
        (rb"\s+$", "search"),
        (r"(a+)+b", "match"),
        (r"<(?=\s*/?\s*tag\b)", "sub"),
        (r"[^\s@]+@[^\s@]+", "findall"),
        (r"\[[^\]]+\]\([^)]+\)", "sub"),
        (r"\*\*(?=\S)(.+?)(?<=\S)\*\*", "sub"),
        (r"\b(?:[\w-]+\.)+com\b", "search"),
        (r"\$\{file:([^}]+)\}", "sub"),
        (r"\d+(?:,\d+)*;", "search"),
        (r"no es .+? (?:sino|pero) .+ fin$", "match"),
    ],
)
def test_a_slow_pattern_is_seen(pattern: str | bytes, method: str) -> None:
    assert _steep(Scan("here", re.compile(pattern), method)) is not None


@each(
    ("pattern", "method"),
    [
        (r"<(?=\s*+/?+\s*+tag\b)", "sub"),
        (r"(?<!\S)[^\s@]++@\S+", "findall"),
        (r"[a-z]{1,20}://", "search"),
        (r"(?:precio|price|pvp|total|importe|antes|ahora)\s*+$", "search"),
        (r"\w+", "findall"),
        (r".*", "fullmatch"),
    ],
)
def test_a_linear_pattern_is_let_through(pattern: str, method: str) -> None:
    assert _steep(Scan("here", re.compile(pattern), method)) is None


def test_a_text_that_is_all_names_is_learnt_in_a_time_that_grows_with_it() -> None:
    def redacted(text: str) -> str:
        someone = Pseudonyms(["Ana"])
        someone.learn(text)
        return someone.replace_names(text)

    letters = "abcdefghijklmnopqrst"
    names = [f"soy A{''.join(ending)}." for ending in product(letters, repeat=3)]
    assert steep(redacted, lambda length: " ".join(names)[:length]) is None


@each("unit", ["ana ", "a", "de ", "5215512345678", "ana@x.mx ", "@", ". ", "¡"])
def test_patterns_of_a_person_take_a_time_that_grows_with_the_text(unit: str) -> None:
    someone = Person(
        conversations=("c_0123456789abcdef0123",),
        identities=frozenset({"5215512345678", "MX.8801234567890123"}),
        emails=frozenset({"ana@x.mx"}),
        customers=frozenset({"cus_0123456789abcd"}),
    )
    named = Pseudonyms(["Ana María de la Luz Zaldívar Quiroga"])
    for work in (someone.is_about, named.replace_names, named.learn, Pseudonyms([unit * 100]).replace_names):
        assert steep(work, lambda length: unit * (length // len(unit)) + "\x00") is None
