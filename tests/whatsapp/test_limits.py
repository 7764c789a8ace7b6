"""Whatever is said, Meta takes it, and people can still read all of it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.messages.outbound import (
    AskLocation,
    Attachment,
    Buttons,
    Choice,
    LinkButton,
    Menu,
    Part,
    Picture,
    Reply,
    Say,
    StoredFile,
    Template,
    VoiceNote,
)
from bot.whatsapp.limits import fit
from bot.whatsapp.rendering import render
from sandbox.meta.validation import parse_request
from tests.rows import each

TO = Reply(id="r", parts=(), phone="5215512345678")
FILE = StoredFile(key="out/a.pdf", mime="application/pdf")
FAMILY = "👨‍👩‍👧‍👦"


def choices(*titles: str, description: str | None = None) -> tuple[Choice, ...]:
    return tuple(Choice(id=f"id{n}", title=title, description=description) for n, title in enumerate(titles))


def buttons(*titles: str, body: str = "¿Cuál?", footer: str | None = None) -> Buttons:
    return Buttons(body=body, choices=choices(*titles), footer=footer)


def menu(*titles: str, body: str = "¿Cuál?", opener: str = "Ver", description: str | None = None) -> Menu:
    return Menu(body=body, opener=opener, choices=choices(*titles, description=description))


def shape(part: Part) -> tuple[str, ...]:
    """The kind, and what can be tapped."""
    return (part.kind, *(choice.title for choice in part.choices)) if isinstance(part, Buttons | Menu) else (part.kind,)


@each(
    ("part", "shapes"),
    [
        (buttons("Sí", "No"), [("buttons", "Sí", "No")]),
        (buttons("a", "b", "c", "d"), [("menu", "a", "b", "c", "d")]),
        (menu(*"abcdefghij"), [("menu", *"abcdefghij")]),
        (menu(*"abcdefghijk"), [("say",)]),
        (buttons(*"abcdefghijk"), [("say",)]),
        (buttons("Sí", "Sí"), [("buttons", "Sí", "Sí (2)")]),
        (buttons("Sí", "Sí", "Sí"), [("buttons", "Sí", "Sí (2)", "Sí (3)")]),
        (menu("Sí", "Sí"), [("menu", "Sí", "Sí (2)")]),
        (buttons("Sí", " ", "No"), [("buttons", "Sí", "No")]),
        (buttons(" "), [("say",)]),
        (buttons("Sí", body=" "), [("say",)]),
        (buttons("x" * 21), [("buttons", "x" * 19 + "…")]),
        (buttons("El plan para negocios A", "El plan para negocios B"),
         [("buttons", "El plan para negoci…", "El plan para ne… (2)")]),
        (buttons("Sí", body="a" * 1025), [("say",), ("buttons", "Sí")]),
        (menu("Sí", body="a " * 2500), [("say",), ("menu", "Sí")]),
        (Buttons(body="b", choices=(Choice(id="i" * 257, title="t"),)), [("say",)]),
        (Menu(body="b", opener="o", choices=(Choice(id="i" * 201, title="t"),)), [("say",)]),
        (Say(body="x" * 4096), [("say",)]),
        (Say.model_construct(body="palabra " * 1000), [("say",), ("say",)]),
        (Say.model_construct(body=" \n "), []),
        (Picture(file=FILE, caption="c" * 1024), [("picture",)]),
        (Picture(file=FILE, caption="palabra " * 200), [("picture",), ("say",)]),
        (Attachment(file=FILE, caption=" "), [("attachment",)]),
        (VoiceNote(file=FILE), [("voice_note",)]),
        (AskLocation(body="¿Dónde estás?"), [("ask_location",)]),
        (AskLocation(body="palabra " * 200), [("say",), ("ask_location",)]),
        (AskLocation(body=""), []),
        (LinkButton(body="Tu factura", label="Abrir", url="https://shop.example/1"), [("link_button",)]),
        (LinkButton(body="Tu factura", label="Abrir", url="javascript:alert(1)"), [("say",)]),
        (LinkButton(body="Tu factura", label="Abrir", url="https://shop.example/" + "x" * 2000), [("say",)]),
        (Template(name="order_confirmation"), [("template",)]),
    ],
)  # fmt: skip
def test_what_is_too_much_is_said_in_another_way(part: Part, shapes: list[tuple[str, ...]]) -> None:
    assert [shape(fitted) for fitted in fit([part])] == shapes


def test_a_list_that_is_too_long_becomes_numbered_text() -> None:
    (say,) = fit([menu(*(f"Plan {n}" for n in range(11)), body="Elige:", description="al mes")])
    assert isinstance(say, Say)
    assert say.body.splitlines()[:3] == ["Elige:", "", "1. *Plan 0*: al mes"]
    assert say.body.splitlines()[-1] == "11. *Plan 10*: al mes"


def test_what_is_cut_from_a_button_is_read_in_full_above_it() -> None:
    (fitting,) = fit([buttons("El plan para negocios grandes", "No")])
    assert isinstance(fitting, Buttons)
    assert fitting.body == "¿Cuál?\n\n*El plan para negocios grandes*\n*No*"
    assert [choice.id for choice in fitting.choices] == ["id0", "id1"]


def test_what_is_cut_from_a_row_is_read_in_full_in_its_description() -> None:
    (fitting,) = fit([menu("El plan para negocios grandes", description="con factura")])
    assert isinstance(fitting, Menu)
    (row,) = fitting.choices
    assert (row.title, row.description) == (
        "El plan para negocios g…",
        "El plan para negocios grandes: con factura",
    )


def test_a_description_that_is_cut_is_read_in_full_above_the_list() -> None:
    (fitting,) = fit([menu("Negocio", description="d" * 80)])
    assert isinstance(fitting, Menu)
    assert fitting.body == f"¿Cuál?\n\n*Negocio*: {'d' * 80}"
    assert fitting.choices[0].description == "d" * 71 + "…"


@each("letter", [FAMILY, "🇲🇽", "👍🏽", "ñ", "क्षि", "1️⃣"])
def test_a_title_is_cut_between_letters_and_never_inside_one(letter: str) -> None:
    (fitting,) = fit([buttons(letter * 21)])
    assert isinstance(fitting, Buttons)
    title = fitting.choices[0].title
    assert len(title.encode("utf-16-le")) // 2 <= 20
    assert title.endswith("…")
    assert title.removesuffix("…").replace(letter, "") == ""


def test_only_the_first_of_several_texts_quotes() -> None:
    first, second = fit([Say.model_construct(body="palabra " * 1000, quote="wamid.1")])
    assert isinstance(first, Say)
    assert isinstance(second, Say)
    assert (first.quote, second.quote) == ("wamid.1", None)


def test_a_footer_that_is_too_long_ends_the_body() -> None:
    (fitting,) = fit([buttons("Sí", footer="f" * 61)])
    assert isinstance(fitting, Buttons)
    assert (fitting.body, fitting.footer) == (f"¿Cuál?\n\n{'f' * 61}", None)


words = st.text(st.characters(codec="utf-8"), max_size=60) | st.integers(1, 5000).map(lambda n: "pez " * n)
choice = st.builds(Choice, id=st.text(max_size=260), title=words, description=st.none() | words)
some = st.lists(choice, max_size=13).map(tuple)
anything: st.SearchStrategy[Part] = st.one_of(
    words.map(lambda body: Say.model_construct(body=body)),
    st.builds(Buttons, body=words, choices=some, footer=st.none() | words),
    st.builds(Menu, body=words, opener=words, choices=some, footer=st.none() | words),
    st.builds(LinkButton, body=words, label=words, url=words | st.just("https://shop.example/1")),
    st.builds(AskLocation, body=words),
    st.builds(Picture, file=st.just(FILE), caption=st.none() | words),
    st.builds(Attachment, file=st.just(FILE), caption=st.none() | words),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(part=anything)
def test_whatever_is_said_meta_takes_it(part: Part) -> None:
    for fitting in fit([part]):
        assert not isinstance(fitting, Template)
        parse_request(render(fitting, TO, "c.r.0", "123"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(part=anything)
def test_what_fits_stays_as_it_is(part: Part) -> None:
    once = fit([part])
    assert [shape(fitted) for fitted in fit(once)] == [shape(part) for part in once]
