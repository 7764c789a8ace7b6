"""File of a new case, which an operator reads before the case is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bot.messages.language import Language
from evals.cases import CasesWrong, read_cases
from evals.from_history import PastConversation

_WIDTH = 110
_NOTES: dict[Language, tuple[str, ...]] = {
    "es": (
        "Lo que pasó en una conversación. Teléfonos, correos, direcciones y lo demás que se reconoce está cambiado.",
        "LÉELO UNA VEZ antes de guardarlo: quita los nombres de OTRAS personas y lo que sólo tú reconoces.",
        "Luego escribe en `contains` lo que debe decir la respuesta, borra lo que no importe y graba:",
        "recado prompts eval {name} --record",
    ),
    "en": (
        "What happened in a conversation. Phones, e-mail addresses, streets and what else is recognised are changed.",
        "READ IT ONCE before you keep it: take out names of OTHER people and whatever only you recognise.",
        "Then write in `contains` what the reply has to say, delete what doesn't matter, and record it:",
        "recado prompts eval {name} --record",
    ),
}
_TOOLS_UNKNOWN: dict[Language, str] = {
    "es": "Qué herramientas se usaron ya no se sabe (se guarda 7 días): escribe tú `calls`.",
    "en": "Which tools were used is no longer known (it is kept for 7 days): write `calls` yourself.",
}


class CaseNotWritten(Exception):
    """The case isn't written; the message names the reason and the fix."""


def as_yaml(case: dict[str, Any], past: PastConversation, language: Language) -> str:
    """YAML of the case, below comments that tell its reader what to check."""
    notes = [line.format(name=case["name"]) for line in _NOTES[language]]
    notes += [_TOOLS_UNKNOWN[language]] if any(turn.tools is None for turn in past.turns) else []
    body = yaml.safe_dump([case], allow_unicode=True, sort_keys=False, width=_WIDTH)
    return "".join(f"# {line}\n" for line in notes) + body


def write(path: Path, text: str, name: str, folder: Path) -> None:
    """Write a new file; raises CaseNotWritten where the file, or a case of `folder` with this name, exists."""
    try:
        taken = any(one.name == name for one in read_cases(folder))
    except CasesWrong:
        taken = False  # because `eval` reports mistakes of other cases, they don't stop this one
    if taken:
        raise CaseNotWritten(f"there is a case {name} already; choose another --name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise CaseNotWritten(f"{path} exists, and nothing is overwritten; choose another --name or --out") from error
    except OSError as error:
        raise CaseNotWritten(f"{path} can't be written: {error.strerror}") from error
