"""Size of a WebP picture, and whether it moves, from its first bytes."""

from __future__ import annotations

from typing import NamedTuple

_MOVES = 0x02
_SIDE = 0x3FFF


class WebpFacts(NamedTuple):
    width: int
    height: int
    moves: bool


def facts_of(content: bytes) -> WebpFacts | None:
    """Facts by https://developers.google.com/speed/webp/docs/riff_container; None for no WebP."""
    chunk, body = content[12:16], content[20:30]
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(body) < 10:  # noqa: PLR2004 - the longest header
        return None
    if chunk == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return WebpFacts(width, height, bool(body[0] & _MOVES))
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return WebpFacts((bits & _SIDE) + 1, (bits >> 14 & _SIDE) + 1, moves=False)
    if chunk == b"VP8 ":
        width, height = (int.from_bytes(body[at : at + 2], "little") & _SIDE for at in (6, 8))
        return WebpFacts(width, height, moves=False)
    return None
