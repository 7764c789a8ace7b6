"""Parses amounts of money in a line of text, exactly, with the role of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pipelines.product.size_parsing import sizes

_SIGNS = {
    "US$": "USD", "U.S.$": "USD", "U$S": "USD", "USD$": "USD", "MX$": "MXN", "MXN$": "MXN", "MEX$": "MXN", "RD$": "DOP",
    "R$": "BRL", "S/.": "PEN", "S/": "PEN", "C$": "NIO",
    "COP$": "COP", "¢": "CRC",
    "€": "EUR", "£": "GBP", "¥": "JPY", "₡": "CRC", "₲": "PYG", "B/.": "PAB", "Bs.": "BOB", "Bs": "BOB",
    "Q": "GTQ", "L.": "HNL", "$": None,
}  # fmt: skip
_WORDS = {
    "mxn": "MXN", "m.n.": "MXN", "m. n.": "MXN", "mn": "MXN", "moneda nacional": "MXN", "pesos mexicanos": "MXN",
    "usd": "USD", "dlls.": "USD", "dlls": "USD", "dls.": "USD", "dls": "USD", "dólar": "USD", "dolar": "USD",
    "dollars": "USD", "dollar": "USD", "eur": "EUR", "euros": "EUR", "euro": "EUR",
    "cop": "COP", "clp": "CLP", "ars": "ARS", "pen": "PEN", "soles": "PEN", "gtq": "GTQ", "quetzales": "GTQ",
    "crc": "CRC", "colones": "CRC", "brl": "BRL", "reais": "BRL", "uyu": "UYU", "bob": "BOB", "dop": "DOP",
    "hnl": "HNL", "nio": "NIO", "pab": "PAB", "pyg": "PYG", "gbp": "GBP", "dólares": "USD", "dolares": "USD",
    "pesos": None, "peso": None,
}  # fmt: skip
# Words within this distance decide the role of an amount.
_NEAR = 40
# Beside a bare $ these name its country.
_LANDS = {"us": "USD", "u.s.": "USD", "mx": "MXN", "mex": "MXN"}
_UPSIDE_DOWN = str.maketrans("69£'’", "963..")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


class Role(StrEnum):
    """Role of an amount on a label."""

    PRICE = "price"
    NOW = "now"
    FORMER = "former"
    SAVING = "saving"
    UNIT = "unit"
    SEVERAL = "several"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount: `currency` None for a bare $ or no sign; `signed` if it has a sign or a currency's name.

    `per` is the unit of a unit price ("kg", "100 g"), `pieces` how many pieces it buys together; `start` and `end`
    are its place in the text. `unpointed` if its whole digits may include cents in smaller type.
    """

    value: Decimal
    currency: str | None
    signed: bool
    role: Role
    start: int
    end: int
    per: str | None = None
    pieces: int = 1
    raised: bool = False

    @property
    def unpointed(self) -> bool:
        return self.value == self.value.to_integral_value() and -self.value.as_tuple().exponent == 0  # type: ignore[operator]


def _either(words: Iterable[str]) -> str:
    """Alternatives, longest first; a space may stand before the $ of US $."""
    longest = sorted(words, key=len, reverse=True)
    return "|".join(re.sub(r"(?<=.)(?=\\\$)", r"\\s?", re.escape(word)) for word in longest)


_NUMBER = r"""(?:
    \d{1,3}['’]\d{3}(?:,\d{3}){1,4}(?:\.\d{1,2})?                                   # 1'250,000.00
  | \d{1,3}(?P<gap>[.,'’])\d{3}(?:(?P=gap)\d{3})*(?:(?!(?P=gap))[.,](?:\d{1,2}|[-–—]))?   # 1,249.00  1.249,00  1.249
  | \d{1,3}(?:[ \u00a0\u202f]\d{3}){1,4},\d{2}                                     # 1 249,00
  # A number of pieces may stand before a price, though not behind its sign: 2 350.00
  | (?:(?<=[$€£])|(?<=[$€£]\s))\d{1,3}(?:[ \u00a0\u202f]\d{3}){1,4}\.\d{2}          # $1 249.00
  | \d{1,6}[.,]\d{1,2}                                                         # 35.50  35,5
  | \d{1,6}['’]\d{2}                                                           # 35'50
  | \d{1,6}[.,][-–—]                                                           # 35,-
  | (?<!\d)(?<!\d\s)[.,]\d{2}                                                  # .99
  | \d{1,6}
)"""
_CENTS = r"centavos?|ctvs?\.?|cents?"
_AMOUNT = re.compile(
    rf"""(?:(?<![\w.,$€£])|(?=[$€£]))(?:(?P<pieces>\d{{1,2}})\s?(?:x|X|×|por|POR|Por)\s?)?
    (?:(?P<name_before>{_either(_WORDS)})\s?)?(?P<sign>{_either(_SIGNS)})?\s?
    (?P<number>{_NUMBER})(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,2}}|[ ]\d\d(?!\d|[.,]\d|\s?(?:%|x|g|kg|ml|l|pz)\b))?
    (?:\s?(?P<sign_after>€|£|₡|¢|US\$))?(?:\s?(?P<name_after>{_either(_WORDS)})(?!\w))?
    (?:\s?(?P<land>{_either(_LANDS)})(?!\w|\s?\$))?(?:\s?(?P<cents>{_CENTS})(?!\w))?
    (?![\w%°⁰-⁹]|[.,'’]\d|[ ]?%|[-–]\d|/(?:19|20)\d\d|\s?(?:h|hrs?|horas|[ap]\.?\s?m)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_UNIT = (
    r"(?P<unit>100\s?g(?:r|rs)?|100\s?ml|kilo(?:gramo)?|kgs?|gramo|g|litro|lt|l|ml"
    r"|pieza|pza|pz|metro|m|rollo|unidad|lb|oz)\b"
)
_PER_AFTER = re.compile(rf"^\s*(?:/|por|x|el|la|cada|per)\s?{_UNIT}", re.IGNORECASE)
_PER_BEFORE = re.compile(
    rf"(?:precio\s*(?:por|x|/)|\$\s?/|por|el|cada|per)\s?{_UNIT}\.?\s*+(?:[:=a$]\s*+)?$", re.IGNORECASE
)
# From one amount to another; a discount has its sign close to it: -$10.
_TO = re.compile(r"[-–—]|\s[-–—]\s")
_EACH = re.compile(r"^\s*(?:c/u|c\.u\.|cada\s+un[oa])", re.IGNORECASE)
_UNITS = {"kilo": "kg", "kilogramo": "kg", "kgs": "kg", "litro": "L", "lt": "L", "l": "L", "gramo": "g", "metro": "m",
          "pieza": "pz", "pza": "pz", "unidad": "pz"}  # fmt: skip
_ROLES = (
    (Role.OTHER, (r"(?:compras?|pedidos?)\s+(?:de|desde|mayores\s+a)|mensual(?:idad(?:es)?)?(?:\s+de)?|pagos?\s+de|"
                  r"meses\s+(?:de|x)|quincenas?\s+de|env[ií]o|dep[oó]sito|puntos")),
    (Role.SAVING, (r"ahorr[aeo]s?|ahorro\s+de|descuento(?:\s+de)?|menos|save|you\s+save|off|rebaja\s+de|"
                   r"bonificaci[oó]n|(?<!\d)(?<!\d\s)-\s?")),
    (Role.FORMER, r"antes|era|was|precio\s+(?:normal|regular|anterior|de\s+lista)|normal|regular|de(?=\s*$)|pvpr?"),
    (Role.NOW, (r"ahora|hoy|oferta|now|precio\s+(?:de\s+)?oferta|promo(?:ci[oó]n)?|a(?=\s*$)|a\s+s[oó]lo|s[oó]lo|"
                r"especial|precio\s+final|precio\s+club|liquidaci[oó]n")),
    (Role.PRICE, r"precio|price|pvp|total(?:\s+a\s+pagar)?|importe"),
)  # fmt: skip
_WORD_BEFORE = [(role, re.compile(rf"(?<!\w)(?:{words})\s*+(?:[:.=]\s*+)?$", re.IGNORECASE)) for role, words in _ROLES]
_WORD_AFTER = (
    (Role.SAVING, re.compile(r"^\s*(?:de\s+(?:descuento|ahorro)|menos|off)\b", re.IGNORECASE)),
    (Role.OTHER, re.compile(r"^\s*(?:al\s+mes|mensual(?:es)?|/\s?mes|x\s?\d+\s?mes|puntos)\b", re.IGNORECASE)),
    (Role.OTHER, re.compile(r"^\s*+(?:[a-z]{2,}+\s*+){0,2}%", re.IGNORECASE)),
)


def amounts(text: str, *, before: str = "") -> tuple[Amount, ...]:
    """Return all amounts of money in a line, in order; `before` is the text left of the line or above it.

    A bare whole number is an amount only with a sign, a currency or a word such as "precio".
    """
    found: list[Amount] = []
    contents = {place for size in sizes(text) for place in range(size.start, size.end)}
    last = 0
    for match in _AMOUNT.finditer(text):
        near = text[max(last, match.start() - _NEAR) : match.start()]
        lead = near if near.strip() else (before if not last else "")
        if last and _TO.fullmatch(lead):
            lead = ""
        amount = _amount(match, lead, text[match.end() : match.end() + _NEAR])
        # 1.89 L is no amount of money.
        if amount is not None and (amount.signed or match.start("number") not in contents):
            found.append(amount)
            last = match.end()
    return tuple(found)


def bare(text: str) -> Amount | None:
    """Return the amount of a line that is a number alone, because large type may have lost its sign."""
    match = re.fullmatch(r"\d{1,5}", text)
    value = value_of(text) if match else None
    return Amount(value, None, signed=False, role=Role.PRICE, start=0, end=len(text)) if value else None


def upside_down(text: str) -> Amount | None:
    """Return the amount of a line that was read upside down, with its sign at the end, as unsigned."""
    if not re.fullmatch(r"[\d£.,'’]*[.,'’][\d£]+\$", text) or re.search(r"[2-57]", text):
        return None
    value = value_of(text[-2::-1].translate(_UPSIDE_DOWN))
    return Amount(value, None, signed=False, role=Role.PRICE, start=0, end=len(text)) if value else None


def announces(words: str) -> bool:
    """Say whether words announce an amount: by its role, or by the unit of a unit price."""
    return role_of(words) is not None or bool(_PER_BEFORE.search(words))


def role_of(words: str) -> Role | None:
    """Return the role of an amount behind these words, if they name one."""
    return next((role for role, pattern in _WORD_BEFORE if pattern.search(words)), None)


def value_of(number: str) -> Decimal | None:
    """Read a written number exactly; None if its marks are ambiguous."""
    # In Spain 35'50 is written, in Mexico 1'250,000.00: two digits are cents.
    number = re.sub(r"^(\d+)[’'](\d\d)$", r"\1.\2", number)
    number = re.sub(r"[\s’']", "", number).rstrip("-–—").rstrip(".,")
    if re.match(r"0\d", number):
        return None
    *groups, tail = re.split(r"[.,]", number)
    if not groups:
        return Decimal(tail)
    if len(tail) == 3:  # noqa: PLR2004 -- thousands come in threes
        return Decimal("".join((*groups, tail))) if groups[0].strip("0") else None
    return Decimal("".join(groups) + "." + tail)


def _amount(match: re.Match[str], lead: str, rest: str) -> Amount | None:
    value = _value(match)
    if not value or (match["sign"] in {"Q", "q", "L.", "l."} and lead.strip()[-1:].isalnum()):
        return None
    signed = any(match[group] for group in ("sign", "sign_after", "name_before", "name_after", "cents"))
    if not _is_money(match, lead, value, signed=signed):
        return None
    role, per = _role(lead, rest)
    pieces = int(match["pieces"] or 1)
    if pieces > 1:
        role = Role.SEVERAL
    return Amount(value, _currency(match), signed, role, match.start(), match.end(), per, pieces, bool(match["raised"]))


def _value(match: re.Match[str]) -> Decimal | None:
    value, raised = value_of(match["number"]), match["raised"]
    if value and raised:
        digits = raised.strip().translate(_RAISED)
        if "." in match["number"] or "," in match["number"] or len(digits) != 2:  # noqa: PLR2004 -- cents
            return None
        return Decimal(f"{value}.{digits}")
    return value.scaleb(-2) if value and _only_cents(match, value) else value


def _is_money(match: re.Match[str], lead: str, value: Decimal, *, signed: bool) -> bool:
    """Whether a number is an amount: by its sign, by cents, or by a word before it."""
    pointed = bool(re.search(r"\d[.,]\d{2}$", match["number"]))
    if not match["sign"] and re.search(r"\d\s?[-–—]\s?$", lead):
        # Half of 10-20 pesos is no price.
        return False
    if match["pieces"] and int(match["pieces"]) > 1 and not pointed:
        return signed
    stated = role_of(lead) is not None and match["number"][0] not in ".,"
    return signed or (pointed and value < 100_000) or stated  # noqa: PLR2004 -- no shelf has it


def _only_cents(match: re.Match[str], value: Decimal) -> bool:
    """99¢ and 50 centavos; from a hundred on, ¢ is the sign of Costa Rica's colón."""
    sign = "¢" in (match["sign"], match["sign_after"])
    return bool(match["cents"] or sign) and value < 100 and value == value.to_integral_value()  # noqa: PLR2004


def _currency(match: re.Match[str]) -> str | None:
    names = (match["name_after"], match["name_before"])
    signs = (match["sign"], match["sign_after"])
    named = next((_WORDS[name.lower()] for name in names if name and _WORDS[name.lower()]), None)
    by_sign = {sign.upper(): code for sign, code in _SIGNS.items()}
    if "¢" in signs and _only_cents(match, value_of(match["number"]) or Decimal(0)):
        return named
    land = _LANDS[match["land"].lower()] if match["land"] else None
    found = (by_sign[re.sub(r"\s", "", sign).upper()] for sign in signs if sign)
    return named or next(filter(None, found), None) or land


def _role(lead: str, rest: str) -> tuple[Role, str | None]:
    for role, after in _WORD_AFTER:
        if after.search(rest):
            return role, None
    if _EACH.search(rest):
        return Role.PRICE, None
    per = _PER_AFTER.search(rest) or _PER_BEFORE.search(lead)
    if per:
        unit = re.sub(r"\s+", " ", per["unit"].lower())
        unit = re.sub(r"^100 ?(g|ml).*", r"100 \1", unit)
        return Role.UNIT, _UNITS.get(unit, unit)
    return role_of(lead) or Role.PRICE, None
