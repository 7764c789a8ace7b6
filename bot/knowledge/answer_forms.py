"""Forms of an answer that a question asks for, such as an amount or a time, and those that a passage has."""

from __future__ import annotations

import re

from bot.messages.folding import folded

# Folded beginnings of words; a question with any of them asks for the form.
_ASKED = {
    "money": "precio|cuesta|cuanto (?:es|sale|vale|cobra|cuesta|pag|por|me cobra|la|el|tengo q)|cobran?\\b|valen?\\b"
    "|a como|tarifa|costo|how much|price|cost|sueldo|minim[oa]|en cuanto|cuantos? pesos|cuanto (?:mas )?me\\b",
    "clock": "que hora|q hora|horario|abren|abiert|cierran|abre|cierra|what time|open|close",
    "span": "cuanto (?:tiempo|tarda|dura|se tarda)|cuantos? (?:dias|meses|horas|anos)|plazo|plaso|tardan?\\b"
    "|hasta cuando|cada cuanto|vencen?\\b|caduca|duran?\\b|how long|en cuanto tiempo",
    "place": "donde (?:estan?|queda|se ubica|los encuentro|es)|direccion|ubica|ubi\\b|where|address",
    "phone": "telefono|tel\\b|numero (?:de|para)|llamar|marcar|phone",
    "mail": "correo|email|mail",
    "page": "pagina|liga\\b|link|sitio|web|enlace",
    "percent": "descuento|porcentaje|rebaja|promo|oferta|discount|por ciento",
}
_NUMBER = r"(?:\d+|un|una|dos|tres|cuatro|cinco|seis)"
_HELD = {
    "money": r"\$ ?\d|\d ?(?:pesos|mxn|usd|centavos)\b|\bgratis\b|\bsin costo\b|\bfree\b",
    "clock": r"\b\d{1,2}:\d\d\b|\b\d{1,2} ?(?:am|pm|a\.m|p\.m|hrs|horas)\b",
    "span": rf"\b{_NUMBER} (?:dias?|mes(?:es)?|horas?|anos?|semanas?|minutos?|days?|months?|hours?)\b"
    r"|\bmismo (?:dia|mes)\b",
    "place": r"\b(?:calle|av\.|avenida|blvd|col\.|colonia|carretera|plaza|street|avenue)\s",
    "phone": r"\btel|\b\d{2,3}[ -]\d{3,4}[ -]\d{4}\b|\b\d{10}\b",
    "mail": r"\w@\w",
    "page": r"https?://|\bwww\.|\b[\w-]{1,60}\.(?:com|mx|example)\b",
    "percent": r"\d ?%|\bmitad de precio\b",
}
_ASKED_PATTERNS = {form: re.compile(rf"\b(?:{pattern})") for form, pattern in _ASKED.items()}
_HELD_PATTERNS = {form: re.compile(pattern) for form, pattern in _HELD.items()}


def forms_asked(question: str) -> frozenset[str]:
    text = folded(question)
    return frozenset(form for form, pattern in _ASKED_PATTERNS.items() if pattern.search(text))


def forms_held(passage: str, asked: frozenset[str]) -> frozenset[str]:
    """Return the asked forms that a passage has."""
    text = folded(passage) if asked else ""
    return frozenset(form for form in asked if _HELD_PATTERNS[form].search(text))
