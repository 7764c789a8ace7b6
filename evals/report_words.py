"""Sentences of a report in Spanish and English; its JSON has none."""

from __future__ import annotations

from bot.messages.language import Language

REPORT: dict[str, dict[Language, str]] = {
    "passed": {"es": "bien", "en": "passed"},
    "failed": {"es": "falló", "en": "failed"},
    "stale": {"es": "viejo", "en": "stale"},
    "counts": {
        "es": "{passed} bien, {failed} fallaron, {stale} viejos",
        "en": "{passed} passed, {failed} failed, {stale} stale",
    },
    "totals": {
        "es": "{cases} casos de la versión {release}: {counts}, en {seconds} s",
        "en": "{cases} cases of release {release}: {counts}, in {seconds} s",
    },
    "rate": {
        "es": "corridas que pasaron: {rate}, con 95 % de certeza; {cost} USD",
        "en": "runs that passed: {rate}, with 95 % certainty; {cost} USD",
    },
    "before": {"es": "antes, versión {release}: {rate}", "en": "before, release {release}: {rate}"},
    "scripted": {
        "es": "{count} contestados por ejemplos o por el doble, no por un modelo: prueban herramientas, archivos y "
        "forma, no cómo toma tus palabras un modelo (OPENROUTER_API_KEY y --record, o --tier live)",
        "en": "{count} answered by examples or the stand-in, not by a model: they prove tools, files and form, not "
        "how a model takes your words (OPENROUTER_API_KEY and --record, or --tier live)",
    },
    "recorded": {"es": "grabado por: {names}", "en": "recorded by: {names}"},
    "unjudged": {
        "es": "sin juzgar: {count} rúbricas, que necesitan un modelo real (--record o --tier live)",
        "en": "not judged: {count} rubrics, which need a real model (--record or --tier live)",
    },
    "stale is": {
        "es": "viejo no es falla: nada está probado hasta que se grabe otra vez (--record deja en paz lo probado)",
        "en": "stale is no failure: nothing is proven until it is recorded again (--record leaves alone what is "
        "proven)",
    },
    "cost": {
        "es": "grabar lo viejo costó {cost} USD la última vez",
        "en": "to record what is stale cost {cost} USD the last time",
    },
}
