"""Words stay words: a text without marks is an answer as it is, and no text makes the scan grow faster than itself."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ai.special_tokens import words_of
from tests.rows import each

PIECES = (
    "<think>", "</think>", "<answer>", "<answer></answer>", "`", "```", "`a", "<", "<|", "<|im_end|>", "<s>a</s> b",
    "<s>a", "[INST]", "【", "\ue200", "<|channel|>final", "<tool_call>", "'<a", "\n\nHuman", "assistant\n", "[{",
    "```\n</think>```", "<think>```", "<|start_header_id|>a", "<function=a ",
)  # fmt: skip


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab <>[]{}|/:`\"'\n*_.,¿1$😀"), max_size=80).filter(lambda text: "<s>" not in text))
def test_a_text_without_marks_is_an_answer_as_it_is(text: str) -> None:
    assert words_of(text) == text.strip()


@each("piece", PIECES)
def test_no_text_makes_the_scan_grow_faster_than_itself(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        started = time.thread_time()
        words_of(text)
        return time.thread_time() - started

    # A quadratic scan takes 64 times as long each time; a busy machine makes a single look wrong.
    assert any(seconds(64_000) < 24 * max(seconds(8_000), 0.002) for _ in range(8))
