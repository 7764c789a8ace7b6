"""Captions of photos: what they state of the product, and what is no statement."""

from __future__ import annotations

from bot.products.captions import stated_in
from pipelines.product.number_words import in_digits
from tests.rows import each

PRINTED = "LUNARIA Detergente líquido 3 L"


@each(
    ("caption", "stated"),
    [
        ("Detergente Lunaria $35.50", {"name": "Detergente Lunaria", "price": "35.50"}),
        ("jabón zote a 22 pesos", {"name": "jabón zote", "price": "22"}),
        ("Pan blanco, 45", {"name": "Pan blanco", "price": "45"}),
        ("Leche Lala 1 L 28.50", {"name": "Leche Lala", "size": "1 L", "price": "28.50"}),
        ("Harina Tres Estrellas veinticinco pesos", {"name": "Harina Tres Estrellas", "price": "25"}),
        ("nuevo producto: café molido $120 usd", {"name": "café molido", "price": "120", "currency": "USD"}),
        ("diecinueve pesos", {"price": "19"}),
        ("Lunaria líquido", {"name": "Lunaria líquido"}),
        ("Soap 12 dollars", {"name": "Soap", "price": "12", "currency": "USD"}),
        ("galletas 24", {"name": "galletas"}),
    ],
)
def test_a_caption_states_name_price_and_size_in_any_order(caption: str, stated: dict[str, str]) -> None:
    assert stated_in(caption, PRINTED) == stated


@each(
    "caption",
    ["mira esta foto", "para el catálogo", "otra", "¿cuánto cuesta?", "2 x 99", "3 por 50 pesos", "gracias", "Lunaria",
     "el detergente que llegó ayer está caro", "antes $40 ahora $35", "19", ""],
)  # fmt: skip
def test_a_remark_states_nothing(caption: str) -> None:
    assert stated_in(caption, PRINTED) == {}


@each(
    ("said", "read"),
    [
        ("diez y seis", "16"),
        ("veintiun pesos", "21 pesos"),
        ("treinta y seis cincuenta", "36.50"),
        ("diecinueve pesos con cincuenta centavos", "19.50 pesos"),
        ("nueve mil novecientos noventa y nueve", "9999"),
        ("one thousand two hundred forty-nine", "1249"),
        ("one ninety nine", "1.99"),
        ("Hola, ¿qué tal?", "Hola, ¿qué tal?"),
    ],
)
def test_numbers_in_words_are_read_as_people_say_prices(said: str, read: str) -> None:
    assert in_digits(said) == read
