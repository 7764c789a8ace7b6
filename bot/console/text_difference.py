"""Difference of two texts, as a page shows it: pieces that stayed, pieces that are gone, and new ones."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable

# SequenceMatcher compares each piece with all equal ones of the other text, again for each match that it finds. So both
# the number of pieces and the number of equal pairs are limited: https://docs.python.org/3/library/difflib.html
_MOST_PIECES, _MOST_PAIRS = 800, 20_000
# A word with the blanks before it. The lookbehind lets a match begin only where blanks begin, so that a text of blanks
# is scanned once.
_WORD = re.compile(r"(?<!\s)\s*+\S+")


def difference(before: str, after: str) -> list[dict[str, str]]:
    """Pieces of both texts in order, each `{how, text}` with `how` one of `same`, `gone` and `new`.

    Texts are compared by words. With too many or too often repeated words they are compared by lines, and with too many
    lines as a whole.
    """
    old, new = _pieces(before, after)
    found: list[dict[str, str]] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for how, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if how == "equal":
            found.append({"how": "same", "text": "".join(new[new_start:new_end])})
            continue
        if old_end > old_start:
            found.append({"how": "gone", "text": "".join(old[old_start:old_end])})
        if new_end > new_start:
            found.append({"how": "new", "text": "".join(new[new_start:new_end])})
    return found


def _pieces(before: str, after: str) -> tuple[list[str], list[str]]:
    """Both texts as words, as lines or as a whole: the smallest pieces whose comparison is cheap enough."""
    cuts: tuple[Callable[[str], list[str]], ...] = (_WORD.findall, lambda text: text.splitlines(keepends=True))
    for cut in cuts:
        old, new = cut(before), cut(after)
        old_counts = Counter(old)
        equal_pairs = sum(old_counts[piece] for piece in new)
        if max(len(old), len(new)) <= _MOST_PIECES and equal_pairs <= _MOST_PAIRS:
            return old, new
    return [before] if before else [], [after] if after else []
