"""The set of documents that a release of prompts names: one file among its texts, so that both go together.

A release is named by its texts. With the lock among them, `recado prompts release`, `rollback`, `diff`, the canary and
the gate treat documents as they treat prompts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from redis.asyncio import Redis

from bot.infra.redis import answer

FILE = "knowledge.lock"
# The newest set that `recado knowledge sync` made; the next release names it.
_SYNCED = "recado:{prompts}:knowledge"


def lock_text(digest: str, documents: Mapping[str, str]) -> str:
    """The lock: the set's name, and a line for each document, which `recado prompts diff` compares."""
    lines = [
        f"set: {digest}",
        *(f"{json.dumps(name, ensure_ascii=False)}: {own}" for name, own in sorted(documents.items())),
    ]
    return "\n".join(lines) + "\n"


def digest_in(texts: Mapping[str, str]) -> str | None:
    """The set that a release names; None if it names none."""
    first = texts.get(FILE, "").partition("\n")[0]
    return first.removeprefix("set: ") if first.startswith("set: ") else None


def prompt_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts without the lock."""
    return {name: text for name, text in texts.items() if name != FILE}


async def synced(redis: Redis) -> str | None:
    """The lock of the newest set."""
    found: str | None = await answer(redis.get(_SYNCED))
    return found


async def note_synced(redis: Redis, lock: str) -> None:
    """Make this lock the one that the next release names; an empty one stands for no documents."""
    if lock:
        await redis.set(_SYNCED, lock)
    else:
        await redis.delete(_SYNCED)
