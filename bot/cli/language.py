"""Language of the command line: DEFAULT_LANGUAGE where it is set, else the terminal's; it needs no other setting."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.messages.language import Language, language_from

# The language without any setting: the default of DEFAULT_LANGUAGE.
_OURS: Language = "es"
_SETTING = "DEFAULT_LANGUAGE"
# A text in both languages by its name.
Words = dict[str, dict[Language, str]]


def spoken_language() -> Language:
    """The language of help, questions, results and errors."""
    return language_from(os.environ.get(_SETTING) or _in_env_file(), None) or language_of_terminal(_OURS)


def language_of_terminal(default: Language) -> Language:
    """The terminal's language."""
    # The first of these decides: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html
    spoken = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), None)
    return language_from(spoken, default)


def _in_env_file() -> str | None:
    if not Path(".env").is_file():
        return None
    # Loaded for those who have the file.
    dotenv: Any = import_module("dotenv")
    try:
        found: str | None = dotenv.dotenv_values(".env").get(_SETTING)
    except (OSError, ValueError):
        return None
    return found
