"""Redaction: no seeded identity survives, and impersonal text stays."""

from __future__ import annotations

import re
import string
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as some

from bot.past_cases.redaction import Redaction
from tests.rows import each

# Without 0, of which stand-ins are made.
_DIGITS, _CAPITALS = "123456789", string.ascii_uppercase
_NAMES = (
    "María",
    "Fernanda",
    "López",
    "Íñigo",
    "Zoë",
    "O'Brien",
    "Jürgen",
    "Nguyễn",
    "李小龙",
    "Ñusta",
    "Alex",
    "Rivera",
)
_AROUND = ("", "Hola, ", "mi dato: ", "(", "«", "es el ", "Ok.\n")
_BEHIND = ("", ".", ", gracias", ")", "»", "\n", " ¿sí?")


def _signs(signs: str, size: int) -> some.SearchStrategy[str]:
    return some.text(signs, min_size=size, max_size=size)


def _luhn(bare: str) -> str:
    summed = sum(
        (digit * 2 - 9 if digit > 4 else digit * 2) if place % 2 == 0 else digit
        for place, digit in enumerate(map(int, reversed(bare)))
    )
    return bare + str(-summed % 10)


def _clabe(bare: str) -> str:
    return bare + str(-sum(int(digit) * weight % 10 for digit, weight in zip(bare, (3, 7, 1) * 6, strict=False)) % 10)


def _spelled(digits: str, sizes: tuple[int, ...], gap: str) -> str:
    at, pieces = 0, []
    for size in sizes:
        pieces.append(digits[at : at + size])
        at += size
    return gap.join(pieces)


_local = _signs(_DIGITS, 10)
_gap = some.sampled_from([" ", "-", ".", "\u00a0", "\u2013", " - "])
_birth = some.dates().map(lambda day: f"{day:%y%m%d}")
_SEEDS: dict[str, some.SearchStrategy[str]] = {
    "E.164": some.builds("+{}{}".format, some.sampled_from(["52", "521", "1", "34", "57"]), _local),
    "Meta's phone": some.builds("521{}".format, _local),
    "Mexican phone": some.builds(_spelled, _local, some.sampled_from([(2, 4, 4), (3, 3, 4), (2, 2, 2, 2, 2)]), _gap),
    "phone with area": some.builds(lambda digits: f"({digits[:2]}) {digits[2:6]}-{digits[6:]}", _local),
    "long phone": some.builds(lambda digits: f"+52 1 {digits[:2]} {digits[2:6]} {digits[6:]}", _local),
    "e-mail": some.builds("{}.{}@{}.com".format, *[_signs(string.ascii_lowercase, 7)] * 3),
    "link": some.builds("https://{}.mx/p/{}?t=1".format, _signs(string.ascii_lowercase, 6), _signs(_DIGITS, 6)),
    "link with a token": some.builds("https://tienda.mx/pagar/x9{}".format, _signs(_CAPITALS + _DIGITS, 20)),
    "short link": some.builds("maps.app.goo.gl/1{}".format, _signs(string.ascii_letters, 8)),
    "RFC": some.builds("{}{}{}".format, _signs(_CAPITALS, 4), _birth, _signs(_CAPITALS + _DIGITS, 3)),
    "RFC of a company": some.builds("{}-{}-{}".format, _signs("ABCÑ&", 3), _birth, _signs(_CAPITALS + _DIGITS, 3)),
    "CURP": some.builds("{}{}H{}09".format, _signs(_CAPITALS, 4), _birth, _signs(_CAPITALS, 5)),
    "small CURP": some.builds("{}{}m{}09".format, _signs("abcdef", 4), _birth, _signs("abcdef", 5)),
    "CLABE": _signs(_DIGITS, 17).map(_clabe),
    "card": some.builds(lambda digits: _spelled(_luhn("4" + digits), (4, 4, 4, 4), " "), _signs(_DIGITS, 14)),
    "card in one": _signs(_DIGITS, 14).map(lambda digits: _luhn("5" + digits)),
    "Amex": some.builds(lambda digits: _spelled(_luhn("37" + digits), (4, 6, 5), "-"), _signs(_DIGITS, 12)),
    "end of card": some.builds("{}{}".format, some.sampled_from(["•••• ", "****", "terminación "]), _signs(_DIGITS, 4)),
    "Stripe": some.builds(
        "{}_{}".format,
        some.sampled_from(["cus", "in", "sub", "cs_test", "pi", "cs_live"]),
        _signs(string.ascii_letters + _DIGITS, 24),
    ),
    "key": some.builds("sk_live_{}".format, _signs(string.ascii_letters + _DIGITS, 24)),
    "BSUID": some.builds("{}.{}".format, some.sampled_from(["MX", "US", "MX.ENT"]), _signs(_DIGITS, 16)),
    "wamid": some.builds("wamid.{}==".format, _signs(string.ascii_letters + _DIGITS, 40)),
    "coordinates": some.builds(
        lambda latitude, longitude: f"{latitude:.6f}, {longitude:.6f}",
        some.floats(14.5, 32.7),
        some.floats(-98.4, -86.7),
    ),
    "street": some.builds("calle {} {} #{}".format, *[_signs(string.ascii_lowercase, 7)] * 2, some.integers(100, 9999)),
    "avenue": some.builds("Av. {} {}, Col. {}, C.P. {}".format, some.sampled_from(["Juárez", "de los Insurgentes Sur"]),
                          some.integers(100, 9999), some.sampled_from(["Roma Norte", "Del Valle"]), _signs("12345", 5)),
    "English street": some.builds("{} Maple Street".format, some.integers(100, 9999)),
}  # fmt: skip


def _plain(words: str) -> str:
    bare = unicodedata.normalize("NFKD", words.casefold())
    return "".join(sign for sign in bare if sign.isalnum())


@each("kind", _SEEDS)
def test_nothing_that_tells_who_it_is_survives(kind: str) -> None:
    @settings(max_examples=50)
    @given(_SEEDS[kind], some.sampled_from(_AROUND), some.sampled_from(_BEHIND), some.integers(0, 999))
    def check(seed: str, before: str, behind: str, amount: int) -> None:
        redaction = Redaction(["Ana"])
        left = redaction.text(f"{before}{seed}{behind} y debo ${amount}.50")
        # The amount is no part of it, and may have the same digits.
        told = left.removesuffix(f"y debo ${amount}.50")
        assert _plain(seed) not in _plain(told)
        digits = re.sub(r"\D", "", seed)
        assert len(digits) < 9 or digits[-9:] not in re.sub(r"\D", "", told)
        assert left.endswith(f"y debo ${amount}.50")
        assert redaction.text(f"{before}{seed}{behind} y debo ${amount}.50") == left

    check()


@given(
    some.lists(some.sampled_from(_NAMES), min_size=1, max_size=4, unique=True),
    some.sampled_from([str, str.upper, str.lower, lambda name: unicodedata.normalize("NFD", name)]),
    some.sampled_from(_AROUND),
    some.sampled_from(_BEHIND),
)
def test_no_part_of_a_name_survives_in_any_spelling(
    parts: list[str], spelled: type[str], before: str, behind: str
) -> None:
    redaction = Redaction([" ".join(parts)])
    said = redaction.text(f"{before}{spelled(' '.join(parts))}{behind} {' y '.join(map(spelled, parts))}")
    left = redaction.value({"name": said, "more": [spelled(part) for part in parts]})
    for part in parts:
        piece = re.split(r"\W", part)[-1]
        assert not re.search(rf"(?<!\w){re.escape(_plain(piece))}", _bare(str(left)))


def _bare(words: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", words.casefold()) if not unicodedata.combining(sign))


def test_the_same_one_has_the_same_stand_in_and_others_have_others() -> None:
    redaction = Redaction(["María Fernanda López"])
    spellings = ("5215512345678", "+52 1 55 1234 5678", "55 1234 5678", "(55) 1234-5678", "55-12-34-56-78")
    assert {redaction.text(spelling) for spelling in spellings} == {"55 0000 0001"}
    assert redaction.text("55 9999 8888") == "55 0000 0002"
    assert redaction.text("ANA@x.mx y luego ana@x.mx, no eva@x.mx").count("persona1@example.com") == 2
    assert redaction.text("Maria, fernanda lopez y MARÍA FERNANDA LÓPEZ") == "Alex Rivera y Alex Rivera"


@each(
    ("words", "redacted"),
    [
        ("Luis (55 1234 5678) y yo", "Luis (55 0000 0001) y yo"),
        ("(tel. 55) 1234 5678", "(tel. 55 0000 0001)"),
        ("55 1234 (5678)", "(55 0000 0001)"),
        ("(55) 1234 5678", "55 0000 0001"),
        ("(+52 (55) 1234-5678)", "(55 0000 0001)"),
        ("Mira (https://x.mx/p?id=3).", "Mira (https://example.com/enlace-1)."),
        ("[foto](https://x.mx/p/7), ¿sí?", "[foto](https://example.com/enlace-1), ¿sí?"),
        ("https://x.mx/a_(b)?c=1 y ya", "https://example.com/enlace-1 y ya"),
        ("(ana@x.mx)", "(persona1@example.com)"),
        ("(button: Pagar → https://x.mx/c/9f)", "(button: Pagar → https://example.com/enlace-1)"),
    ],
)
def test_brackets_and_the_end_of_a_sentence_stay(words: str, redacted: str) -> None:
    assert Redaction(["Ana"]).text(words) == redacted


def test_whoever_introduces_themselves_is_the_one_who_writes() -> None:
    redaction = Redaction(["✨Princesa✨"])
    redaction.learn("Buenas, soy Ana Lucía Torres y quiero mi factura")
    assert redaction.text("Claro, Ana. ¿A nombre de ana lucía torres?") == "Claro, Alex. ¿A nombre de Alex Rivera?"
    redaction.learn("Soy cliente desde 2019")
    assert redaction.text("cliente desde 2019") == "cliente desde 2019"


@each(
    "words",
    [
        "Abren el 2026-11-24 10:30 y el 24-11-2026 11:00",
        "Cuesta $12,499.00 MXN o 1250 al mes, 12 meses",
        "Pedido 48213, talla 26.5, 3 piezas",
        "Voy en camino a las 5, por la avenida",
        "https://recado.example/ayuda y www.recado.example",
        "El código es 7503001234564",
        "Factura FAC-17, plan pro_month_mxn, in_the_end",
        "*Hola* ¿qué tal? 🙂",
    ],
)
def test_what_is_nobodys_stays(words: str) -> None:
    assert Redaction(["Ana"]).text(words) == words


def test_what_the_company_tells_everybody_and_codes_on_goods_stay() -> None:
    public = "Estamos en Av. Insurgentes Sur 123, tel. 55 5000 1000, hola@tienda.mx"
    redaction = Redaction(["Ana"], public=public, product_codes={"8413000065504"})
    assert redaction.text(public) == public
    assert redaction.text("+52 55 5000 1000 y 55 5000 1001") == "+52 55 5000 1000 y 55 0000 0001"
    assert redaction.text("EAN-13 8413000065504") == "EAN-13 8413000065504"
    assert redaction.value({"phone": 5512345678, "yes": True, "count": 3}) == {
        "phone": 5500000002, "yes": True, "count": 3,
    }  # fmt: skip
