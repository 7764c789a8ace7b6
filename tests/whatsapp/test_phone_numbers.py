"""Spellings of a number: those by which somebody is found, and the fewer that are certainly one line."""

from __future__ import annotations

from bot.whatsapp.phone_numbers import canonical, canonical_variant, exact_variants, variants
from tests.rows import each


@each(
    ("phone", "found", "certain"),
    [
        ("5215512345678", {"5215512345678", "525512345678"}, {"5215512345678", "525512345678"}),
        ("525512345678", {"5215512345678", "525512345678"}, {"5215512345678", "525512345678"}),
        ("5511987654321", {"5511987654321", "551187654321"}, {"5511987654321"}),
        ("551167654321", {"5511967654321", "551167654321"}, {"551167654321"}),
        ("551131234567", {"551131234567"}, {"551131234567"}),
        ("5511931234567", {"5511931234567"}, {"5511931234567"}),
        ("551151234567", {"551151234567"}, {"551151234567"}),
        ("550987654321", {"550987654321"}, {"550987654321"}),
        ("541145678901", {"541145678901", "5491145678901"}, {"541145678901"}),
        ("5493514567890", {"543514567890", "5493514567890"}, {"5493514567890"}),
        ("549114567890", {"549114567890"}, {"549114567890"}),
        ("573001234567", {"573001234567"}, {"573001234567"}),
        ("52155123456789", {"52155123456789"}, {"52155123456789"}),
        ("52", {"52"}, {"52"}),
    ],
)
def test_a_number_is_found_by_more_spellings_than_give_it_rights(
    phone: str, found: set[str], certain: set[str]
) -> None:
    assert (set(variants(phone)), set(exact_variants(phone))) == (found, certain)
    assert variants(phone)[0] == exact_variants(phone)[0] == phone
    assert {canonical_variant(number) for number in found} == {canonical_variant(phone)}
    assert {canonical(number) for number in certain} == {canonical(phone)}


def test_a_bsuid_is_never_taken_for_a_number() -> None:
    assert (canonical_variant("MX.5215512345678"), canonical("MX.5215512345678")) == ("MX.5215512345678",) * 2
