"""Prices are parsed to the cent, and no amount is invented."""

import re
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.product.price_parsing import Amount, Role, amounts, value_of
from tests.rows import each


def written(amount: Amount) -> str:
    """Write an amount as the tables below do: value, currency, role, unit, pieces."""
    said = [str(amount.value), amount.currency or "", "" if amount.role is Role.PRICE else amount.role.value]
    return " ".join(
        filter(None, [*said, f"/{amount.per}" if amount.per else "", "" if amount.pieces == 1 else f"x{amount.pieces}"])
    )


@each(
    ("text", "read"),
    [
        ("$1,249.00", ["1249.00"]),
        ("1.249,00 €", ["1249.00 EUR"]),
        ("1 249,00 €", ["1249.00 EUR"]),
        ("1’249.00 €", ["1249.00 EUR"]),
        ("$1.249", ["1249"]),
        ("$1,249", ["1249"]),
        ("$12,345,678.90", ["12345678.90"]),
        ("MXN 35.50", ["35.50 MXN"]),
        ("$35.50 MXN", ["35.50 MXN"]),
        ("$35.50 M.N.", ["35.50 MXN"]),
        ("MX$35.50", ["35.50 MXN"]),
        ("US$4.99", ["4.99 USD"]),
        ("USD 4.99", ["4.99 USD"]),
        ("4.99 dólares", ["4.99 USD"]),
        ("35 pesos", ["35"]),
        ("$ 129", ["129"]),
        ("$129", ["129"]),
        ("$12⁹⁰", ["12.90"]),
        ("$12 90", ["12.90"]),
        ("€ 5", ["5 EUR"]),
        ("0,99€", ["0.99 EUR"]),
        ("0.99 €", ["0.99 EUR"]),
        ("3,45 €", ["3.45 EUR"]),
        ("35,- €", ["35 EUR"]),
        ("£2.50", ["2.50 GBP"]),
        ("S/ 12.50", ["12.50 PEN"]),
        ("S/. 12.50", ["12.50 PEN"]),
        ("R$ 9,90", ["9.90 BRL"]),
        ("Q25.00", ["25.00 GTQ"]),
        ("₡1.500", ["1500 CRC"]),
        ("Bs. 35", ["35 BOB"]),
        ("C$ 80.00", ["80.00 NIO"]),
        ("COP$ 12.900", ["12900 COP"]),
        ("12.900 COP", ["12900 COP"]),
        ("35.50", ["35.50"]),
        ("Precio: 35", ["35"]),
        ("Precio $35.50", ["35.50"]),
        ("Oferta $35.50", ["35.50 now"]),
        ("2x$99", ["99 several x2"]),
        ("2 x $99.00", ["99.00 several x2"]),
        ("3 por $50", ["50 several x3"]),
        ("Llévate 2x$32", ["32 several x2"]),
        ("Antes $1,599.00 - Ahorra $350.00", ["1599.00 former", "350.00 saving"]),
        ("Antes$33.50", ["33.50 former"]),
        ("antes $99.00 ahora $79.90", ["99.00 former", "79.90 now"]),
        ("De $99 a $79.90", ["99 former", "79.90 now"]),
        ("Precio normal: $49.90", ["49.90 former"]),
        ("Precio regular $49.90", ["49.90 former"]),
        ("Ahorra $10.00", ["10.00 saving"]),
        ("$10 de descuento", ["10 saving"]),
        ("Precio por litro: $11.83", ["11.83 unit /L"]),
        ("$11.83 / kg", ["11.83 unit /kg"]),
        ("$189.00 x kg", ["189.00 unit /kg"]),
        ("$189.00 el kilo", ["189.00 unit /kg"]),
        ("$5.24 / 100 g", ["5.24 unit /100 g"]),
        ("$5.24 por 100 ml", ["5.24 unit /100 ml"]),
        ("$2.05 por pieza", ["2.05 unit /pz"]),
        ("$/kg 120.00", ["120.00 unit /kg"]),
        ("$59.90 c/u", ["59.90"]),
        ("$59.90 cada uno", ["59.90"]),
        ("12 meses de $99.00", ["99.00 other"]),
        ("$99 al mes", ["99 other"]),
        ("Envío gratis en compras de $499", ["499 other"]),
        # Currencies as people write them in Mexico, the US and Spain.
        ("US $25.00", ["25.00 USD"]),
        ("$25 US", ["25 USD"]),
        ("$25.00 U.S.", ["25.00 USD"]),
        ("U.S. $25", ["25 USD"]),
        ("USD $25", ["25 USD"]),
        ("USD25", ["25 USD"]),
        ("us$ 25", ["25 USD"]),
        ("25 dls", ["25 USD"]),
        ("25 dlls.", ["25 USD"]),
        ("$25 dólares", ["25 USD"]),
        ("1 dólar", ["1 USD"]),
        ("MX $25", ["25 MXN"]),
        ("Mex$25", ["25 MXN"]),
        ("Mex $ 25", ["25 MXN"]),
        ("MXN$25", ["25 MXN"]),
        ("$25 MX", ["25 MXN"]),
        ("$25.00 M. N.", ["25.00 MXN"]),
        ("25 pesos mexicanos", ["25 MXN"]),
        ("PLUS $25", ["25"]),
        ("$25 US $30", ["25", "30 USD"]),
        # Thousands, cents and nothing before the point.
        ("$1'250,000.00", ["1250000.00"]),
        ("$12’345,678", ["12345678"]),
        ("$1 250.00", ["1250.00"]),
        ("$ 1 250.00", ["1250.00"]),
        ("€ 1 250,00", ["1250.00 EUR"]),
        ("1\u202f250,00 €", ["1250.00 EUR"]),
        ("1.250,- €", ["1250 EUR"]),
        ("25.-€", ["25 EUR"]),
        ("25,– €", ["25 EUR"]),
        ("1'50 €", ["1.50 EUR"]),
        ("$.99", ["0.99"]),
        ("$ .99", ["0.99"]),
        (",89 €", ["0.89 EUR"]),
        ("Oferta .89€", ["0.89 EUR now"]),
        ("99¢", ["0.99"]),
        ("¢99", ["0.99"]),
        ("50 centavos", ["0.50"]),
        ("¢1,500", ["1500 CRC"]),
        # From one to another.
        ("$10 - $20", ["10", "20"]),
        ("$10-$20", ["10", "20"]),
        ("$10–$20", ["10", "20"]),
        ("$99 -$10", ["99", "10 saving"]),
        ("-$10", ["10 saving"]),
        ("$25/kg", ["25 unit /kg"]),
        ("$19.90 c/u", ["19.90"]),
        ("2x$30", ["30 several x2"]),
        # No amounts, or ambiguous ones.
        ("3 x 2", []),
        ("10-20 pesos", []),
        ("$10-20", []),
        ("1 ,89 €", []),
        (".99", []),
        ("2 350.00", ["350.00"]),
        ("20 % menos", []),
        ("Tel. 55 1234 5678", []),
        ("Abierto de 9.30 h a 18.00 hrs", []),
        ("8.30 a.m.", []),
        ("36.50°", []),
        ("5512345678", []),
        ("20% de descuento", []),
        ("3x2", []),
        ("250 g", []),
        ("6 x 355 ml", []),
        ("CONT. NET. 1.5 L", []),
        ("7503001234564", []),
        ("Tel. 555-1234", []),
        ("24/11/2026", []),
        ("12.12.2026", []),
        ("$1O.50", []),
        ("$35.5O", []),
        ("$00'800", []),
        ("$0.00", []),
        ("Pasillo 4", []),
    ],
)  # fmt: skip
def test_a_price_is_read_as_it_is_spelled(text: str, read: list[str]) -> None:
    assert [written(amount) for amount in amounts(text)] == read


@each(
    ("before", "role"),
    [
        ("Ahora ", Role.NOW),
        ("Antes: ", Role.FORMER),
        ("Ahorra ", Role.SAVING),
        ("TOTAL ", Role.PRICE),
        ("", Role.PRICE),
    ],
)
def test_words_beside_a_price_say_what_it_is(before: str, role: Role) -> None:
    (amount,) = amounts("$35.50", before=before)
    assert amount.role is role


@given(st.text(alphabet="0123456789.,'$€ xkgMXNporAntes²⁹⁰:/-%", max_size=30))
@example("$1,24 9.00")
@example("12 90 90")
def test_no_amount_is_made_of_digits_that_arent_there(text: str) -> None:
    plain = text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    for amount in amounts(text):
        written = re.sub(r"\D", "", plain[amount.start : amount.end])
        # The zero before .99 is never written.
        assert written.endswith(re.sub(r"\D", "", str(amount.value)).removeprefix("0"))
        assert amount.value > 0
        assert -(amount.value.as_tuple().exponent) <= 2  # type: ignore[operator]


@given(st.integers(1, 99_999_999), st.sampled_from(["$", "US$", "€", "MXN "]), st.booleans())
def test_every_amount_written_in_full_is_read_back_exactly(cents: int, sign: str, comma: bool) -> None:  # noqa: FBT001 -- drawn
    value = Decimal(cents) / 100
    text = f"{value:,.2f}"
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
    (amount,) = amounts(f"{sign}{text}")
    assert amount.value == value


@given(st.text(alphabet="0123456789.,’", min_size=1, max_size=12).filter(lambda text: text[0].isdigit()))
def test_a_number_keeps_its_digits_in_order(number: str) -> None:
    value = value_of(number)
    if value is not None:
        assert re.sub(r"\D", "", str(value)).lstrip("0") == re.sub(r"\D", "", number).lstrip("0")
