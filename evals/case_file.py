"""File of a new case, which an operator reads before the case is kept."""

from __future__ import annotations

from pathlib import Path

from bot.messages.language import Language
from evals.cases import CasesWrong, read_cases


class CaseNotWritten(Exception):
    """The case isn't written; the message names the reason and the fix, `said` in both languages."""

    def __init__(self, *, en: str, es: str) -> None:
        super().__init__(en)
        self.said: dict[Language, str] = {"en": en, "es": es}


def write(path: Path, text: str, name: str, folder: Path) -> None:
    """Write a new file; raises CaseNotWritten if the file, or a case of `folder` with this name, exists."""
    try:
        taken = any(read_case.name == name for read_case in read_cases(folder))
    except CasesWrong:
        taken = False  # because `eval` reports mistakes of other cases, they don't stop this one
    if taken:
        raise CaseNotWritten(
            en=f"there is a case {name} already; choose another --name",
            es=f"ya hay un caso {name}; elige otro con --name",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise CaseNotWritten(
            en=f"{path} exists, and nothing is overwritten; choose another --name or --out",
            es=f"{path} ya existe, y nada se sobrescribe; elige otro con --name o --out",
        ) from error
    except OSError as error:
        raise CaseNotWritten(
            en=f"{path} can't be written: {error.strerror}", es=f"{path} no se puede escribir: {error.strerror}"
        ) from error
