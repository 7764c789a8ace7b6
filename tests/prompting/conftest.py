"""Folders of prompts without errors, for tests to change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.prompting.linter import CheckedFolder, PromptVocabulary, check_folder

VOCABULARY = PromptVocabulary(
    tools=frozenset({"business_hours", "talk_to_a_person"}),
    templates=frozenset({"payment_reminder"}),
    models=frozenset({"openai/gpt-4o-mini"}),
)
RIGHT = {
    "assistant": "Hola, soy de {{ business.name }}.\n",
    "summary": "Resume.\n",
    "_business": "---\nname: La Tienda\nhours:\n  monday: 9:00-19:00\n---\nVendemos cosas.\n",
}
Folder = Callable[..., CheckedFolder]


@pytest.fixture
def where(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(where: Path) -> Folder:
    """Check a folder with these files (names without `.md`, texts or bytes) beside those that have to be there."""

    def make(**files: str | bytes) -> CheckedFolder:
        for name, content in (RIGHT | files).items():
            path = where / f"{name}.md"
            if name in files or not path.exists():
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return check_folder(where, VOCABULARY)

    return make


@pytest.fixture
def own_prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The prompts that come with Recado, for this test to write in."""
    own = tmp_path / "own"
    shutil.copytree(os.environ["PROMPTS_DIR"], own)
    monkeypatch.setenv("PROMPTS_DIR", str(own))
    return own
