"""The bench of the prompts keeps to the limits of a prompt folder, however long our own prompts become."""

from __future__ import annotations

from bench.prompts import measured


def test_the_largest_folder_that_is_allowed_can_be_measured() -> None:
    names = [name.partition(" ")[0] for name, _, _ in measured()]
    assert names == ["checking", "rendering"]
