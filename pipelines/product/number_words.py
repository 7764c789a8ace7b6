"""Reads amounts said in words, in Spanish and English, up to 9,999 with cents: diecinueve pesos con cincuenta.

text2num 3.1 misses "veintiún" and "diez y seis", makes two numbers of "treinta y seis cincuenta", and takes quadratic
time for many numbers in a row. So the words are read here, each once.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipelines.product.vocabulary import plain

_UNITS = {
    word: value
    for value, words in enumerate((
        "cero zero", "un uno una one", "dos two", "tres three", "cuatro four", "cinco five", "seis six", "siete seven",
        "ocho eight", "nueve nine", "diez ten", "once eleven", "doce twelve", "trece thirteen", "catorce fourteen",
        "quince fifteen", "dieciseis sixteen", "diecisiete seventeen", "dieciocho eighteen", "diecinueve nineteen",
    ))
    for word in words.split()
} | {
    f"v{start}{unit}": 20 + value
    for start in ("einti", "enti")
    for value, units in enumerate(("un uno una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"), 1)
    for unit in units.split()
}  # fmt: skip
_TENS = {
    word: 10 * value
    for value, words in enumerate((
        "veinte twenty", "treinta thirty", "cuarenta forty", "cincuenta fifty", "sesenta sixty", "setenta seventy",
        "ochenta eighty", "noventa ninety",
    ), 2)
    for word in words.split()
}  # fmt: skip
_HUNDREDS = {"cien": 100, "ciento": 100} | {
    f"{stem}t{ending}s": 100 * value
    for value, stem in ((2, "doscien"), (3, "trescien"), (4, "cuatrocien"), (6, "seiscien"), (7, "setecien"),
                        (8, "ochocien"), (9, "novecien"))
    for ending in ("o", "a")
} | {"quinientos": 500, "quinientas": 500, "sietecientos": 700, "nuevecientos": 900}  # fmt: skip
_THOUSANDS = ("mil", "thousand")
_AND = ("y", "and")
_HALF = ("medio", "media")
_MONEY = ("peso", "pesos", "dolar", "dolares", "dollar", "dollars")
_CENTS = ("centavo", "centavos", "cent", "cents")
_TOKEN = re.compile(r"\d[\d.,]*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s-]")
_LEAST_CENTS, _MOST_CENTS = 10, 99


class _Read(NamedTuple):
    """A number, and the place of the first word behind it."""

    value: int
    end: int


def in_digits(text: str, *, money_only: bool = False) -> str:
    """The text with its amounts in digits, and with one space between words; without any, the text as it was.

    `money_only` leaves numbers alone that no word for money follows, such as those of a brand.
    """
    words = _TOKEN.findall(text)
    folded = [plain(word) for word in words]
    written: list[str] = []
    place, found = 0, False
    while place < len(words):
        read = _number(folded, place)
        if read is None:
            written.append(words[place])
            place += 1
            continue
        amount, end = _with_cents(folded, read)
        if money_only and not (amount.endswith(_MONEY) or (end < len(words) and folded[end] in _MONEY)):
            written += words[place : read.end]
            place = read.end
            continue
        written.append(amount)
        place, found = end, True
    return re.sub(r" (?=[.,;:!?)])|(?<=[(¿¡$]) ", "", " ".join(written)) if found else text


def _with_cents(words: list[str], read: _Read) -> tuple[str, int]:
    """Number in digits, with the cents that follow it, also behind the word for money."""
    place = read.end
    after_money = place < len(words) and words[place] in _MONEY
    money = f" {words[place]}" if after_money else ""
    place += after_money
    joined = place < len(words) and words[place] in ("con", "punto", "point", *_AND)
    if joined and place + 1 < len(words) and _is_half(words, place + 1):
        return f"{read.value}.50{money}", place + 1 + (words[place + 1] == "a") + 1
    cents = _number(words, place + joined, below=_MOST_CENTS + 1)
    # Because "veinte y tres" was read before, a number that follows at once can only be cents.
    if cents is None or cents.value < (1 if joined else _LEAST_CENTS):
        return str(read.value), read.end
    end = cents.end + (cents.end < len(words) and words[cents.end] in _CENTS)
    return f"{read.value}.{cents.value:02d}{money}", end


def _is_half(words: list[str], place: int) -> bool:
    return words[place] in _HALF or words[place : place + 2] == ["a", "half"]


def _number(words: list[str], place: int, below: int = 10_000) -> _Read | None:
    """Read the longest number that begins here."""
    first = _hundreds(words, place)
    if words[place : place + 2] == ["a", "thousand"]:
        first = _Read(1, place + 1)
    if first is None:
        if place < len(words) and words[place] in _THOUSANDS and below > 1000:  # noqa: PLR2004 - "mil" alone
            first = _Read(1, place)
        else:
            return None
    if first.end < len(words) and words[first.end] in _THOUSANDS and 0 < first.value < 10 and below > 1000:  # noqa: PLR2004
        start = first.end + 1
        rest = _hundreds(words, start + (words[start : start + 1] == ["and"])) or _Read(0, start)
        first = _Read(first.value * 1000 + rest.value, rest.end)
    return first if first.value < below else None


def _hundreds(words: list[str], place: int) -> _Read | None:
    """Read a number below a thousand."""
    if place >= len(words):
        return None
    hundred, start = _HUNDREDS.get(words[place]), place + 1
    if hundred is None:
        small = _small(words, place + (words[place] == "a" and words[place + 1 : place + 2] == ["hundred"]))
        if words[place] == "a" and words[place + 1 : place + 2] == ["hundred"]:
            small = _Read(1, place + 1)
        if small is None or words[small.end : small.end + 1] != ["hundred"] or not 0 < small.value < 10:  # noqa: PLR2004
            return small
        hundred, start = small.value * 100, small.end + 1
    rest = _small(words, start + (words[start : start + 1] == ["and"]))
    return _Read(hundred + rest.value, rest.end) if rest else _Read(hundred, start)


def _small(words: list[str], place: int) -> _Read | None:
    """Read a number below a hundred: diecinueve, diez y seis, treinta y un, forty-two."""
    if place >= len(words):
        return None
    word = words[place]
    tens = _TENS.get(word, 10 if word == "diez" else None)
    if tens is None:
        return _Read(_UNITS[word], place + 1) if word in _UNITS else None
    joined = place + 1 < len(words) and words[place + 1] == "y"
    unit = _UNITS.get(words[place + 1 + joined], 0) if place + 1 + joined < len(words) else 0
    spanish_pair = joined or word.endswith("y")
    if 0 < unit < 10 and spanish_pair:  # noqa: PLR2004 - a single digit
        return _Read(tens + unit, place + 2 + joined)
    return _Read(tens, place + 1)
