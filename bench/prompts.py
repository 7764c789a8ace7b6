"""Cost of prompts: checking the largest folder that is allowed, and rendering a prompt in a turn."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bot.prompting.files import LARGEST_FOLDER
from bot.prompting.linter import PromptVocabulary, check_folder
from bot.prompting.variables import SAMPLES

RENDERED = 2000


def measured() -> list[tuple[str, str, str]]:
    own = Path(__file__).parents[1] / "prompts"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = {path.name: path.read_text() for path in own.glob("*.md")}
        left = LARGEST_FOLDER - sum(map(len, texts.values()))
        texts |= {f"more_{number}.md": texts["assistant.md"] for number in range(left // len(texts["assistant.md"]))}
        for file, text in texts.items():
            (folder / file).write_text(text)
        began = time.perf_counter()
        prompts = check_folder(folder, PromptVocabulary(tools=frozenset(("business_hours",)))).release()
        seconds = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(RENDERED):
        prompts.render("assistant", SAMPLES[0])
    milliseconds = (time.perf_counter() - began) / RENDERED * 1000
    return [
        (f"checking {len(texts)} prompt files of 1 MB together, seconds", f"{seconds:.2f}", "≤ 1"),
        ("rendering the prompt of a turn, ms", f"{milliseconds:.3f}", "≤ 1"),
    ]
