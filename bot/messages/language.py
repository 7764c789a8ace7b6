"""Choice of Spanish or English for our own sentences and as a hint to Whisper; the model needs none."""

from __future__ import annotations

import re
from typing import Literal, TypeVar

Language = Literal["es", "en"]
Default = TypeVar("Default", Language, None)

_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "es": "a al buenas buenos con cuando cuánto cuanto cómo como de del día dónde donde el ella en es está esta "
        "este favor gracias hay hola la las le lo los mañana me mi muy más no para pero por puedo que qué quiero se "
        "si sí son su tarde tengo tienen tu un una y ya yo",
        "en": "a an and are at be can could did do does for good have hello hey hi how i i'm in is it me my need no "
        "not of on open please send thank thanks that the this to want was what when where which who why will with "
        "would you your",
    }.items()
}


def language_of(text: str) -> Language | None:
    """The language whose small words are in the majority; None when the text doesn't tell."""
    words = re.findall(r"[\w']+", text.lower())
    found = {language: sum(word in known for word in words) for language, known in _WORDS.items()}
    # Marks that English does not have decide more than a short word that both have.
    found["es"] += 2 * len(re.findall("[ñáéíóú¿¡]", text.lower()))
    if found["es"] == found["en"]:
        return None
    return "es" if found["es"] > found["en"] else "en"


def language_from(tag: str | None, default: Default) -> Language | Default:
    """Our language for a tag such as `es`, `en-GB` or `es_MX`; the default for any other and for none."""
    match re.split(r"[-_]", tag or "", maxsplit=1)[0].lower():
        case "es":
            return "es"
        case "en":
            return "en"
    return default
