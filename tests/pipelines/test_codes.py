"""Decoded codes: kinds of numbers, GS1 facts, and values in a shop's own codes."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipelines.barcodes import is_gtin
from pipelines.product.codes import EmbeddedValue, code_of, same_product
from pipelines.product.gs1_prefixes import country_of
from tests.rows import each


def checked(digits: str) -> str:
    """Add the check digit by trying all ten."""
    (right,) = (digits + digit for digit in "0123456789" if is_gtin(digits + digit))
    return right


@each(
    ("value", "kind", "gtin", "facts"),
    [
        ("7503001234564", "gtin", "07503001234564", {"country": "MX"}),
        ("8413000065504", "gtin", "08413000065504", {"country": "ES"}),
        ("036602301467", "gtin", "00036602301467", {"country": "US"}),
        ("96385074", "gtin", "00000096385074", {}),
        ("20000004", "internal", None, {}),
        ("10614141000415", "gtin", "10614141000415", {"country": "US", "case": "1"}),
        ("9788437604947", "book", "09788437604947", {"isbn": "9788437604947"}),
        ("9770317847001", "periodical", "09770317847001", {"issn": "0317-8471"}),
        ("9901234567891", "text", None, {}),
        ("FRT-0050-CN", "text", None, {}),
        ("https://example.mx/promo", "text", None, {"link": "https://example.mx/promo"}),
        (
            "(01)09506000134352(17)261231(10)AB12",
            "gtin", "09506000134352", {"expires": "2026-12-31", "lot": "AB12"},
        ),
        (
            "(01)97503001234567(3103)000526(3922)09941(15)270200",
            "gtin", "97503001234567",
            {"country": "MX", "case": "9", "weight_kg": "0.526", "price": "99.41", "best_before": "2027-02-28"},
        ),
        ("(01)07503001234564(3932)48409941", "gtin", "07503001234564", {"country": "MX", "price": "99.41 MXN"}),
        (
            "https://id.gs1.org/01/09506000134352/10/ABC?17=261231",
            "gtin", "09506000134352",
            {"lot": "ABC", "expires": "2026-12-31", "link": "https://id.gs1.org/01/09506000134352/10/ABC?17=261231"},
        ),
        ("(01)09506000134353", "text", None, {}),
        ("(17)261231", "text", None, {}),
        ("(01)09506000134352(17)269931", "gtin", "09506000134352", {}),
        ("7503001234565", "text", None, {}),
        ("", "text", None, {}),
    ],
)  # fmt: skip
def test_a_code_says_what_it_means(value: str, kind: str, gtin: str | None, facts: dict[str, str]) -> None:
    code = code_of(value)
    assert (code.kind, code.gtin) == (kind, gtin)
    assert code.facts == facts


def test_a_shops_own_code_has_several_readings_and_none_is_chosen() -> None:
    code = code_of(checked("210421000526"))
    assert code.kind == "internal"
    assert code.gtin is None
    assert EmbeddedValue("weight_kg", Decimal("0.526"), "04210") in code.embedded
    assert EmbeddedValue("price", Decimal("5.26"), "04210") in code.embedded


def test_a_code_of_north_american_scales_tells_its_price() -> None:
    assert EmbeddedValue("price", Decimal("9.41"), "04210") in code_of(checked("20421010941")).embedded


@each(
    ("code", "other", "same"),
    [
        ("036602301467", "0036602301467", True),
        ("7503001234564", "07503001234564", True),
        ("7503001234564", "7501055300075", False),
        ("FRT-0050-CN", "FRT-0050-CN", True),
        ("FRT-0050-CN", "7503001234564", False),
    ],
)
def test_zeros_in_front_make_no_other_product(code: str, other: str, same: bool) -> None:  # noqa: FBT001 -- a column
    assert same_product(code, other) is same


@each(
    ("prefix", "country"),
    [
        ("750", "MX"),
        ("779", "AR"),
        ("843", "ES"),
        ("000", "US"),
        ("139", "US"),
        ("140", None),
        ("299", None),
        ("999", None),
    ],
)
def test_a_prefix_says_where_a_number_was_given_out(prefix: str, country: str | None) -> None:
    assert country_of(prefix + "0" * 10) == country


@given(st.text("0123456789", min_size=11, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_found_out(digits: str, place: int, change: int) -> None:
    right = checked(digits)
    place %= len(right)
    wrong = right[:place] + str((int(right[place]) + change) % 10) + right[place + 1 :]
    assert is_gtin(right)
    assert not is_gtin(wrong)
    assert code_of(wrong).gtin is None


@given(st.text(max_size=40))
def test_whatever_a_code_holds_it_is_understood_or_left_as_text(value: str) -> None:
    assert code_of(value).value == value


@given(st.text(alphabet="()/:?=&%0123456789htpsid.g1or", max_size=60))
def test_a_broken_link_or_element_string_is_no_error(value: str) -> None:
    code_of("https://id.gs1.org/01/" + value)
    code_of("(01)" + value)
