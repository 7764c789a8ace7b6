"""Contents of packages are parsed with their units, also packs, and nothing else passes for one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.product.size_parsing import UNITS, sizes, without_sizes
from tests.rows import each


@each(
    ("text", "read"),
    [
        ("CONT. NET. 500 g", ["500 g"]),
        ("CONT.NET.3L", ["3 L"]),
        ("Contenido neto: 1 kg", ["1 kg"]),
        ("PESO NETO 1 kg", ["1 kg"]),
        ("NET WT 16 oz (453 g)", ["16 oz", "453 g"]),
        ("900g", ["900 g"]),
        ("250gr.", ["250 g"]),
        ("1.5 L", ["1.5 L"]),
        ("1,5L", ["1.5 L"]),
        ("1.5 LT", ["1.5 L"]),
        ("2 litros", ["2 L"]),
        ("1.000 g", ["1000 g"]),
        ("0.526 kg", ["0.526 kg"]),
        ("½ kg", ["0.5 kg"]),
        ("1/4 kg", ["0.25 kg"]),
        ("12 fl oz (355 ml)", ["12 fl oz", "355 ml"]),
        ("100ml/3.4oz", ["100 ml", "3.4 oz"]),
        ("6 x 355 ml", ["6 x 355 ml"]),
        ("6x355ml", ["6 x 355 ml"]),
        ("355 ml x 6", ["6 x 355 ml"]),
        ("6 pack 355 ml", ["6 x 355 ml"]),
        ("6-pack 355 ml", ["6 x 355 ml"]),
        ("6 latas de 355 ml", ["6 x 355 ml"]),
        ("4 rollos", ["4 rollos"]),
        ("200 pzas", ["200 pz"]),
        ("20pz", ["20 pz"]),
        ("Paquete con 12", ["12 pz"]),
        ("20 tabletas", ["20 tabletas"]),
        ("50 m", ["50 m"]),
        ("Limpieza profunda 3 L", ["3 L"]),
        ("Leche 1L entera", ["1 L"]),
        # Amounts per something, of something, or of something else.
        ("Precio por 100 g", []),
        ("$5.24 / 100 g", []),
        ("Porción 30 g", []),
        ("10 g de proteína", []),
        ("SKU DET-3L-0091", []),
        ("Pantalla 4K UHD", []),
        ('TV 43"', []),
        ("$12 g", []),
        ("24/11/2026", []),
        ("7 503001 234564", []),
    ],
)
def test_a_content_is_read_with_its_unit(text: str, read: list[str]) -> None:
    assert [str(size) for size in sizes(text)] == read


@each(
    ("text", "total"),
    [("1 kg", (1000, "g")), ("6 x 355 ml", (2130, "ml")),
     ("1.5 L", (1500, "ml")), ("1 lb", (16, "oz")), ("2 m", (200, "cm"))],
)  # fmt: skip
def test_all_of_it_is_told_in_a_base_unit(text: str, total: tuple[int, str]) -> None:
    (size,) = sizes(text)
    assert size.total == (Decimal(total[0]), total[1])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Detergente líquido Lunaria 3 L", "Detergente líquido Lunaria"),
        ("CONT. NET. 500 g", ""),
        ("Vitamina C", "Vitamina C"),
    ],
)
def test_what_is_left_without_the_content_names_the_product(text: str, left: str) -> None:
    assert without_sizes(text) == left


@given(st.integers(1, 9999), st.sampled_from(sorted(UNITS)), st.integers(2, 48))
def test_packs_of_any_unit_are_read_back(amount: int, unit: str, pack: int) -> None:
    (size,) = sizes(f"{pack} x {amount} {unit}")
    assert (size.amount, size.unit, size.pack) == (Decimal(amount), UNITS[unit][0], pack)
