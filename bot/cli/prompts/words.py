"""Sentences of `recado prompts …` in the operator's language; `--format json` has none."""

from __future__ import annotations

from bot.cli.language import Words, spoken_language

WORDS: Words = {
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
    "offline or live": {"es": "se espera offline o live", "en": "expected offline or live"},
    "against is live": {
        "es": "dos versiones se comparan con --tier live",
        "en": "two releases are compared with --tier live",
    },
    "all is for record": {"es": "es para --record sin casos", "en": "is for --record without cases"},
    "no key": {
        "es": "falta OPENROUTER_API_KEY; una evaluación live pregunta a un modelo real",
        "en": "OPENROUTER_API_KEY is not set; a live evaluation asks a real model",
    },
    "playing": {"es": "corriendo casos", "en": "playing cases"},
    "asking": {"es": "preguntando al modelo, versión {release}", "en": "asking the model, release {release}"},
    "recording": {
        "es": "se graban {chosen} de {all} casos; los demás están probados",
        "en": "recording {chosen} of {all} cases; the others are proven",
    },
    "recording bar": {"es": "grabando casos", "en": "recording cases"},
    "not recorded": {
        "es": "{error}; la carpeta tiene que permitir escribir para --record",
        "en": "{error}; the folder has to be writable for --record",
    },
    "no such case": {"es": "no hay un caso o tag {names}", "en": "there is no case or tag {names}"},
    "set missing": {
        "es": "el conjunto {set} de documentos no está en la base de datos; `recado knowledge sync`",
        "en": "the set {set} of documents is not in the database; `recado knowledge sync`",
    },
    "other version": {
        "es": "la versión {release} no sirve con esta versión de Recado",
        "en": "release {release} can't be used by this version of Recado",
    },
    "not recorded case": {
        "es": "el caso {name} no se pudo grabar: {why}",
        "en": "case {name} could not be recorded: {why}",
    },
    "case name": {
        "es": "se esperan letras minúsculas, cifras y -, como pide-factura",
        "en": "expected small letters, digits and -, such as asks-for-invoice",
    },
    "read it once": {
        "es": "léelo una vez: los nombres de otras personas siguen ahí; después `recado prompts eval {name} --record`",
        "en": "read it once: names of other people are still in it; then `recado prompts eval {name} --record`",
    },
    "memory alone": {
        "es": "sólo se conoce la memoria, porque la base de datos no contesta ({error})",
        "en": "only the memory is known, because the database does not answer ({error})",
    },
    "tokens": {
        "es": "=== unos {prompt} tokens, y {tools} de herramientas; {model}: unos {cost} USD antes de contestar, "
        "{most} a lo más",
        "en": "=== about {prompt} tokens, and {tools} of tools; {model}: about {cost} USD before it answers, {most} "
        "at most",
    },
    "none released": {"es": "=== todavía no hay nada publicado", "en": "=== nothing is released yet"},
    "against current": {
        "es": "=== contra la versión publicada {release}:",
        "en": "=== against the current release {release}:",
    },
    "the same": {"es": "lo mismo", "en": "the same"},
    "judged": {
        "es": "lo que es claramente peor descarta la candidata; entre corchetes está lo que es cierto al 99 %",
        "en": "what is clearly worse drops the candidate by itself; between brackets is what is true with 99 %",
    },
}


def say(what: str, **values: object) -> str:
    """The sentence in the language of the command line."""
    return WORDS[what][spoken_language()].format(**values)
