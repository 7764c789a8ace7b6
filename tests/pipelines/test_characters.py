"""Texts are decoded by their encoding, without invisible characters."""

import json

from pipelines.characters import cleaned, decoded, is_text
from tests.paths import ROOT
from tests.rows import each

ROWS = json.loads((ROOT / "fixtures" / "files" / "encodings.json").read_text(encoding="utf-8"))


@each(("text", "encoding"), [(row["text"], encoding) for row in ROWS for encoding in row["encodings"]])
def test_a_text_is_read_in_the_encoding_it_was_saved_in(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    assert decoded(content) == text
    assert is_text(content)


@each(
    ("content", "text"),
    [
        ("Año de café en México".encode().replace(b"caf\xc3\xa9", b"caf\xe9"), "Año de café en México"),
        ("Niño, señal, ".encode() * 50 + b"\xff fin", "Niño, señal, " * 50 + "ÿ fin"),
        ("Atención: ñandú ".encode() + b"\x93hoy\x94", "Atención: ñandú “hoy”"),
        ("Categoría".encode()[:-1] + b"a\x81 ", "Categoría\ufffd "),
        # Cut in the middle of a letter.
        ("Año café".encode()[:-1], "Año caf"),
        ("Año 35 €".encode()[:-1], "Año 35 "),
    ],
)
def test_a_wrong_byte_spoils_itself_alone(content: bytes, text: str) -> None:
    assert decoded(content) == text


@each(
    ("text", "seen"),
    [
        ("factu\x02ración", "facturación"),
        ("factu\x02\r\nración", "facturación"),
        ("factu\ufffera", "factura"),
        ("CLAVE\x020042", "CLAVE-0042"),
        ("2026\x0212", "2026-12"),
        ("en\u00adtre\u200bga\ufeff", "entrega"),
        ("\u202eoculto\u202c", "oculto"),
        ("o\ufb01cina, \ufb02ete, su\ufb01ciente", "oficina, flete, suficiente"),
        ("1\u202f250,00\u00a0€", "1 250,00 €"),
        ("a\x00b\x07c\td\ne", "abc\td\ne"),
        # A person who repairs is one picture of three signs.
        ("👩\u200d🔧 va", "👩\u200d🔧 va"),
    ],
)
def test_signs_that_nobody_sees_are_left_out(text: str, seen: str) -> None:
    assert cleaned(text) == seen


@each(
    "content",
    [
        b"",
        b"  \n",
        b"\x00\x01\x02",
        bytes(64),
        bytes(range(128, 256)),
        b"\x00\x00\x01\x00\x01\x00\x10\x10",
        b"A\x00\x00\x00",
    ],
)
def test_bytes_that_are_no_text_are_not_taken_for_one(content: bytes) -> None:
    assert not is_text(content)


def test_a_stray_control_character_is_allowed_for_only_where_that_is_asked() -> None:
    content = b"Producto;Precio\n" * 20 + b"\x01\x1a"
    assert (is_text(content), is_text(content, stray=True)) == (False, True)
    assert not is_text(b"\x01\x02\x03 abc" * 9, stray=True)
