"""Sentences of `recado knowledge …` in the operator's language."""

from __future__ import annotations

from bot.cli.language import Words, spoken_language
from bot.knowledge.finding_words import reason_in

KNOWLEDGE: Words = {
    "reading": {"es": "Leyendo documentos", "en": "Reading documents"},
    "counted": {"es": "{documents} documentos, {passages} pasajes", "en": "{documents} documents, {passages} passages"},
    "synced": {
        "es": "{documents} documentos ({new} nuevos) son el conjunto {set}; `recado prompts release` lo da a los "
        "clientes",
        "en": "{documents} documents ({new} new) are set {set}; `recado prompts release` gives it to customers",
    },
    "none": {
        "es": "no hay documentos todavía: `recado knowledge sync`",
        "en": "no documents yet: `recado knowledge sync`",
    },
    "document column": {"es": "documento", "en": "document"},
    "language column": {"es": "idioma", "en": "language"},
    "for column": {"es": "para", "en": "for"},
    "passages column": {"es": "pasajes", "en": "passages"},
    "valid column": {"es": "vigencia", "en": "valid"},
    "customer": {"es": "clientes", "en": "customer"},
    "staff": {"es": "personal", "en": "staff"},
    "not enough": {
        "es": "nada suficientemente bueno: el asistente diría que no lo sabe, y ofrecería una persona",
        "en": "nothing good enough: the assistant would say that it doesn't know, and offer a person",
    },
    "not noted": {
        "es": "{problem}; la próxima publicación no sabrá de este conjunto: sincroniza otra vez entonces",
        "en": "{problem}; the next release will not know of this set: sync again then",
    },
    "not synced": {
        "es": "todavía no hay nada sincronizado; mira `recado knowledge sync`",
        "en": "nothing is synced yet; see `recado knowledge sync`",
    },
    "not used": {
        "es": "la base de datos o un archivo no se puede usar ({error}); mira DATABASE_URL y KNOWLEDGE_DIR",
        "en": "the database or a file can't be used ({error}); see DATABASE_URL and KNOWLEDGE_DIR",
    },
}


def say_of_documents(what: str, **values: object) -> str:
    """The sentence in the language of the command line."""
    return KNOWLEDGE[what][spoken_language()].format(**values)


def told(reason: str) -> str:
    """A reason against a file, or for the command's end, in the language of the command line."""
    return reason_in(spoken_language(), reason)
