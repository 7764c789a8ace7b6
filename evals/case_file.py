"""File of a new case, which an operator reads before the case is kept."""

from __future__ import annotations

from pathlib import Path

from evals.cases import CasesWrong, read_cases


class CaseNotWritten(Exception):
    """The case isn't written; the message names the reason and the fix."""


def write(path: Path, text: str, name: str, folder: Path) -> None:
    """Write a new file; raises CaseNotWritten where the file, or a case of `folder` with this name, exists."""
    try:
        taken = any(read_case.name == name for read_case in read_cases(folder))
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
