"""Cost of prompts: checking a folder of 200 files, and rendering a prompt in a turn."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bot.prompting.linter import PromptVocabulary, check_folder
from bot.prompting.variables import SAMPLES

FILES = 200
RENDERED = 2000


def measured() -> list[tuple[str, str, str]]:
    own = Path(__file__).parents[1] / "prompts"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in own.glob("*.md"):
            (folder / path.name).write_text(path.read_text())
        text = (own / "assistant.md").read_text()
        for number in range(FILES - len(list(own.glob("*.md")))):
            (folder / f"more_{number}.md").write_text(text)
        began = time.perf_counter()
        prompts = check_folder(folder, PromptVocabulary(tools=frozenset(("business_hours",)))).release()
        seconds = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(RENDERED):
        prompts.render("assistant", SAMPLES[0])
    milliseconds = (time.perf_counter() - began) / RENDERED * 1000
    return [
        (f"checking {FILES} prompt files, seconds", f"{seconds:.2f}", "≤ 1"),
        ("rendering the prompt of a turn, ms", f"{milliseconds:.3f}", "≤ 1"),
    ]
