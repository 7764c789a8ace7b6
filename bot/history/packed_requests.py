"""Messages to models, packed: a turn asks several times, and each request repeats the one before."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

from bot.infra.json_bytes import json_bytes

# Quick, because a worker's other turns wait meanwhile. Half the default window and memory fit a prompt as well, and
# come from the heap: the default's 256 KB are asked of the system, page by page, at every turn.
_LEVEL, _WINDOW, _MEMORY = 3, 14, 7
_LARGEST = 16 * 1024 * 1024


def pack(requests: Sequence[dict[str, Any]]) -> str:
    """Requests (`{asked, messages}`) as a short text. Each counts the messages that it has in common with the last."""
    before: list[Any] = []
    packed = []
    for request in requests:
        messages = request["messages"]
        same = _same(before, messages)
        packed.append({**request, "same": same, "messages": messages[same:]})
        before = messages
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY)
    return base64.b64encode(compressor.compress(json_bytes(packed)) + compressor.flush()).decode()


def unpack(packed: bytes) -> list[dict[str, Any]]:
    """The requests again, from the text's bytes."""
    requests = json.loads(zlib.decompressobj().decompress(packed, _LARGEST))
    before: list[Any] = []
    found = []
    for request in requests:
        before = before[: request.pop("same")] + request["messages"]
        found.append({**request, "messages": before})
    return found


def _same(earlier: list[Any], other: list[Any]) -> int:
    count = 0
    for mine, theirs in zip(earlier, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
