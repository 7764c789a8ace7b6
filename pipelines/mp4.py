"""Tracks of an MP4 file, from its boxes alone: no frame is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

# Enough for every video of a phone; a file with more is no film that a chat shows.
_MOST_BOXES = 512
# One beyond all that count: a video has a picture and a sound.
_MOST_TRACKS = 16
_HEADER, _LONG_HEADER = 8, 16


class Mp4Track(NamedTuple):
    """`handler` is `vide` or `soun` for what people see and hear, `codec` the name of its first sample entry."""

    handler: str
    codec: str


class Mp4Film(NamedTuple):
    brand: str
    tracks: tuple[Mp4Track, ...]


class _Box(NamedTuple):
    name: bytes
    start: int
    end: int


def film_of(content: bytes) -> Mp4Film:
    """The brand and the tracks; without tracks where the file is no MP4, or a broken one."""
    brand = ""
    tracks: list[Mp4Track] = []
    for box in _boxes(content, _Box(b"", 0, len(content))):
        if box.name == b"ftyp":
            brand = _letters(content, box.start)
        elif box.name == b"moov":
            found = (child for child in _boxes(content, box) if child.name == b"trak")
            tracks += [_track(content, track_box) for track_box in islice(found, _MOST_TRACKS - len(tracks))]
    return Mp4Film(brand, tuple(tracks))


def _track(content: bytes, trak: _Box) -> Mp4Track:
    handler, codec = "", ""
    media = _first(content, trak, b"mdia")
    if (found := _first(content, media, b"hdlr")) is not None:
        handler = _letters(content, found.start + 8)
    samples = _first(content, _first(content, _first(content, media, b"minf"), b"stbl"), b"stsd")
    if samples is not None:
        # A version, a count, and the size of the first entry stand before its name.
        codec = _letters(content, samples.start + 12)
    return Mp4Track(handler, codec)


def _first(content: bytes, within: _Box | None, name: bytes) -> _Box | None:
    return next((box for box in _boxes(content, within) if box.name == name), None) if within else None


def _boxes(content: bytes, within: _Box) -> Iterator[_Box]:
    at = within.start
    for _ in range(_MOST_BOXES):
        if within.end - at < _HEADER:
            return
        size, header = int.from_bytes(content[at : at + 4]), _HEADER
        if size == 1:
            size, header = int.from_bytes(content[at + 8 : at + 16]), _LONG_HEADER
        size = size or within.end - at
        if size < header or at + size > within.end:
            return
        yield _Box(content[at + 4 : at + 8], at + header, at + size)
        at += size


def _letters(content: bytes, at: int) -> str:
    return content[at : at + 4].decode("latin-1")
