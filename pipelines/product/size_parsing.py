"""Parses contents of packages, amounts with units and packs of several, and writes them in one way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

# Printed unit: spelling on the card, base unit, and factor.
UNITS: dict[str, tuple[str, str, Decimal | int]] = {
    "kg": ("kg", "g", 1000), "kgs": ("kg", "g", 1000), "kilo": ("kg", "g", 1000), "kilos": ("kg", "g", 1000),
    "g": ("g", "g", 1), "gr": ("g", "g", 1), "grs": ("g", "g", 1), "gramos": ("g", "g", 1),
    "mg": ("mg", "g", Decimal("0.001")),
    "l": ("L", "ml", 1000), "lt": ("L", "ml", 1000), "lts": ("L", "ml", 1000), "litro": ("L", "ml", 1000),
    "litros": ("L", "ml", 1000), "ml": ("ml", "ml", 1), "cl": ("cl", "ml", 10), "cc": ("ml", "ml", 1),
    "fl oz": ("fl oz", "fl oz", 1), "fl. oz": ("fl oz", "fl oz", 1), "oz": ("oz", "oz", 1), "lb": ("lb", "oz", 16),
    "lbs": ("lb", "oz", 16), "gal": ("gal", "fl oz", 128),
    "m": ("m", "cm", 100), "mts": ("m", "cm", 100), "metros": ("m", "cm", 100), "cm": ("cm", "cm", 1),
    "mm": ("mm", "cm", Decimal("0.1")),
    "pz": ("pz", "pz", 1), "pza": ("pz", "pz", 1), "pzas": ("pz", "pz", 1), "pzs": ("pz", "pz", 1),
    "piezas": ("pz", "pz", 1),
    "pieza": ("pz", "pz", 1), "unidades": ("pz", "pz", 1), "uds": ("pz", "pz", 1), "rollos": ("rollos", "pz", 1),
    "hojas": ("hojas", "hojas", 1), "tabletas": ("tabletas", "pz", 1), "cápsulas": ("cápsulas", "pz", 1),
    "capsulas": ("cápsulas", "pz", 1), "sobres": ("sobres", "pz", 1), "pañales": ("pañales", "pz", 1),
    "toallas": ("toallas", "pz", 1), "servicios": ("servicios", "pz", 1),
}  # fmt: skip
_UNIT = "|".join(re.escape(unit).replace(r"\ ", r"\s?") for unit in sorted(UNITS, key=len, reverse=True))
# Words within this distance decide; a search of the whole line for each number would take quadratic time.
_NEAR = 120
_NUMBER = r"\d{1,2}[.,]\d{3}(?!\d)|\d{1,5}(?:[.,]\d{1,3})?|\d{1,2}/\d{1,2}"
_SIZE = re.compile(
    r"(?<![\w$€,\-])(?<!\d\.)"
    r"(?:(?P<pack>\d{1,3})\s?(?:(?P<of>pack|pz|pzas|piezas|latas|botellas|sobres|bolsas|uds)?\s?(?:x|×|de)\s?))?"
    rf"(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT})(?![\w\-]|/[^\d])\.?"
    r"(?:\s?(?:x|×)\s?(?P<pack_after>\d{1,3})(?:\s?(?:pz|pzas|piezas|pack))?(?![\w.,]))?",
    re.IGNORECASE,
)
_PACK = re.compile(
    r"(?<!\w)(?:(?P<pack>\d{1,3})\s?-?\s?pack|pack\s?(?:de\s|x\s?)?(?P<pack_of>\d{1,3})"
    r"|paquete\s?(?:de|con)\s(?P<paquete>\d{1,3}))(?!\w)",
    re.IGNORECASE,
)
_NET = re.compile(
    r"cont(?:enido|\.)?\s?net[o0.]?|net\s?w(?:eigh)?t|peso\s?neto|c\.\s?n\.|volumen\s?neto", re.IGNORECASE
)
# "por 100 g", "Calorías por 30 g", "10 g de proteína": amounts that are no content of the package.
_NOT_CONTENT = re.compile(
    r"(?:\bpor|\d\s?/|\bcada|porci[oó]n(?:es)?(?:\s+de)?|\bel|\bla|partir\s+de|\bdesde|m[aá]s\s+de|mayoreo|compra(?:s|ndo)?|llevando|m[ií]nimo|az[uú]car(?:es)?|prote[ií]na|grasas?|sodio)\s*$",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(
    r"^\s*(?:de\s+)?(?:prote[ií]na|az[uú]car|grasa|fibra|sodio|por\s+porci[oó]n|gratis|o\s+m[aá]s|en\s+adelante)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Size:
    """A content: `amount` of `unit` in each of `pack` pieces; `net` if the label calls it the net content."""

    amount: Decimal
    unit: str
    pack: int
    net: bool
    start: int
    end: int

    def __str__(self) -> str:
        each = f"{self.amount.normalize():f} {self.unit}"
        return f"{self.pack} x {each}" if self.pack > 1 else each

    @property
    def total(self) -> tuple[Decimal, str]:
        """The total in a base unit (g, ml, fl oz, oz, cm, pz), to compare sizes and compute unit prices."""
        _, base, factor = UNITS[self.unit.lower()]
        return self.amount * factor * self.pack, base


def sizes(text: str) -> tuple[Size, ...]:
    """Return all contents in a line, in order; `6 pack 355 ml` and `355 ml x 6` are six of 355 ml."""
    for sign, written in (("½", "1/2"), ("¼", "1/4"), ("¾", "3/4")):
        text = text.replace(sign, written)
    packs = [int(next(filter(None, match.groups()))) for match in _PACK.finditer(text)]
    found = []
    for match in _SIZE.finditer(text):
        lead, rest = text[max(match.start() - _NEAR, 0) : match.start()], text[match.end() : match.end() + _NEAR]
        if _NOT_CONTENT.search(lead) or _NOT_AFTER.search(rest):
            continue
        size = _size(match, lead, packs)
        if size is not None:
            found.append(size)
    if not found and packs:
        match = next(_PACK.finditer(text))
        return (Size(Decimal(packs[0]), "pz", 1, False, match.start(), match.end()),)
    return tuple(found)


def without_sizes(text: str) -> str:
    """Return the line without contents and the words that announce them: what is left names the product."""
    for pattern in (_SIZE, _PACK, _NET):
        text = pattern.sub(" ", text)
    return re.sub(r"\s+", " ", text).strip(" .,:-·|")


def _size(match: re.Match[str], lead: str, packs: list[int]) -> Size | None:
    unit, _, _ = UNITS[re.sub(r"\s+", " ", match["unit"].lower().replace("floz", "fl oz"))]
    written = match["number"]
    if "/" in written:
        over, under = map(int, written.split("/"))
        if not under or over >= under or (100 % under and under not in {3, 8}):
            return None
        amount = (Decimal(over) / under).quantize(Decimal("0.001"))
    else:
        whole = re.fullmatch(r"(\d{1,2})[.,](\d{3})", written)
        thousands = whole and unit in {"g", "ml", "mg", "pz", "hojas"}
        amount = Decimal(re.sub("[.,]", "", written) if thousands else written.replace(",", "."))
    pack = int(match["pack"] or match["pack_after"] or (packs[0] if packs else 1))
    if not amount or not pack:
        return None
    return Size(amount, unit, pack, bool(_NET.search(lead)), match.start(), match.end())
