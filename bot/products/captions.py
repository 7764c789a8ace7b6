"""Understands the caption of a product's photo: name, price and size that the person states in any order."""

from __future__ import annotations

import re

from bot.products.corrections import NoValue, asks, command_of, value_for
from pipelines.product.number_words import in_digits
from pipelines.product.price_parsing import Amount, amounts
from pipelines.product.size_parsing import sizes, without_sizes
from pipelines.product.vocabulary import is_thing, plain

_LONGEST, _MOST_WORDS, _LEAST_LETTERS = 200, 8, 3
# A number without a sign is a price behind one of these, or with its cents at the end.
_BARE = re.compile(
    r"(?:(?:\b(?:a|en|son|cuesta|vale|precio|price|costs?|for|at)|[,:=-])\s{0,3}(\d{1,6}(?:[.,]\d{1,2})?)"
    r"|\s(\d{1,6}[.,]\d{2}))\s*$",
    re.IGNORECASE,
)
# Words at the ends that name nothing.
_ENDS = frozenset(
    word
    for line in (
        "a al aqui ahi agrega agregar agregalo anota capturar captura catalogo con cuesta de del el en es ficha foto",
        "guarda guardar guardalo hola la las los mira nueva nuevo para pesos por favor porfa porfavor precio producto",
        "registra son su un una va vale y add an and at cost costs for here is it new of photo please price product",
        "save the this to",
    )
    for word in line.split()
)
# Words of sentences and of receipts: a name has none of them.
_OF_SENTENCES = frozenset(
    word
    for line in (
        "ayer aqui ese eso esta estaba estan este esto falta fue gracias hay hoy llego lo me no porque que se tengo",
        "tiene trae ya arrived i it is missing my not that they thanks there was we you",
        "compra compras factura gasto gastos nota pago recibo ticket total expense invoice receipt",
    )
    for word in line.split()
)


def stated_in(caption: str, printed: str) -> dict[str, str | None]:
    """Fields that a caption states; empty for a question, a command or a remark.

    A name is stated where it names a thing, repeats a word that is `printed` on the photo, or stands with a price.
    """
    text = " ".join(caption.split()).rstrip(".!")
    if not text or len(text) > _LONGEST or asks(text) or command_of(text):
        return {}
    if not any(amount.signed for amount in amounts(text)):
        text = in_digits(text, money_only=True)
    price, rest = _price_in(text)
    found = sizes(rest)
    stated: dict[str, str | None] = {**price, **({"size": str(found[0])} if len(found) == 1 else {})}
    name = _name_in(without_sizes(rest) if found else rest)
    if name and (price or _is_named(name, printed)):
        stated["name"] = name
    return stated


def _price_in(text: str) -> tuple[dict[str, str], str]:
    """The price, and the text without it; none where there are several amounts, or it is for several pieces."""
    signed = [amount for amount in amounts(text) if amount.signed]
    if signed:
        return _read(text, signed[0]) if len(signed) == 1 else ({}, "")
    bare = _BARE.search(text)
    if bare is None or any(size.end > bare.start() for size in sizes(text)):
        return {}, text
    try:
        return value_for("price", bare[1] or bare[2]), text[: bare.start()]
    except NoValue:
        return {}, text


def _read(text: str, amount: Amount) -> tuple[dict[str, str], str]:
    if amount.pieces > 1 or amount.per or amount.value <= 0:
        return {}, ""
    currency = {"currency": amount.currency} if amount.currency else {}
    return {"price": str(amount.value)} | currency, f"{text[: amount.start]} {text[amount.end :]}"


def _name_in(text: str) -> str:
    runs = (run.rstrip("'’&.+-") for run in re.findall(r"[\w'’&.+-]++", text))
    words = [word for word in runs if word]
    while words and plain(words[0]) in _ENDS:
        words.pop(0)
    while words and (plain(words[-1]) in _ENDS or words[-1].isdecimal()):
        words.pop()
    folded = {plain(word) for word in words}
    if not words or len(words) > _MOST_WORDS or folded & _OF_SENTENCES:
        return ""
    letters = sum(sign.isalpha() for word in words for sign in word)
    return " ".join(words) if letters >= _LEAST_LETTERS else ""


def _is_named(name: str, printed: str) -> bool:
    words, shown = name.split(), set(re.findall(r"\w{4,}", plain(printed)))
    return any(map(is_thing, words)) or (len(words) > 1 and any(plain(word) in shown for word in words))
