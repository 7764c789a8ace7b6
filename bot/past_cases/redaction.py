"""Redaction of a real conversation: each person and number gets one stand-in, the same throughout.

Because only sure finds are replaced, names of other people are left for the case's reader to find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from bot.infra.logs import BSUID, EMAIL, NUMBER, WAMID
from bot.past_cases.pseudonyms import Pseudonyms
from bot.prompting.lint_text import SECRET
from pipelines.barcodes import is_gtin

_GAP = r"[ \t\u00a0().\u2010-\u2015-]{0,3}"
_PLACE = r"[^\W\d_][\w'’.]*"
_CAPITAL = r"[A-ZÁÉÍÓÚÑÜ][\w'’.]*"
_INSIDE = rf"{_CAPITAL}(?:\s++(?:(?:de|del|la|las|los|el|y)\s++)*{_CAPITAL})*"
_STREET = (
    rf"\b(?i:calle|c/|av(?:enida|da)?\.?|blvd\.?|bulevar|boulevard|calz(?:ada)?\.?|priv\.|cda\.|callejón|prol\.|"
    rf"prolongación|carretera)\s++(?:{_PLACE}\s++){{0,6}}?(?:{_PLACE},?\s*+)?(?:(?i:\#|n[oº°]\.?|n[uú]m(?:ero)?\.?)\s*+)?"
    r"\d+[\w-]*"
    # Because these words have other meanings too, they count as a street only before a name.
    rf"|\b(?i:camino|paseo|circuito|retorno|eje|privada|cerrada|andador|periférico|fraccionamiento)\s++{_INSIDE}"
    r"(?:,?\s*+(?i:\#|n[oº°]\.?|n[uú]m(?:ero)?\.?)?\s*+\d+[\w-]*)?"
)
_BEHIND = (
    r"(?:\s*+,?\s*+(?i:int(?:erior)?\.?|depto\.?|departamento|piso|mz\.?|manzana|lt\.?|lote)\s*+\#?\s*+\w+)*"
    rf"(?:\s*+,?\s*+(?i:col(?:onia)?\.?|fracc\.?|fraccionamiento|barrio)\s++{_INSIDE})?"
    r"(?:\s*+,?\s*+(?i:c\.?\s?p\.?)\s*+:?\s*+\d{5}\b)?"
)
_ENGLISH = (
    rf"\b\d{{1,5}}\s++(?:{_CAPITAL}\s++){{1,4}}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct)"
    r"\b\.?(?:,?\s*+(?:Apt|Unit|Suite|\#)\.?\s*+\w+)?"
)
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_DATE = rf"(?<!\d)(?:(?:19|20)\d\d-{_MONTH}-{_DAY}|{_DAY}[-.]{_MONTH}[-.](?:19|20)\d\d)(?!\d)(?:[ T]\d\d?:\d\d)?"
_BORN = r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
# The order decides where two begin at the same place. Because a date identifies nobody, its digits stay.
_PATTERN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in {
    "secret": rf"{SECRET.pattern}|(?<=Bearer )\S+",
    "url": r"(?i:https?://|www\.)[^\s<>\"'`]+|(?<![\w-])(?<![\w-]\.)(?:[\w-]+\.)+[a-z]{2,}/[^\s<>\"'`]+",
    "email": EMAIL,
    "date": _DATE,
    "message": WAMID,
    "person": BSUID,
    "stripe": r"\b(?:cus|in|ii|il|sub|si|cs|pi|pm|ch|re|seti|src|card|ba|acct|txn|po|cn|dp|evt)_"
              r"(?:test_|live_)?(?:[A-Za-z0-9]{14,}|(?=[a-zA-Z]*\d)[A-Za-z0-9]{8,})\b",
    "conversation": r"\bc_[0-9a-f]{12,20}\b",
    "curp": rf"(?i:\b[A-Z]{{4}}{_BORN}[HMX][A-Z]{{5}}[A-Z\d]\d\b)",
    "voter": r"(?i:\b[A-Z]{6}\d{8}[HM]\d{3}\b)",
    "rfc": rf"(?i:(?<!\w)[A-ZÑ&]{{3,4}}[ -]?{_BORN}[ -]?[A-Z\d]{{3}}\b)",
    "coordinates": r"-?\d{1,3}\.\d{4,}\s*[,;]\s*-?\d{1,3}\.\d{4,}",
    "address": rf"(?:{_STREET}|{_ENGLISH}){_BEHIND}|\b(?i:col(?:onia)?\.?|fracc\.)\s++{_INSIDE}{_BEHIND}"
               r"|\b(?i:c\.?\s?p\.?)\s*+:?\s*+\d{5}\b",
    "ending": r"[•*]{2}[ •*]{0,40}+\d{4}\b|\b(?i:terminaci[oó]n|termina en|terminada en|ending in)\s+(?:en\s+)?\d{4}\b",
    "number": rf"(?<!\w)\+?\(?\d(?:{_GAP}(?!{_DATE})\d){{9,}}|{NUMBER}",
}.items()))  # fmt: skip
# Because a page with nothing but words in its path is public, its address stays.
_PLAIN_PAGE = re.compile(
    r"(?:https?://|www\.)?[\w.-]++(?::\d++)?(?:/[a-zñ-]{0,40}+(?:\.[a-z]{2,4}+)?)*[.,;:!?]*+", re.IGNORECASE
)
_ENDS = ".,;:!?)]"
_PHONE_LENGTHS = range(9, 16)
_CARD_LENGTHS = range(13, 20)
_CLABE_LENGTH, _GTIN_LENGTH, _LOCAL_LENGTH, _CENTRE = 18, 13, 10, (19.4326, -99.1332)


class Redaction:
    """`people` are names of the writer, `public` is the company's public text, `product_codes` are printed codes.

    A stand-in names its kind, and stays the same for the same thing as long as this object lives.
    """

    def __init__(self, people: Iterable[str] = (), *, public: str = "", product_codes: Collection[str] = ()) -> None:
        self._names = Pseudonyms(people)
        self._product_codes = frozenset(product_codes)
        self._given: dict[tuple[str, str], str] = {}
        self._count: dict[str, int] = {}
        self._public = frozenset(_key(found) for found in _PATTERN.finditer(public))

    def learn(self, words: str) -> None:
        """Learn names by which the person introduces themselves."""
        self._names.learn(words)

    def text(self, words: str) -> str:
        pieces, at = [], 0
        for found in _PATTERN.finditer(words):
            pieces += [self._names.replace_names(words[at : found.start()]), self._replacement(found)]
            at = found.end()
        return "".join([*pieces, self._names.replace_names(words[at:])])

    def value(self, given: Any) -> Any:
        """Redact texts and numbers of a tool's arguments; names of arguments stay."""
        match given:
            case str():
                return self.text(given)
            case dict():
                return {name: self.value(argument) for name, argument in given.items()}
            case list() | tuple():
                return [self.value(item) for item in given]
            case int() if not isinstance(given, bool) and (said := self.text(str(given))) != str(given):
                return int(re.sub(r"\D", "", said) or 0)
            case _:
                return given

    def place(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Coordinates of a stand-in; different places get different ones."""
        first, second = self.text(f"{latitude:.6f}, {longitude:.6f}").split(", ")
        return float(first), float(second)

    def _replacement(self, found: re.Match[str]) -> str:
        kind, key = _key(found)
        if kind == "date" or (kind, key) in self._public:
            return found[0]
        if kind == "url" and _PLAIN_PAGE.fullmatch(found[0]):
            return self._names.replace_names(found[0])
        if kind == "number":
            if self._product_codes.intersection(found[0].split()) or _is_mexican_product(found[0]):
                return " ".join(word if word in self._product_codes or _is_mexican_product(word) else self.text(word)
                                for word in found[0].split(" "))  # fmt: skip
            kind = _kind_of_number(key)
        opened, behind = _around(found)
        return f"{opened}{self._stand_in(kind, key)}{behind}"

    def _stand_in(self, kind: str, key: str) -> str:
        if (kind, key) not in self._given:
            self._count[kind] = self._count.get(kind, 0) + 1
            self._given[kind, key] = _STAND_INS[kind](self._count[kind], key)
        return self._given[kind, key]


def _around(found: re.Match[str]) -> tuple[str, str]:
    """Brackets without a partner in a find, and signs behind an address: they stay around its stand-in."""
    opened, behind = "", ""
    address = len(found[0].rstrip(_ENDS)) if found.lastgroup == "url" else len(found[0])
    for at, sign in enumerate(found[0]):
        if sign in "([":
            opened += sign
        elif sign in ")]" and opened:
            opened = opened[:-1]
        elif sign in ")]" or at >= address:
            behind += sign
    return opened, behind


def _key(found: re.Match[str]) -> tuple[str, str]:
    """Kind of a find, and a key that is the same for all its spellings."""
    kind = str(found.lastgroup)
    if kind == "number":
        digits = re.sub(r"\D", "", found[0])
        return kind, digits[-_LOCAL_LENGTH:] if _kind_of_number(digits) == "phone" else digits
    return kind, re.sub(r"[\s,.;:!?-]+", " ", found[0]).strip().casefold()


def _kind_of_number(digits: str) -> str:
    if len(digits) == _CLABE_LENGTH and _is_clabe(digits):
        return "clabe"
    is_mexican_phone = digits.startswith("52") and len(digits) in (12, 13)
    if len(digits) in _CARD_LENGTHS and not is_mexican_phone and _is_luhn(digits):
        return "card"
    return "phone" if len(digits) in _PHONE_LENGTHS else "number"


def _is_luhn(digits: str) -> bool:
    """Check the digit of ISO/IEC 7812-1, annex B."""
    doubled = (int(digit) * 2 if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004 - the digits of a sum


def _is_clabe(digits: str) -> bool:
    """Check Banco de México's control digit: weights 3, 7, 1."""
    summed = sum(int(digit) * weight % 10 for digit, weight in zip(digits[:-1], (3, 7, 1) * 6, strict=False))
    return (10 - summed % 10) % 10 == int(digits[-1])


def _is_mexican_product(words: str) -> bool:
    """Recognise a GTIN-13 with GS1's prefix of Mexico, 750, because no phone with 13 digits begins so."""
    return len(words) == _GTIN_LENGTH and words.startswith("750") and is_gtin(words)


_STAND_INS: dict[str, Callable[[int, str], str]] = {
    "secret": lambda number, _: f"clave-{number}",
    "url": lambda number, _: f"https://example.com/enlace-{number}",
    "email": lambda number, _: f"persona{number}@example.com",
    "message": lambda number, _: f"wamid.EJEMPLO{number}",
    "person": lambda number, _: f"MX.{number:016d}",
    "stripe": lambda number, key: f"{key.partition('_')[0]}_ejemplo{number}",
    "conversation": lambda number, _: f"c_{number:020d}",
    # Because Mexico's tax office reserves these numbers for the public and for foreigners, they name nobody.
    "rfc": lambda number, _: f"XAXX01010{number:04d}",
    "curp": lambda number, _: f"XEXX010101HNEXXXA{number % 10}" if number < 10 else f"XEXX010101HNEXXX{number:02d}",  # noqa: PLR2004 - one sign
    "voter": lambda number, _: f"XXXXXX00000000H{number:03d}",
    "coordinates": lambda number, _: f"{_CENTRE[0] + number / 100:.6f}, {_CENTRE[1]:.6f}",
    "address": lambda number, _: f"Calle Ejemplo {number}",
    "clabe": lambda number, _: f"{number:018d}",
    "card": lambda number, _: f"4000 0000 0000 {number:04d}",
    "ending": lambda number, _: f"•••• {number:04d}",
    "phone": lambda number, _: f"55 0000 {number:04d}",
    "number": lambda number, _: f"{number:020d}",
}
