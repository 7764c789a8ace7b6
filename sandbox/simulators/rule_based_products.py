"""Product questions of the rule-based model: the call of `find_products`, and its result in words."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from bot.messages.language import Language

_ASKED = re.compile(
    r"\b(?:cu[aá]nto (?:cuestan?|valen?|salen?|es|son)|(?:a )?c[oó]mo (?:est[aá]n?|dan)|precios? del?|tienen|"
    r"tendr[aá]n|venden|manejan|hay|busco|quiero comprar|how much (?:is|are|does|do|for)|price of|"
    r"do you (?:have|sell|carry)|looking for)\s+(?P<what>\S.{1,200})",
    re.IGNORECASE,
)
_OF_SOMETHING_ELSE = re.compile(
    r"\b(plan|planes|plans|pro|b[aá]sico|suscripci[oó]n|subscription|prueba|trial|factur\w*|invoices?|mensualidad|"
    r"mi cuenta|my account|horario\w*|abiert\w*|open|sucursal\w*|promoci\w*|descuento\w*|pagos?|tarjeta|card|"
    r"meses|intereses|garant[ií]a|warranty|env[ií]os?|shipping|devoluci[oó]n\w*|refunds?|returns?|contrato|contract|"
    r"per month|alguien|any(?:body|one)|de nuevo)\b",
    re.IGNORECASE,
)
_ABOUT_PHOTO = re.compile(
    r"\b(tienen|venden|manejan|hay|cu[aá]nto|precio|have|sell|carry|how much|price)\b", re.IGNORECASE
)
_TAPPED = re.compile(r"<tapped><title>(?P<title>[^<]*+)</title>")
_SPANISH = {
    "coffee": "café", "milk": "leche", "detergent": "detergente", "soap": "jabón", "bread": "pan", "rice": "arroz",
    "sugar": "azúcar", "eggs": "huevo", "oil": "aceite", "printer": "impresora", "cheese": "queso", "beans": "frijol",
}  # fmt: skip
# Words around the product that the search needn't see.
_AROUND = re.compile(
    r"^(?:el|la|los|las|un|una|unos|unas|the|a|an|any|some)\s++|(?<!\s)\s++(?:cost|por favor|please)\b.*$",
    re.IGNORECASE,
)


def next_tool_call(said: str, words: str, offered: set[Any]) -> tuple[str, dict[str, Any]] | None:
    """The call that a question about a product asks for."""
    if "find_products" not in offered:
        return None
    tapped = _TAPPED.search(said)
    if tapped and " · " in tapped["title"]:
        return "find_products", {"code": unescape(tapped["title"]).rpartition(" · ")[2].strip()}
    if code := _asked_code(said):
        return "find_products", {"code": code}
    if "<photo>" in said and _ABOUT_PHOTO.search(words):
        return "find_products", {"photo": True}
    asked = _ASKED.search(words)
    if asked is None or _OF_SOMETHING_ELSE.search(words):
        return None
    what = _AROUND.sub("", asked["what"].strip(" ?!.¿¡"))
    # Because the sample's products have Spanish names, a model would translate the question.
    known = [spanish for english, spanish in _SPANISH.items() if re.search(rf"\b{english}\b", what, re.IGNORECASE)]
    what = " ".join(known) or what
    return ("find_products", {"words": what}) if re.search(r"[^\W\d_]{3}|\d{6}", what) else None


def _asked_code(said: str) -> str:
    """The code of the product that a message asks about, as Meta names it; empty without one."""
    asked = said.partition("<asking_about_product>")[2].partition("</asking_about_product>")[0]
    return unescape(asked.partition("<product>")[2].partition("</product>")[0])


def found_nothing(results: dict[str, str]) -> bool:
    """Whether the catalogue alone was asked, and holds nothing like it."""
    return [*results] == ["find_products"] and described(results["find_products"], "en") == _SAY["none"]["en"]


def described(result: str, language: Language) -> str:
    """The answer to the person; "-" where the list says it all."""
    try:
        found = json.loads(result)
        products = found["products"]
    except (ValueError, KeyError, TypeError):
        return _SAY["away"][language]
    if not products:
        return _SAY["none"][language]
    if "list" in found:
        return "-"
    lines = [_line(product, language) for product in products]
    return "\n".join([_SAY["similar"][language], *lines] if "note" in found else lines)


def _line(product: dict[str, str], language: Language) -> str:
    name = " ".join(filter(None, (f"*{product['name']}*", product.get("brand"), product.get("size"))))
    price = product["price"]
    priced = _SAY["unpriced"][language] if price.startswith("unknown") else price
    stock = {"0": "gone", "unknown": "uncounted"}.get(product["stock"], "stock")
    return f"{name}: {priced}. {_SAY[stock][language].format(stock=product['stock'])}".strip()


_SAY: dict[str, dict[Language, str]] = {
    "away": {"es": "Ahora no puedo consultar el catálogo.", "en": "I can't look at the catalogue right now."},
    "none": {
        "es": "No encontré ese producto en el catálogo. Si quieres, pregunto a una persona del equipo.",
        "en": "I didn't find that product in the catalogue. If you like, I'll ask somebody of the team.",
    },
    "similar": {"es": "Ése no lo encontré; lo más parecido:", "en": "I didn't find that one; the nearest:"},
    "unpriced": {"es": "no tengo su precio", "en": "I don't have its price"},
    "gone": {"es": "Por ahora está agotado.", "en": "It is sold out for now."},
    "stock": {"es": "Hay {stock}.", "en": "There are {stock}."},
    "uncounted": {"es": "", "en": ""},
}
