"""Draft of a product: fields read from its photos, values that a person stated, and the next open question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

from pydantic import Field

from bot.messages.record import Record
from pipelines.bounding_box import BoundingBox
from pipelines.image import PhotoText
from pipelines.product import FIELDS, Doubt, DoubtKind, ProductCard, same_product
from pipelines.product.codes import code_of

# Contradictions of the photos are asked about. A badly read value is only marked: a tap on the card confirms it.
_ASKED = {DoubtKind.SEVERAL, DoubtKind.BARS_AND_DIGITS, DoubtKind.CENTS, DoubtKind.FOR_SEVERAL}
# ISO 4217: currencies that have no cents.
_WHOLE = {"CLP", "PYG", "JPY", "COP", "CRC"}
_CENT = Decimal("0.01")
_NEEDED, _NUMBERS = ("name", "price"), ("price", "barcode")
_NAMES_A_PRODUCT = {"gtin", "book", "periodical"}


class StatedValue(Record):
    """A field's value as a person stated it, None for "it has none"; `photo` and `box` are of a chosen candidate."""

    value: str | None
    photo: int | None = None
    box: BoundingBox | None = None


class Draft(Record):
    """`photos` are message ids in order, `said` stated values, `denied` values that were read and called wrong.

    `numbers` are those of the photos as the person counts them, who also counts the `sent` ones that can't be read.
    `doubtful` names what the photos seem to show in place of a product, until the person says that it is one.
    `currency` is the shop's, for a price without one. `revision` grows with every change, so that a tap on an earlier
    card is recognised. `awaiting` is the field that the person was asked to type. `until` is when it expires, in Unix
    seconds.
    """

    id: str
    currency: str = "MXN"
    revision: int = 0
    photos: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    sent: int = 0
    doubtful: str = ""
    read: ProductCard = ProductCard()
    said: dict[str, StatedValue] = Field(default_factory=dict)
    denied: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    awaiting: str | None = None
    until: float = 0.0
    state: Literal["open", "left", "saved"] = "open"

    def changed(self, **changes: object) -> Draft:
        return self.model_copy(update=changes | {"revision": self.revision + 1})

    def number_of(self, photo: int) -> int:
        """The number by which the person knows a photo."""
        return self.numbers[photo] if photo < len(self.numbers) else photo + 1

    def with_stated(self, stated: dict[str, StatedValue]) -> Draft:
        """Add values that the person states: they go before all that was read or stated earlier."""
        if not stated:
            return self
        awaiting = None if self.awaiting in stated else self.awaiting
        return self.changed(said=self.said | stated, awaiting=awaiting)

    def without(self, field: str) -> Draft:
        """Deny the value that the card shows for a field, and await the right one."""
        shown = shown_of(self).get(field)
        denied = (*self.denied.get(field, ()), shown.value) if shown else self.denied.get(field, ())
        said = {name: statement for name, statement in self.said.items() if name != field}
        return self.changed(denied=self.denied | {field: denied}, said=said, awaiting=field)


class ShownField(NamedTuple):
    """A field as the card shows it; `confidence` is None for a stated value."""

    value: str
    confidence: float | None
    photo: int | None
    box: BoundingBox | None
    sure: bool


def shown_of(draft: Draft) -> dict[str, ShownField]:
    """The fields with a value, in the order of FIELDS."""
    found = {name: shown for name in FIELDS if (shown := _shown(draft, name)) is not None}
    if "price" in found:
        found.setdefault("currency", ShownField(draft.currency, None, None, None, sure=True))
        found["price"] = found["price"]._replace(value=spelled(found["price"].value, found["currency"].value))
    elif "currency" not in draft.said:
        # Because a currency without a price says nothing, it is not shown.
        found.pop("currency", None)
    return {name: found[name] for name in FIELDS if name in found}


def values_of(draft: Draft) -> dict[str, str]:
    return {name: field.value for name, field in shown_of(draft).items()}


def open_question(draft: Draft) -> Doubt | None:
    """The next question: about a field whose photos don't agree and that nobody stated, the barcode first."""
    open_ = [doubt for doubt in draft.read.doubts if doubt.kind in _ASKED and doubt.field not in draft.said]
    left = [remaining for doubt in open_ if (remaining := _without_denied(doubt, draft)) is not None]
    return max(left, key=lambda doubt: FIELDS.index(doubt.field), default=None)


def missing_of(draft: Draft, stored: Mapping[str, str]) -> list[str]:
    """Required fields without a value, except those that the person said the product lacks."""
    shown = shown_of(draft)
    return [name for name in _NEEDED if name not in shown and name not in draft.said and not stored.get(name)]


def awaited_of(draft: Draft) -> str | None:
    """The field that a bare value is taken for: the one asked for, else a number that the card lacks."""
    if draft.awaiting:
        return draft.awaiting
    doubt = open_question(draft)
    if doubt is not None:
        return doubt.field if doubt.field in _NUMBERS else None
    return "price" if "price" not in shown_of(draft) and "price" not in draft.said else None


def spelled(price: str, currency: str | None) -> str:
    """An amount with the cents of its currency: 36 is 36.00, and nothing is rounded."""
    try:
        amount = Decimal(price)
    except InvalidOperation:
        return price
    if currency in _WHOLE:
        return price
    fine = amount.as_tuple().exponent
    return str(amount.quantize(_CENT)) if isinstance(fine, int) and fine > -2 else price  # noqa: PLR2004 - cents


def numbers_in(photo_texts: Iterable[PhotoText]) -> set[str]:
    """GTINs of the products on these photos, without a shop's own numbers and without cases of several."""
    scanned = (barcode for photo_text in photo_texts for barcode in photo_text.barcodes)
    codes = (code_of(barcode.value, may_be_gtin=barcode.may_be_gtin) for barcode in scanned)
    return {code.gtin for code in codes if code.gtin and code.kind in _NAMES_A_PRODUCT and "case" not in code.facts}


def is_other_product(draft: Draft, known: set[str], seen: set[str]) -> bool:
    """Whether the codes in `seen` are another product's than the `known` and stated ones."""
    stated = draft.said.get("barcode")
    numbers = known | ({stated.value.zfill(14)} if stated and stated.value and stated.value.isdecimal() else set())
    return bool(numbers and seen) and not (numbers & seen)


def differs(field: str, value: str | None, other: str | None) -> bool:
    """Whether two values of a field mean something else."""
    if value is None or other is None or value == other:
        return value != other
    if field == "barcode":
        return not same_product(value, other)
    if field == "price":
        try:
            return Decimal(value) != Decimal(other)
        except InvalidOperation:
            return True
    return value.casefold() != other.casefold()


def _shown(draft: Draft, name: str) -> ShownField | None:
    if name in draft.said:
        stated = draft.said[name]
        return ShownField(stated.value, None, stated.photo, stated.box, sure=True) if stated.value else None
    read = draft.read.fields.get(name)
    if read is None or any(not differs(name, read.value, wrong) for wrong in draft.denied.get(name, ())):
        return None
    return ShownField(read.value, read.confidence, read.photo, read.box, read.confident)


def _without_denied(doubt: Doubt, draft: Draft) -> Doubt | None:
    denied = draft.denied.get(doubt.field, ())
    left = tuple(
        candidate
        for candidate in doubt.candidates
        if all(differs(doubt.field, candidate.value, wrong) for wrong in denied)
    )
    return Doubt(doubt.kind, doubt.field, left) if left else None
