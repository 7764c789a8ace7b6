"""Product rules of the rule-based model: the question that a sentence asks, and the answer by the catalogue."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.messages.language import Language

_ASKED = re.compile(
    r"(?:\b(?:tienen|venden|manejan|cu[aá]nto (?:cuestan?|valen?)|precio del?|do you (?:have|sell|carry)|have you got|"
    r"price of|how much (?:is|are|does|do))|^\W*(?:hay|busco|i am looking for|i['’]m looking for))\s++"
    r"(?P<what>[^?!.,;\n]{2,80})",
    re.IGNORECASE,
)
_FILLERS = re.compile(r"^(?:(?:el|la|los|las|un|una|unos|unas|the|a|an|any|some|de|of)\s++)++", re.IGNORECASE)
_ENDS = re.compile(r"\s++(?:cuestan?|valen?|costs?|por favor|please)$", re.IGNORECASE)
_NO_PRODUCT = re.compile(
    r"\b(plan|planes|plans?|suscripci[oó]n|subscription|servicio|service|b[aá]sico|basic|pro|it|that|this|esto|eso|"
    r"alguien|persona|anybody|someone|abierto|open)\b",
    re.IGNORECASE,
)
_THIS = re.compile(r"\b(esto|[eé]ste|[eé]sta|eso|this|that|it)\b", re.IGNORECASE)
_PRICED = re.compile(r"\b(precio|cuesta|vale|tienen|price|how much|have)\b", re.IGNORECASE)
_PHOTO, _SHORTEST = "<photo>", 2


def next_tool_call(said: str, words: str, offered: set[Any]) -> tuple[str, dict[str, Any]] | None:
    """The catalogue's tool for a question about a product; None where there is no such question."""
    if "find_products" not in offered:
        return None
    if _PHOTO in said and _PRICED.search(words) and (_THIS.search(words) or not _asked(words)):
        return "find_products", {"photo": True}
    wanted = _asked(words)
    return ("find_products", {"words": wanted}) if wanted else None


def _asked(words: str) -> str:
    found = _ASKED.search(words)
    wanted = _ENDS.sub("", _FILLERS.sub("", found["what"].strip())).strip() if found else ""
    return "" if len(wanted) < _SHORTEST or _NO_PRODUCT.search(wanted) else wanted


def described(result: str, language: Language) -> str:
    """What the catalogue has; several products are shown as a list below the answer."""
    if result.startswith("Error: "):
        return _SAY["away"][language]
    products = json.loads(result)["products"]
    if not products:
        return _SAY["none"][language]
    if len(products) > 1:
        return _SAY["several"][language]
    product = products[0]
    name = " ".join(filter(None, (product.get("brand"), product["name"], product.get("size"))))
    price = product["price"]
    known = _SAY["priced" if price[:1].isdigit() else "unpriced"][language].format(name=name, price=price)
    stock = product.get("stock", "")
    return f"{known} {_SAY['stock'][language].format(stock=stock)}" if stock[:1].isdigit() else known


_SAY: dict[str, dict[Language, str]] = {
    "away": {
        "es": "Ahora no puedo ver el catálogo. Si quieres, llamo a una persona del equipo.",
        "en": "I can't see the catalogue right now. If you like, I call somebody of the team.",
    },
    "none": {
        "es": "No lo encuentro en el catálogo. Si quieres, llamo a una persona del equipo.",
        "en": "I don't find it in the catalogue. If you like, I call somebody of the team.",
    },
    "several": {"es": "Encontré varios:", "en": "I found several:"},
    "priced": {"es": "*{name}* cuesta {price}.", "en": "*{name}* is {price}."},
    "unpriced": {
        "es": "Tenemos *{name}*, pero no sé su precio.",
        "en": "We have *{name}*, but I don't know its price.",
    },
    "stock": {"es": "Quedan {stock}.", "en": "{stock} are left."},
}
