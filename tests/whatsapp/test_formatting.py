"""A model's Markdown as WhatsApp draws it, and long texts in parts that lose nothing."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.whatsapp.formatting import PART_LIMIT, split, whatsapp


@pytest.mark.parametrize(
    ("markdown", "drawn"),
    [
        ("**negritas** y más", "*negritas* y más"),
        ("__negritas__", "*negritas*"),
        ("***las dos***", "*_las dos_*"),
        ("_cursivas_ y *negritas*", "_cursivas_ y *negritas*"),
        ("~~antes~~ ahora", "~antes~ ahora"),
        ("dos **en** una **línea**", "dos *en* una *línea*"),
        ("2 ** 3 y 5 * 4 * 3", "2 ** 3 y 5 * 4 * 3"),
        ("nombre_de__archivo__x.pdf", "nombre_de__archivo__x.pdf"),
        ("# Horarios", "*Horarios*"),
        ("### **Horarios** ###", "*Horarios*"),
        ("#hashtag", "#hashtag"),
        ("* uno\n* dos", "- uno\n- dos"),
        ("+ uno\n  + uno y medio", "- uno\n  - uno y medio"),
        ("- uno\n1. dos", "- uno\n1. dos"),
        ("> cita", "> cita"),
        ("[la tienda](https://x.mx/a)", "la tienda: https://x.mx/a"),
        ("[https://x.mx](https://x.mx)", "https://x.mx"),
        ('[x](https://x.mx "título")', "x: https://x.mx"),
        ("[Oso](https://es.wikipedia.org/wiki/Oso_(animal))", "Oso: https://es.wikipedia.org/wiki/Oso_(animal)"),
        ("![foto](https://x.mx/a.jpg)", "foto: https://x.mx/a.jpg"),
        ("![](https://x.mx/a.jpg)", "https://x.mx/a.jpg"),
        ("[sin enlace] (y esto)", "[sin enlace] (y esto)"),
        ("uno\n\n---\n\ndos", "uno\n\ndos"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("a\r\nb", "a\nb"),
        ("  hola  ", "hola"),
        ("| Plan | Precio |\n|---|---:|\n| Básico | $349 |", "Plan | Precio\nBásico | $349"),
        ("`**código**`", "`**código**`"),
        ("```\n# no es título\n**ni negritas**\n```", "```\n# no es título\n**ni negritas**\n```"),
        ("```\nsin **cerrar**", "```\nsin **cerrar**"),
        ("precio: $1,899.00 (IVA incl.) 100%", "precio: $1,899.00 (IVA incl.) 100%"),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_markdown_becomes_what_whatsapp_draws(markdown: str, drawn: str) -> None:
    assert whatsapp(markdown) == drawn


@pytest.mark.parametrize("markdown", ["**negritas**\n- uno\n* dos", "# Título\n\n[x](https://x.mx)", "~~a~~ `b`"])
def test_what_is_drawn_already_stays_as_it_is(markdown: str) -> None:
    assert whatsapp(whatsapp(markdown)) == whatsapp(markdown)


def test_a_short_text_is_one_part_and_nothing_is_none() -> None:
    assert split("hola") == ["hola"]
    assert split("") == split(" \n ") == []


def test_a_text_of_exactly_the_limit_is_one_part() -> None:
    assert split("a" * PART_LIMIT) == ["a" * PART_LIMIT]
    assert [len(part) for part in split("a" * (PART_LIMIT + 1))] == [PART_LIMIT, 1]


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab1 .\n*_~`-#|[]()é"), max_size=60))
def test_no_letter_is_lost_by_drawing(text: str) -> None:
    assert re.sub(r"[^a-zé1]", "", whatsapp(text)) == re.sub(r"[^a-zé1]", "", text)
