"""Hostile texts for a regular expression, made of its own parts, so that a scan advances far and backtracks."""

from __future__ import annotations

import importlib
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

# The standard library's own parser of patterns, which typeshed doesn't describe.
_parser: Any = importlib.import_module("re._parser")

_UNBOUND = 50
# Characters that are known to slow backtracking scans.
_SEEDS = (
    " ", "<", "< ", "[a](", "[", "@", "a@", "a.", "1", "1,", "1 ", "\n", " \n", "&", "http://", "a", "a ", "A", "¡",
    "_", "*", "**a", "**a ", "_a ", "`", "-", "/", "$", "{{", "<a>", "|-", "(",
)  # fmt: skip
_ENDS = ("", "\x00")


def hostile(pattern: re.Pattern[Any]) -> list[Callable[[int], str]]:
    """Makers of texts, each of about this many characters, that make this pattern advance far and backtrack."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    letters = _alphabet(tree)
    pumps: dict[tuple[str, str, str], None] = {}
    bodies = dict.fromkeys([*_SEEDS, *letters, *("".join(pair) for pair in itertools.permutations(letters[:6], 2))])
    for body in bodies:
        pumps[("", body, "\x00")] = None
    for prefix, inner in _repeats(tree):
        for body in dict.fromkeys([*inner[:4], *letters[:3], " ", "a", "1"]):
            for end in _ENDS:
                pumps[(prefix, body, end)] = None
            pumps[("", prefix + body, "\x00")] = None
            pumps[("", prefix + body + " ", "\x00")] = None
    return [_maker(*pump) for pump in pumps]


def _maker(prefix: str, body: str, end: str) -> Callable[[int], str]:
    def text(length: int) -> str:
        return prefix + body * (length // len(body)) + end

    text.__name__ = f"{prefix!r} + {body!r} * n + {end!r}"
    return text


def _walk(tree: Any) -> Iterator[tuple[str, Any]]:
    for operation, given in tree:
        yield str(operation), given
        for part in _parts(str(operation), given):
            yield from _walk(part)


def _parts(operation: str, given: Any) -> list[Any]:
    place = {"SUBPATTERN": 3, "ASSERT": 1, "ASSERT_NOT": 1, "MAX_REPEAT": 2, "MIN_REPEAT": 2, "POSSESSIVE_REPEAT": 2}
    match operation:
        case "BRANCH":
            return list(given[1])
        case "ATOMIC_GROUP":
            return [given]
        case "GROUPREF_EXISTS":
            return [part for part in given[1:] if part is not None]
    return [given[place[operation]]] if operation in place else []


def _alphabet(tree: Any) -> list[str]:
    """A character for each class that the pattern matches, the most frequent first."""
    counts: dict[str, int] = defaultdict(int)
    for operation, given in _walk(tree):
        for letter in _letters(operation, given):
            counts[letter] += 1
    return sorted(counts, key=lambda letter: -counts[letter])


_CATEGORIES = {
    "CATEGORY_SPACE": " \n\t", "CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a1_", "CATEGORY_NOT_SPACE": "a.",
    "CATEGORY_NOT_DIGIT": "a ", "CATEGORY_NOT_WORD": " .",
}  # fmt: skip


def _letters(operation: str, given: Any) -> list[str]:
    match operation:
        case "LITERAL":
            return [chr(given)]
        case "NOT_LITERAL":
            return [letter for letter in "a 1" if ord(letter) != given]
        case "ANY":
            return ["a"]
        case "CATEGORY":
            return list(_CATEGORIES[str(given)])
        case "IN":
            return _of_set(given)
    return []


def _of_set(items: Any) -> list[str]:
    if str(items[0][0]) == "NEGATE":
        barred = {letter for item, given in items[1:] for letter in _letters(str(item), given)}
        ranges = [given for item, given in items[1:] if str(item) == "RANGE"]
        free = [letter for letter in "a 1<[@.(\n/-" if letter not in barred]
        return [letter for letter in free if not any(low <= ord(letter) <= high for low, high in ranges)][:4]
    found_ = [letter for item, given in items for letter in _letters(str(item), given)]
    return [*found_[:6], *(chr(given[0]) for item, given in items if str(item) == "RANGE")]


def _repeats(tree: Any) -> Iterator[tuple[str, list[str]]]:
    """Each repeat without a near upper bound: a text that leads to it, and texts that it matches once."""
    yield from _lead(tree, "")


def _lead(tree: Any, before: str) -> Iterator[tuple[str, list[str]]]:
    for operation, given in tree:
        name = str(operation)
        if name.endswith("REPEAT"):
            least, most, inner = given
            if most == _parser.MAXREPEAT or most >= _UNBOUND:
                yield before, [body for body in _samples(inner) if body]
            if most:
                yield from _lead(inner, before)
            before += _sample(inner) * least
        else:
            for part in _parts(name, given):
                yield from _lead(part, before)
            before += _sample([(operation, given)])


def _samples(tree: Any) -> list[str]:
    """A few matching texts: of a single set, a few of its letters."""
    if len(tree) == 1 and (letters := _letters(str(tree[0][0]), tree[0][1])):
        return letters
    return [_sample(tree)]


def _sample(tree: Any) -> str:
    text = ""
    for operation, given in tree:
        name = str(operation)
        if letters := _letters(name, given):
            text += letters[0]
        elif name.endswith("REPEAT"):
            text += _sample(given[2]) * min(given[0], _UNBOUND)
        elif name == "BRANCH":
            text += _sample(given[1][0])
        elif name in {"SUBPATTERN", "ATOMIC_GROUP"}:
            text += _sample(_parts(name, given)[0])
    return text
