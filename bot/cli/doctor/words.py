"""Makes the sentences of `recado doctor`, in both languages, from its tables of words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.cli.doctor.company_words import COMPANY_WORDS
from bot.cli.doctor.infrastructure_words import INFRASTRUCTURE_WORDS
from bot.cli.doctor.vendor_words import VENDOR_WORDS
from bot.cli.language import Words
from bot.messages.language import Language
from bot.settings import SettingsWrong

# A sentence in both languages.
Said = dict[Language, str]

WORDS: Words = {**INFRASTRUCTURE_WORDS, **VENDOR_WORDS, **COMPANY_WORDS}

# Sentences of other parts that a result quotes; a vendor's own words stay as they are.
_QUOTED = (
    (r"VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are not set", "faltan VAPID_PUBLIC_KEY y VAPID_PRIVATE_KEY"),
    (r"VAPID_PRIVATE_KEY is no key", "VAPID_PRIVATE_KEY no es una clave"),
    (
        r"are not of one pair; set both to what was made together",
        "no son de un mismo par; pon las que se hicieron juntas",
    ),
    (r"make a pair with `recado keys vapid`", "haz un par con `recado keys vapid`"),
    (r"(\S+) takes e-mail from (\S+)", r"\1 acepta correo de \2"),
    (r"see the network and ", "mira la red y "),
    (
        r"no request can be made of its address and key; the address may hold no user name or password",
        "de su dirección y su clave no sale una petición; la dirección no debe llevar usuario ni contraseña",
    ),
    (r"no connection", "sin conexión"),
    (r"no answer in time", "no contestó a tiempo"),
    (r"no answer", "sin respuesta"),
    (r"\bsee ([A-Z][A-Z_]+)", r"mira \1"),
)


def said(what: str, **values: object) -> Said:
    """The sentence `what` of WORDS, filled in with values; a value may be a sentence in both languages itself."""
    return {
        language: text.format(
            **{name: value[language] if isinstance(value, dict) else value for name, value in values.items()}
        )
        for language, text in WORDS[what].items()
    }


def joined(parts: Sequence[Said], link: str | None = None, *, separator: str = "; ") -> Said:
    """The sentences as one, with a link of WORDS between them."""
    return {
        language: (WORDS[link][language] if link else separator).join(part[language] for part in parts)
        for language in ("es", "en")
    }


def complained(wrong: SettingsWrong) -> Said:
    """The complaints about variables as one sentence."""
    return {"es": "; ".join(wrong.said("es")), "en": "; ".join(wrong.said("en"))}


def quoted(text: str) -> Said:
    """An English sentence from another package in both languages; parts without a translation stay English."""
    spanish = text
    for english, words in _QUOTED:
        spanish = re.sub(english, words, spanish)
    return {"es": spanish, "en": text}
