"""Values of a template: all of them, by name, cleaned, within Meta's limits, in the shape that Meta takes."""

from typing import Any

import pytest

from bot.whatsapp.templates.parameters import ParametersWrong, Synced, cleaned, components, synced_from, words
from tests.rows import each

NAMED = [
    {"type": "HEADER", "format": "TEXT", "text": "Pedido {{order}}"},
    {"type": "BODY", "text": "Hola {{name}}, tu pedido {{order}} va en camino."},
    {"type": "FOOTER", "text": "Gracias"},
]
NUMBERED = [
    {"type": "HEADER", "format": "TEXT", "text": "Pedido {{1}}"},
    {"type": "BODY", "text": "Hola {{2}}, te escribe {{1}} hoy."},
]


def template(parts: list[dict[str, Any]], parameter_format: str = "NAMED") -> Synced:
    return Synced(
        id="1", name="order", language="es_MX", status="APPROVED", category="UTILITY",
        parameter_format=parameter_format, components=tuple(parts),
    )  # fmt: skip


def values(component: dict[str, Any]) -> list[str]:
    return [parameter["text"] for parameter in component["parameters"]]


def test_named_values_carry_their_names_in_each_component() -> None:
    header, body = components(template(NAMED), {"name": "Ana", "order": "A-17"})
    assert header == {"type": "header", "parameters": [{"type": "text", "parameter_name": "order", "text": "A-17"}]}
    assert body["parameters"] == [
        {"type": "text", "parameter_name": "name", "text": "Ana"},
        {"type": "text", "parameter_name": "order", "text": "A-17"},
    ]


def test_numbered_values_stand_in_the_order_of_their_numbers_without_names() -> None:
    header, body = components(template(NUMBERED, "POSITIONAL"), {"header": "A-17", "1": "Luis", "2": "Ana"})
    assert header["parameters"] == [{"type": "text", "text": "A-17"}]
    assert body["parameters"] == [{"type": "text", "text": "Luis"}, {"type": "text", "text": "Ana"}]


def test_the_words_are_what_the_person_reads() -> None:
    assert words(template(NAMED), {"name": "Ana", "order": "A-17"}) == (
        "Pedido A-17\n\nHola Ana, tu pedido A-17 va en camino.\n\nGracias"
    )
    assert words(template(NUMBERED, "POSITIONAL"), {"header": "A-17", "1": "Luis", "2": "Ana"}) == (
        "Pedido A-17\n\nHola Ana, te escribe Luis hoy."
    )


@each(
    ("given", "missing", "unknown"),
    [
        ({}, ["order", "name"], []),
        ({"name": "Ana"}, ["order"], []),
        ({"name": "Ana", "order": "1", "total": "2"}, [], ["total"]),
        ({"Name": "Ana", "order": "1"}, ["name"], ["Name"]),
    ],
)
def test_missing_and_unknown_values_are_named(given: dict[str, str], missing: list[str], unknown: list[str]) -> None:
    with pytest.raises(ParametersWrong) as caught:
        components(template(NAMED), given)
    assert (caught.value.missing, caught.value.unknown) == (missing, unknown)
    assert all(name in str(caught.value) for name in (*missing, *unknown))


@each(
    ("value", "clean"),
    [
        ("Ana", "Ana"),
        ("Ana\nMaría", "Ana María"),
        ("a\tb", "a b"),
        ("a\r\n\r\nb", "a b"),
        ("a          b", "a b"),
        ("  a  ", "a"),
        ("a\u00a0\u00a0\u00a0\u00a0\u00a0b", "a b"),
        ("a\x00b\x07", "ab"),
        ("", "-"),
        (" \n\t ", "-"),
        ("👩‍🔧 café", "👩‍🔧 café"),
    ],
)
def test_a_value_is_one_line_without_what_meta_refuses(value: str, clean: str) -> None:
    assert cleaned(value) == clean


@each("letter", ["x", "ñ", "👍", "🇲🇽"])
def test_too_long_values_are_shortened_until_the_text_fits(letter: str) -> None:
    header, body = components(template(NAMED), {"name": letter * 2000, "order": letter * 300})
    (order,) = values(header)
    assert len(f"Pedido {order}".encode("utf-16-le")) <= 2 * 60
    name, order = values(body)
    text = f"Hola {name}, tu pedido {order} va en camino."
    assert len(text.encode("utf-16-le")) <= 2 * 1024
    assert name.endswith("…")


def test_short_values_stay_whole_beside_a_long_one() -> None:
    _, body = components(template(NAMED), {"name": "x" * 2000, "order": "A-17"})
    assert values(body)[1] == "A-17"


@each(("value", "place"), [("https://shop.example/a.jpg", "link"), ("1234567890", "id")], ids=["a link", "an id"])
@each("kind", ["IMAGE", "VIDEO", "DOCUMENT"])
def test_a_media_header_needs_its_file_with_each_message(kind: str, value: str, place: str) -> None:
    with_media = template([{"type": "HEADER", "format": kind}, {"type": "BODY", "text": "Listo."}])
    assert with_media.parameters == ("header",)
    (header,) = components(with_media, {"header": value})
    assert header["parameters"] == [{"type": kind.lower(), kind.lower(): {place: value}}]


def test_buttons_take_the_end_of_their_address_and_their_code_by_position() -> None:
    row = {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Sí"},
            {"type": "URL", "text": "Ver", "url": "https://shop.example/o/{{1}}"},
            {"type": "URL", "text": "Inicio", "url": "https://shop.example"},
            {"type": "COPY_CODE", "text": "Copiar"},
        ],
    }
    buttons = template([{"type": "BODY", "text": "Listo."}, row])
    assert buttons.parameters == ("button_1", "button_3")
    url, code = components(buttons, {"button_1": "A-17", "button_3": "AHORRA"})
    assert url == {
        "type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "A-17"}],
    }  # fmt: skip
    assert code["parameters"] == [{"type": "coupon_code", "coupon_code": "AHORRA"}]


@each(
    ("raw", "kept"),
    [
        ({"name": "a", "language": "es"}, ("UNKNOWN", "POSITIONAL", None)),
        (
            {"name": "a", "language": "es", "status": "approved", "parameter_format": "named"},
            ("APPROVED", "NAMED", None),
        ),
        (
            {"name": "a", "language": "es", "status": "REJECTED", "rejected_reason": "SCAM"},
            ("REJECTED", "POSITIONAL", "SCAM"),
        ),
        (
            {"name": "a", "language": "es", "rejected_reason": "NONE", "components": "x"},
            ("UNKNOWN", "POSITIONAL", None),
        ),
        ({"name": "a"}, None),
        ({}, None),
    ],
)
def test_metas_list_is_read_whatever_is_missing(raw: dict[str, Any], kept: tuple[str, str, str | None] | None) -> None:
    synced = synced_from(raw)
    assert (synced and (synced.status, synced.parameter_format, synced.rejected_reason)) == kept
