"""Texts of staff about a card, in Spanish and English: values, wrong fields, commands, and questions."""

from __future__ import annotations

import pytest

from bot.products.corrections import Command, NoValue, asks, command_of, correction_of, occurs, value_for
from tests.rows import each

CODE = "7501055300075"


@each(
    ("said", "values"),
    [
        ("el precio es 36", {"price": "36"}),
        ("El precio es de 36 pesos.", {"price": "36"}),
        ("precio: $1,249.00", {"price": "1249.00"}),
        ("El precio es $36.00 MXN", {"price": "36.00", "currency": "MXN"}),
        ("36 usd", {"price": "36", "currency": "USD"}),
        ("no, cuesta 36.50", {"price": "36.50"}),
        ("a 36 pesos", {"price": "36"}),
        ("el precio no es 36, es 38", {"price": "38"}),
        ("cambia el precio a 36", {"price": "36"}),
        ("el precio es 36 y la marca es Bimbo", {"price": "36", "brand": "Bimbo"}),
        ("la marca es Bimbo, el contenido es 680 g", {"brand": "Bimbo", "size": "680 g"}),
        ("es de 500 g", {"size": "500 g"}),
        ("no, 1.5 litros", {"size": "1.5 L"}),
        ("son 6 latas de 355 ml", {"size": "6 x 355 ml"}),
        ("se llama Pan blanco", {"name": "Pan blanco"}),
        ("el nombre es Pan de caja", {"name": "Pan de caja"}),
        ("marca Bimbo", {"brand": "Bimbo"}),
        ("no tiene marca", {"brand": None}),
        (f"el código es {CODE}", {"barcode": CODE}),
        (CODE, {"barcode": CODE}),
        ("the price is 36", {"price": "36"}),
        ("change the price to 36", {"price": "36"}),
        ("the brand is Bimbo", {"brand": "Bimbo"}),
        ("it's 500 g", {"size": "500 g"}),
        ("no, 19", {"price": "19"}),
        ("No. 19.50", {"price": "19.50"}),
        ("no, diecinueve", {"price": "19"}),
        ("no, son treinta y seis cincuenta", {"price": "36.50"}),
        ("diecinueve pesos", {"price": "19"}),
        ("mil doscientos cuarenta y nueve pesos", {"price": "1249"}),
        ("el precio es veintiún pesos con cincuenta centavos", {"price": "21.50"}),
        ("cuesta nueve mil novecientos noventa y nueve", {"price": "9999"}),
        ("nineteen dollars", {"price": "19", "currency": "USD"}),
        ("no, it's nineteen fifty", {"price": "19.50"}),
        ("the price is a hundred and five", {"price": "105"}),
        ("un litro", {"size": "1 L"}),
        ("son quinientos gramos", {"size": "500 g"}),
        ("la marca es Tres Estrellas", {"brand": "Tres Estrellas"}),
        ("no, Tres Estrellas", {}),
    ],
)
def test_a_correction_is_understood_by_its_words(said: str, values: dict[str, str | None]) -> None:
    assert correction_of(said).values == values


@each(
    "said",
    ["hola", "gracias", "¿el precio es 36?", "el precio es muy alto", "producto nuevo", "está mal", "pon 36", "36", "",
     "cuánto cuesta el de 500 g", "el precio a la vista", "the price is too high", "diecinueve", "mil gracias",
     "no, gracias", "no, mil gracias", "una caja"],
)  # fmt: skip
def test_other_sentences_correct_nothing(said: str) -> None:
    assert not correction_of(said)


@pytest.mark.parametrize(
    ("said", "field"),
    [("el código está mal", "barcode"), ("el nombre no es correcto", "name"), ("the price is wrong", "price")],
)
def test_a_wrong_field_may_be_named_without_the_right_value(said: str, field: str) -> None:
    assert correction_of(said).wrong == (field,)


def test_a_number_with_a_wrong_check_digit_is_no_barcode() -> None:
    assert correction_of("el código es 7501055300071").misspelt == "7501055300071"


@pytest.mark.parametrize(
    ("field", "typed", "value"), [("price", "36", "36"), ("name", "Pan blanco", "Pan blanco"), ("size", "3 L", "3 L")]
)
def test_what_was_asked_for_needs_no_sentence(field: str, typed: str, value: str) -> None:
    assert correction_of(typed, field).values == {field: value}


@each(
    ("said", "command"),
    [("Otra.", "next"), ("¡Siguiente!", "next"), ("Cancela", "cancel"), ("Sí", "save"), ("otra cosa", None)],
)
def test_a_command_is_a_message_of_its_own(said: str, command: Command | None) -> None:
    assert command_of(said) == command


def test_a_question_is_known_by_its_marks_or_its_first_word() -> None:
    assert all(asks(words) for words in ("¿y esto?", "cuánto cuesta", "what is this", "puedes ver el precio"))
    assert not any(asks(words) for words in ("detergente nuevo", "el precio es 36", ""))


@each(
    ("field", "value", "words", "there"),
    [
        ("price", "41.90", "ahora anda en 41.90", True),
        ("price", "41.9", "anda en $41.90 ya", True),
        ("price", "45.00", "anda en 41.90", False),
        ("price", "41", "anda en 41.90", False),
        ("name", "Pan Blanco", "ponle pan blanco porfa", True),
        ("name", "Pan integral", "ponle pan blanco porfa", False),
        ("barcode", CODE, "es 750 1055 300075", True),
        ("barcode", CODE, "es 123", False),
        ("size", "1.5 L", "trae 1.5 litros", True),
        ("price", "19", "ya subió a diecinueve", True),
        ("price", "20", "ya subió a diecinueve", False),
        ("price", "19", "es la v. 1.2.3.4, no 19.", True),
    ],
)
def test_a_value_counts_only_where_its_words_were_said(field: str, value: str, words: str, there: bool) -> None:  # noqa: FBT001
    assert occurs(field, value, words) is there


@each(
    ("field", "text"),
    [
        ("price", "mucho"),
        ("price", "2x$99"),
        ("price", "0"),
        ("barcode", "?"),
        ("barcode", "Pasta 24 pesos"),
        ("currency", "zz"),
        ("name", ""),
    ],
)
def test_what_is_no_value_is_refused(field: str, text: str) -> None:
    with pytest.raises(NoValue):
        value_for(field, text)
