"""Long texts in parts that lose nothing."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.whatsapp.formatting import PART_LIMIT, split
from tests.rows import each


def test_a_short_text_is_one_part_and_nothing_is_none() -> None:
    assert split("hola") == ["hola"]
    assert split("") == split(" \n ") == []


def test_a_text_of_exactly_the_limit_is_one_part() -> None:
    assert split("a" * PART_LIMIT) == ["a" * PART_LIMIT]
    assert [len(part) for part in split("a" * (PART_LIMIT + 1))] == [PART_LIMIT, 1]


@each(
    ("text", "parts"),
    [
        ("uno dos\n\ntres cuatro", ["uno dos", "tres cuatro"]),
        ("uno dos\ntres cuatro", ["uno dos", "tres cuatro"]),
        ("uno dos. tres cuatro", ["uno dos.", "tres cuatro"]),
        ("uno dos tres cuatro", ["uno dos tres", "cuatro"]),
        ("a\n\nbcdefghijklmnopq", ["a\n\nbcdefghijkl", "mnopq"]),
        ("unodostrescuatro", ["unodostrescuat", "ro"]),
    ],
    ids=["paragraph", "line", "sentence", "word", "no crumb", "letter"],
)
def test_a_long_text_is_cut_at_the_largest_break(text: str, parts: list[str]) -> None:
    assert split(text, 14) == parts


@each(
    ("text", "limit"),
    [
        ("👍🏽" * 10, 6),
        ("e\u0301" * 10, 5),
        ("👨‍👩‍👧" * 4, 9),
        ("🇲🇽" * 10, 6),
        ("x" + "🇲🇽" * 10, 6),
        ("❤️" * 10, 3),
    ],
    ids=["skin", "accent", "family", "flag", "flag after a letter", "heart"],
)
def test_no_cut_goes_through_a_sign(text: str, limit: int) -> None:
    signs = re.compile("👍🏽|e\u0301|👨‍👩‍👧|🇲🇽|❤️|x")
    for part in split(text, limit):
        assert signs.sub("", part) == ""


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab .\n*_~`-#|[]()😀é\u0301\u200d"), max_size=80), st.integers(4, 20))
@example("a" * 50, 4)
def test_parts_fit_and_together_hold_every_letter(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part.encode("utf-16-le")) // 2 <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
