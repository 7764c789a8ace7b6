"""Understands by rules what a person types about a card: a field's value, a wrong field, or a command."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal

from pipelines.barcodes import is_gtin
from pipelines.product.number_words import in_digits
from pipelines.product.price_parsing import amounts, value_of
from pipelines.product.size_parsing import sizes
from pipelines.product.vocabulary import plain

Command = Literal["next", "cancel", "save"]


class NoValue(ValueError):
    """A text that is no value of this field; the message tells a model why."""


class WrongCheckDigit(NoValue):
    """A number as long as a barcode, with a wrong check digit."""


@dataclass(frozen=True, slots=True)
class Correction:
    """`values` by field, None for "it has none"; `wrong` are fields called wrong; `misspelt` is no valid barcode."""

    values: dict[str, str | None] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    misspelt: str | None = None

    def __bool__(self) -> bool:
        return bool(self.values or self.wrong or self.misspelt)


_COMMANDS: dict[Command, frozenset[str]] = {
    "next": frozenset({
        "otra", "otro", "siguiente", "la siguiente", "el siguiente", "otro producto", "siguiente producto",
        "nuevo producto", "next", "next one", "another", "another one", "next product", "new product",
    }),
    "cancel": frozenset({
        "cancela", "cancelar", "cancelalo", "descarta", "descartar", "descartalo", "borrala", "olvidalo", "cancel",
        "cancel it", "discard", "never mind", "nevermind", "forget it",
    }),
    "save": frozenset({
        "guarda", "guardar", "guardalo", "guardala", "confirmo", "confirma", "confirmar", "si", "ok", "listo",
        "correcto", "esta bien", "save", "save it", "confirm", "yes",
    }),
}  # fmt: skip

_FIELDS = {
    "price": r"precio|costo|price|cost",
    "brand": r"marca|brand",
    "name": r"nombre|producto|name|product",
    "size": r"tama[ñn]o|contenido(?:\s+neto)?|peso|presentaci[oó]n|medida|size|contents?|weight",
    "barcode": r"c[oó]digo(?:\s+de\s+barras)?|bar\s?code|code|ean|upc",
    "currency": r"moneda|currency",
}
_WORD = "|".join(f"(?P<{name}>{words})" for name, words in _FIELDS.items())
# A field is named at the beginning of a clause: "el precio es 36 y la marca es Bimbo".
_HEAD = re.compile(
    rf"(?:^|[,;.]\s*+|(?<!\s)\s++(?:y|and)\s++)(?:(?:no|pero|but)[,.]?\s++)?"
    rf"(?:(?:cambia|corrige|pon(?:le)?|change|set)\s++)?(?:(?:el|la|su|the|its)\s++)?(?:{_WORD})\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"^\s*(?:correct[oa]\s+)?(?:es|son|era|ser[ií]a|debe\s+ser|is|are|should\s+be|(?:a|to)(?=\s)|[:=]|,)\s*(?:de\s+|el\s+|:)?\s*",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(
    r"^\s*+(?:no\s++es|is\s++not|isn'?t)\s++.+?[,;]?(?<!\s)\s++(?:es|sino|it'?s|but)\s++(?P<right>(?s:.+))",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"^\s*(?:est[aá]\s+mal|es\s+incorrect[oa]|est[aá]\s+equivocad[oa]|no\s+es(?:\s+es[eao]|\s+correct[oa])?"
    r"|is\s+wrong|is\s+not\s+right|isn'?t\s+right|is\s+incorrect)\s*$",
    re.IGNORECASE,
)
_NONE = re.compile(
    rf"^(?:(?:no\s+tiene|no\s+trae|sin|it\s+has\s+no|no|without(?:\s+a)?)\s+)(?:{_WORD})$", re.IGNORECASE
)
_BUT = r"^(?:no[,.;:]?\s++)?"
_PRICED = re.compile(
    rf"{_BUT}(?:cuesta|vale|sale\s+en|est[aá]\s+a|son\s+a|a|it\s+costs|costs?)\s+(?P<value>.+)$", re.IGNORECASE
)
_CALLED = re.compile(rf"{_BUT}(?:se\s+llama|it'?s\s+called|it\s+is\s+called)\s+(?P<value>.+)$", re.IGNORECASE)
_SIMPLY = re.compile(
    rf"{_BUT}(?:es\s+de|son\s+de|es|son|pesa|contiene|trae|mide|it'?s|it\s+is|de)?\s*+(?P<value>\S.*)$", re.IGNORECASE
)
_ASKS = re.compile(
    r"[?¿]|^\s*(?:qu[eé]|cu[aá]nt[oa]s?|cu[aá]l(?:es)?|c[oó]mo|d[oó]nde|cu[aá]ndo|qui[eé]n|por\s+qu[eé]|puedes|podr[ií]as|me\s+puedes|"
    r"tenemos|tienes|hay|what|which|how|where|when|who|why|can\s+you|could\s+you|do\s+we|is\s+there|are\s+there)\b",
    re.IGNORECASE,
)
_LONGEST = 120
_MOST_WORDS = 8


def command_of(text: str) -> Command | None:
    """A message that is nothing but a command: otra, cancela, guardar."""
    bare = _bare(text)
    return next((name for name, spellings in _COMMANDS.items() if bare in spellings), None)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", plain(text)))


def denies(text: str) -> bool:
    """Whether a message says only no, or that the photo isn't of a product."""
    return (
        re.fullmatch(r"(?:no|nope|no es|no es un producto|not a product|it is not|it isn t)", _bare(text)) is not None
    )


def asks(text: str) -> bool:
    """Whether a text is a question, which the assistant answers."""
    return _ASKS.search(text) is not None


def correction_of(text: str, awaiting: str | None = None) -> Correction:
    """Parse corrections of the card; empty without any. `awaiting` is the field that was asked for."""
    text = " ".join(text.split("\n")).strip().rstrip(".!")
    if not text or len(text) > 4 * _LONGEST or asks(text):
        return Correction()
    return _named(text) or _awaited(text, awaiting) or _unnamed(text) or _unnamed(in_digits(text)) or _bare_price(text)


def value_for(name: str, text: str) -> dict[str, str]:
    """The value as the card has it, with the currency that a price names. Raises NoValue."""
    text = " ".join(text.split()).strip(" .,;:\"'“”«»")
    if not text or len(text) > _LONGEST:
        raise NoValue(f"a {name} has 1 to {_LONGEST} characters")
    return _READERS.get(name, _text)(name, text)


def occurs(name: str, value: str, words: str) -> bool:
    """Whether a person's words hold a value: every word and number of it."""
    if name == "price":
        said = re.findall(r"\d[\d.,]*", f"{words} {in_digits(words)}")
        return _decimal(value) in {_decimal(number) for number in said} - {None}
    if name == "barcode" and value.isdecimal():
        return value in re.sub(r"[\s-]", "", words)
    if name == "size" and any(str(size) == value for size in sizes(words)):
        return True
    spoken = set(re.findall(r"\w+", plain(words)))
    return set(re.findall(r"\w+", plain(value))) <= spoken


# Sentences


def _named(text: str) -> Correction:
    """Clauses that name their field."""
    none = _NONE.match(text)
    if none:
        return Correction({_field_of(none): None})
    heads = list(_HEAD.finditer(text))
    if not heads or heads[0].start() > 0:
        return Correction()
    values: dict[str, str | None] = {}
    wrong: list[str] = []
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        name, rest = _field_of(head), text[head.end() : after.start() if after else None].rstrip(" ,;")
        if _WRONG.match(rest):
            wrong.append(name)
            continue
        try:
            values |= value_for(name, _stated_value(name, rest))
        except WrongCheckDigit as error:
            return Correction(misspelt=str(error))
        except NoValue:
            # A sentence without a value, such as "el precio es muy alto", corrects nothing.
            return Correction()
    return Correction(values, tuple(wrong))


def _stated_value(name: str, rest: str) -> str:
    """Find the value behind a field's name; raises NoValue if nothing marks it as one."""
    but = _NOT_BUT.match(rest)
    if but:
        return but["right"]
    verb = _VERB.match(rest)
    value = rest[verb.end() :] if verb else rest
    if not value.strip() or (name in ("name", "brand") and len(value.split()) > _MOST_WORDS):
        raise NoValue("nothing follows")
    if verb is None and name == "name":
        raise NoValue("a name follows a verb or a colon")
    if re.match(r"\s*(?:no|not|mal|wrong|correct[oa]?|bien|right)\b", value, re.IGNORECASE):
        raise NoValue("says how it is, not what it is")
    return value


def _awaited(text: str, awaiting: str | None) -> Correction:
    if awaiting is None:
        return Correction()
    simply = _SIMPLY.match(text)
    try:
        return Correction(dict(value_for(awaiting, simply["value"] if simply else text)))
    except WrongCheckDigit as error:
        return Correction(misspelt=str(error))
    except NoValue:
        return Correction()


def _unnamed(text: str) -> Correction:
    """Sentences whose value says itself which field it is."""
    for pattern, name in ((_CALLED, "name"), (_PRICED, "price")):
        found = pattern.match(text)
        if found:
            try:
                return Correction(dict(value_for(name, found["value"])))
            except NoValue:
                return Correction()
    simply = _SIMPLY.match(text)
    value = simply["value"] if simply else text
    whole = len(value)
    for size in sizes(value):
        if size.start == 0 and size.end >= whole - 1:
            return Correction({"size": str(size)})
    digits = re.sub(r"[\s-]", "", value)
    if digits.isdecimal() and is_gtin(digits):
        return Correction({"barcode": digits})
    for amount in amounts(value):
        if amount.signed and amount.start == 0 and amount.end >= whole:
            return Correction(dict(value_for("price", value)))
    return Correction()


def _bare_price(text: str) -> Correction:
    """A number behind a "no": what the card says is not the price."""
    found = re.match(r"no[,.;:]?\s++(?:(?:es|son|it'?s)\s++)?(?P<value>\S.*+)$", text, re.IGNORECASE)
    try:
        return Correction(dict(value_for("price", found["value"]))) if found else Correction()
    except NoValue:
        return Correction()


def _field_of(match: re.Match[str]) -> str:
    return next(name for name in _FIELDS if match[name])


# Values


def _decimal(number: str) -> Decimal | None:
    """The amount in a text of digits, points and commas; None if it isn't one."""
    try:
        return value_of(number.rstrip(".,"))
    except InvalidOperation:
        return None


def _price(_: str, text: str) -> dict[str, str]:
    text = in_digits(text)
    found = amounts(text, before="precio ")
    if len(found) != 1:
        raise NoValue("expected one amount, such as 36 or 1,249.00")
    amount = found[0]
    around = f"{text[: amount.start]} {text[amount.end :]}"
    if amount.pieces > 1 or amount.value <= 0 or re.sub(r"\b(?:pesos|c/u|cada\s+un[oa]|each)\b|\W", "", around.lower()):
        raise NoValue("expected one amount and nothing else")
    return {"price": str(amount.value)} | ({"currency": amount.currency} if amount.currency else {})


def _size(_: str, text: str) -> dict[str, str]:
    found = sizes(text) or sizes(text := in_digits(text))
    if len(found) == 1 and found[0].start == 0 and found[0].end >= len(text) - 1:
        return {"size": str(found[0])}
    if not re.search(r"\d", text) and len(text.split()) > 3:  # noqa: PLR2004 - "grande", "tamaño familiar"
        raise NoValue("expected an amount with its unit, such as 500 g")
    return {"size": text}


def _barcode(_: str, text: str) -> dict[str, str]:
    bare = re.sub(r"[\s-]", "", text)
    if bare.isdecimal() and len(bare) in (8, 12, 13, 14) and not is_gtin(bare):
        raise WrongCheckDigit(bare)
    # Digits may stand in groups, and a code with letters is one word: "Pasta 24 pesos" is none.
    if not bare.isdecimal() and len(text.split()) > 1:
        raise NoValue("expected the digits of a barcode")
    if not re.fullmatch(r"[A-Za-z0-9]{3,48}", bare) or not re.search(r"\d", bare):
        raise NoValue("expected the digits of a barcode")
    return {"barcode": bare}


def _currency(_: str, text: str) -> dict[str, str]:
    known = {"pesos": "MXN", "pesos mexicanos": "MXN", "dolares": "USD", "dollars": "USD", "euros": "EUR"}
    code = known.get(plain(text), text.upper())
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise NoValue("expected a currency of ISO 4217, such as MXN")
    return {"currency": code}


def _text(name: str, text: str) -> dict[str, str]:
    if not re.search(r"\w", text):
        raise NoValue(f"a {name} has letters")
    return {name: text}


_READERS: dict[str, Callable[[str, str], dict[str, str]]] = {
    "price": _price,
    "size": _size,
    "barcode": _barcode,
    "currency": _currency,
}
"""How a field's value is read; what isn't here is a text."""
