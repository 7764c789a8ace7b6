"""Sentences of `recado prompts …` in the operator's language; `--format json` has none."""

from __future__ import annotations

from bot.cli.terminal import terminal_language
from bot.messages.language import Language
from bot.settings import Settings

WORDS: dict[str, dict[Language, str]] = {
    "released": {"es": "publicada: {release}", "en": "released: {release}"},
    "released already": {"es": "{release} ya está publicada", "en": "{release} is released already"},
    "candidate": {
        "es": "candidata: {release}, para el {percent} % de los contactos",
        "en": "candidate: {release}, for {percent} % of the contacts",
    },
    "dropped": {"es": "descartada: {release}; sigue {current}", "en": "dropped: {release}; {current} goes on"},
    "no candidate any more": {
        "es": "{release} ya no es candidata; sigue {current}",
        "en": "{release} is no candidate any more; {current} goes on",
    },
    "nothing released": {
        "es": "todavía no hay nada publicado: `recado prompts release`",
        "en": "nothing is released yet: `recado prompts release`",
    },
    "no difference": {
        "es": "no hay diferencias: {old} y {new} tienen los mismos archivos",
        "en": "no difference: {old} and {new} have the same files",
    },
    "folder": {"es": "la carpeta", "en": "folder"},
    "release column": {"es": "versión", "en": "release"},
    "when column": {"es": "cuándo (UTC)", "en": "when (UTC)"},
    "how column": {"es": "cómo", "en": "how"},
    "author column": {"es": "autor", "en": "author"},
    "note column": {"es": "nota", "en": "note"},
    "current mark": {"es": "* la versión publicada", "en": "* the current release"},
    "candidate mark": {
        "es": "; ~ la candidata y su parte de los contactos",
        "en": "; ~ the candidate and its share of contacts",
    },
    "what to do": {
        "es": ". Comparar: recado prompts diff VERSIÓN. Volver: recado prompts rollback VERSIÓN",
        "en": ". Compare: recado prompts diff RELEASE. Go back: recado prompts rollback RELEASE",
    },
    "candidate since": {
        "es": "candidata {release}, {percent} % de los contactos desde {since}",
        "en": "candidate {release}, {percent} % of the contacts since {since}",
    },
    "current head": {"es": "publicada {release}", "en": "current {release}"},
    "candidate head": {"es": "candidata {release}", "en": "candidate {release}"},
    "turns": {"es": "turnos", "en": "turns"},
    "worse": {"es": "peor", "en": "worse"},
    "not judged": {
        "es": "nada se juzga antes de que ambas tengan {turns} turnos; entre corchetes está lo que es cierto al 99 %",
        "en": "nothing is judged before both have {turns} turns; between brackets is what is true with 99 %",
    },
    "judged": {
        "es": "lo que es claramente peor descarta la candidata; entre corchetes está lo que es cierto al 99 %",
        "en": "what is clearly worse drops the candidate by itself; between brackets is what is true with 99 %",
    },
}


def say(settings: Settings, what: str, **values: object) -> str:
    """The sentence in the language of the terminal."""
    return WORDS[what][terminal_language(settings)].format(**values)
