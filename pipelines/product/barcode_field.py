"""Finds the barcode of the card: the bars and the digits printed beside them have to agree."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.barcodes import is_gtin
from pipelines.product.card import Doubt, DoubtKind, Field
from pipelines.product.codes import ProductCode, code_of, same_product
from pipelines.product.evidence import NOTHING, Evidence, Findings, Scan
from pipelines.product.layout import Piece, place_of
from pipelines.product.price_parsing import amounts
from pipelines.product.size_parsing import sizes

# Confidence in bars alone: UPC-E and EAN-8 are short, and a slice of an ITF can pass for a whole one.
_ALONE = {"EAN-13": 0.96, "UPC-A": 0.96, "EAN-8": 0.91, "UPC-E": 0.7, "ITF": 0.91, "Code 128": 0.95}
_BY_CORRECTION = 0.98
_AGREED = 0.99
_DIGITS_ONLY = 0.75
_DIFFERENT = 0.5
_SURELY_READ = 0.8
_LENGTHS = (12, 13, 14)
_EMBEDDED = {"price": "price_inside"}


def barcode_of(evidence: Evidence) -> Findings:
    """Find the number of the product, and the facts in its code."""
    scans = _of_the_product(evidence.scans)
    if not scans:
        return _from_digits(evidence)
    fields, doubts = [], []
    for scan in scans:
        field, other = _checked(scan, evidence)
        fields.append(field)
        doubts += [Doubt(DoubtKind.BARS_AND_DIGITS, "barcode", (field, other))] if other else []
    best = max(fields, key=lambda field: field.confidence)
    scanned, printed = _unlike(fields), [doubt.candidates[1] for doubt in doubts]
    elsewhere = [] if best.confident else _printed_elsewhere(evidence, scans, [*fields, *printed])
    if len(scanned) > 1 or elsewhere:
        candidates = _unlike([*fields, *printed, *elsewhere])
        unsure = Field(candidates[0].value, _DIFFERENT, candidates[0].photo, candidates[0].box)
        return Findings({"barcode": unsure}, (Doubt(DoubtKind.SEVERAL, "barcode", tuple(candidates)),), {})
    if best.confidence > _DIFFERENT and len(doubts) < len(fields):
        doubts = []
    return Findings({"barcode": best}, tuple(doubts), _facts(evidence.scans))


def embedded_values_of(evidence: Evidence) -> Findings:
    """Find the weight or price in the shop's own code, if the label shows the same."""
    kilos = {size.total[0] / 1000 for piece in evidence.pieces for size in sizes(piece.text) if size.total[1] == "g"}
    paid = {amount.value for piece in evidence.pieces for amount in amounts(piece.text)}
    details: dict[str, str] = {}
    for scan in evidence.scans:
        for embedded in scan.code.embedded:
            if embedded.value in (kilos if embedded.fact == "weight_kg" else paid):
                details |= {"item": embedded.item, _EMBEDDED.get(embedded.fact, embedded.fact): str(embedded.value)}
    return Findings({}, (), details)


def number_of(code: ProductCode) -> str:
    """Return the number for the card: GS1's 14 digits become those of an EAN-13 if they can."""
    if code.gtin is None or code.value.isdecimal():
        return code.value
    return code.gtin.removeprefix("0")


def _of_the_product(scans: Iterable[Scan]) -> list[Scan]:
    """Select the codes of the product: GTINs first, then the shop's own numbers, then texts in bars."""
    kinds = ("gtin", "book", "periodical"), ("internal",)
    for wanted in kinds:
        chosen = [scan for scan in scans if scan.code.kind in wanted]
        pieces = [scan for scan in chosen if "case" not in scan.code.facts]
        if chosen:
            return pieces or chosen
    return [scan for scan in scans if scan.code.kind == "text" and scan.barcode.format == "Code 128"]


def _checked(scan: Scan, evidence: Evidence) -> tuple[Field, Field | None]:
    """Return the number with its confidence, and the printed number if it is another."""
    number, box = number_of(scan.code), scan.barcode.box
    alone = _ALONE.get(scan.barcode.format, _BY_CORRECTION)
    printed = _printed_near(scan, evidence)
    if any(_agrees(number, digits) for digits, _ in printed):
        return Field(number, max(alone, _AGREED), scan.photo, box), None
    for digits, piece in printed:
        if len(digits) == len(number) and number.isdecimal() and piece.confidence >= _SURELY_READ:
            other = Field(digits, _DIFFERENT if is_gtin(digits) else _DIFFERENT / 2, scan.photo, piece.box)
            return Field(number, _DIFFERENT, scan.photo, box), other
    return Field(number, alone, scan.photo, box), None


def _agrees(number: str, digits: str) -> bool:
    if not number.isdecimal():
        return number.upper() == digits.upper()
    # The first digit of an EAN-13 stands apart, and a UPC-A is the EAN-13 with a zero in front.
    return digits in {number, number[1:], number.zfill(13), number[:-1]} or same_product(digits, number)


def _printed_near(scan: Scan, evidence: Evidence) -> list[tuple[str, Piece]]:
    """Return the numbers printed by the bars, whole rows before their parts."""
    pieces = evidence.of_photo(scan.photo)
    x, y = place_of(scan.barcode.box, pieces)
    reach = max(scan.barcode.box.width, scan.barcode.box.height) * 0.75
    near = [piece for piece in pieces if abs(piece.x - x) < reach and abs(piece.y - y) < reach]
    if not scan.code.value.isdecimal():
        return [(re.sub(r"\s", "", piece.text), piece) for piece in near]
    return numbers(near)


def numbers(pieces: Iterable[Piece]) -> list[tuple[str, Piece]]:
    """Return the numbers of rows of digits, each with its longest piece."""
    digits = [piece for piece in pieces if re.fullmatch(r"[\s>.\-]*+\d[\d\s>.\-]*+", piece.text)]
    found: list[tuple[str, Piece]] = []
    for first in digits:
        row = sorted((piece for piece in digits if piece.level_with(first)), key=lambda piece: piece.x)
        whole = re.sub(r"\D", "", "".join(piece.text for piece in row))
        longest = max(row, key=lambda piece: len(piece.text))
        found.append((whole, longest))
        found.append((re.sub(r"\D", "", first.text), first))
    return list(dict.fromkeys(found))


def _from_digits(evidence: Evidence) -> Findings:
    ordered = _printed_numbers(evidence)
    if not ordered:
        return NOTHING
    kind = DoubtKind.DIGITS_ONLY if len(ordered) == 1 else DoubtKind.SEVERAL
    return Findings({"barcode": ordered[0]}, (Doubt(kind, "barcode", tuple(ordered)),))


def _printed_elsewhere(evidence: Evidence, scans: Iterable[Scan], known: Iterable[Field]) -> list[Field]:
    """Return other numbers, in photos without bars: where the bars aren't sure, one of these may be the right one."""
    with_bars, numbers_known = {scan.photo for scan in scans}, [field.value for field in known]
    found = (field for field in _printed_numbers(evidence) if field.photo not in with_bars)
    return [field for field in found if not any(same_product(field.value, number) for number in numbers_known)]


def _printed_numbers(evidence: Evidence) -> list[Field]:
    """Return the numbers of products that are printed anywhere, the best read first."""
    read: dict[str, list[Piece]] = {}
    for photo in range(len(evidence.photo_texts)):
        for digits, piece in numbers(evidence.of_photo(photo)):
            if len(digits) in _LENGTHS and is_gtin(digits) and int(digits[:3]):
                read.setdefault(digits, []).append(piece)
        for piece in evidence.of_photo(photo):
            # Because brackets are easily misread, printed GS1 elements are matched without them.
            printed = re.match(r"\W?\d{1,2}\)?(\d{14})(?!\d)", re.sub(r"\s", "", piece.text))
            code = code_of(f"(01){printed[1]}") if printed else None
            if code and code.gtin:
                read.setdefault(number_of(code), []).append(piece)
    candidates = [
        Field(digits, _DIGITS_ONLY * min(piece.confidence for piece in pieces), pieces[0].photo, pieces[0].box)
        for digits, pieces in read.items()
    ]
    return sorted(candidates, key=lambda field: -field.confidence)


def _unlike(fields: Iterable[Field]) -> list[Field]:
    unlike: list[Field] = []
    for field in sorted(fields, key=lambda field: -field.confidence):
        if not any(same_product(field.value, other.value) for other in unlike):
            unlike.append(field)
    return unlike


def _facts(scans: Iterable[Scan]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for scan in scans:
        facts = scan.code.facts | facts
    return facts
