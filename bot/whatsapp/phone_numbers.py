"""Spellings of phone numbers: loose ones to find somebody, exact ones for roles and accounts."""

from __future__ import annotations

import re

from bot.settings import BSUID
from bot.whatsapp.lenient_json import digits

_SHORTEST = 7
# Mexico dropped its 1 in 2019: with it and without, it is one line.
_MEXICO = re.compile(r"521?(\d{10})")
# Brazil put a 9 before the mobiles of eight digits, which began with 6 to 9. Other eight digits are a landline.
# A mobile of nine digits whose second is 1 to 5 never had eight.
_BRAZIL = re.compile(r"55([1-9]\d)9?([6-9]\d{7})")
# Argentina's 9 stands before mobiles dialled from abroad; WhatsApp has it, address books often don't.
_ARGENTINA = re.compile(r"549?([1-3]\d{9})")


def is_bsuid(value: str) -> bool:
    return BSUID.match(value) is not None


def exact_variants(phone: str) -> tuple[str, ...]:
    """Spellings that are certainly one line; roles and Stripe customers are found by no others."""
    found = _MEXICO.fullmatch(phone)
    return tuple(dict.fromkeys((phone, f"521{found[1]}", f"52{found[1]}"))) if found else (phone,)


def variants(phone: str) -> tuple[str, ...]:
    """Spellings of a number in WhatsApp, itself first. To find somebody; not to send, for roles or for money."""
    if found := _BRAZIL.fullmatch(phone):
        area, number = found.groups()
        return tuple(dict.fromkeys((phone, f"55{area}9{number}", f"55{area}{number}")))
    if found := _ARGENTINA.fullmatch(phone):
        return tuple(dict.fromkeys((phone, f"549{found[1]}", f"54{found[1]}")))
    return exact_variants(phone)


def canonical(identity: str) -> str:
    """A BSUID as it is, a phone as the first of its exact spellings. Equal texts are certainly one person."""
    return identity if is_bsuid(identity) else min(exact_variants(identity))


def canonical_variant(identity: str) -> str:
    """The same text for all spellings of a number; a BSUID as it is."""
    return identity if is_bsuid(identity) else min(variants(identity))


def address_of(value: str) -> tuple[str | None, str | None]:
    """The phone or the BSUID that a string from outside stands for; both None when it is neither."""
    value = value.strip()
    if is_bsuid(value):
        return None, value
    phone = digits(value, "-", "(", ")", ".")
    return (phone, None) if phone and len(phone) >= _SHORTEST else (None, None)
