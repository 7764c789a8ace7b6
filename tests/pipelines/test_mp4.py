"""Boxes of MP4 files, whole, broken and hostile."""

from __future__ import annotations

import random
from collections.abc import Callable

from pipelines import mp4, webp


def _box(name: bytes, content: bytes = b"") -> bytes:
    return (len(content) + 8).to_bytes(4) + name + content


def test_a_film_has_a_picture_and_a_sound(media: Callable[[str], bytes]) -> None:
    film = mp4.film_of(media("video/label.mp4"))
    assert (film.brand, film.tracks) == ("isom", (mp4.Mp4Track("vide", "avc1"), mp4.Mp4Track("soun", "mp4a")))


def test_a_file_of_a_million_tracks_is_read_no_further_than_a_few() -> None:
    film = mp4.film_of(_box(b"moov", _box(b"trak") * 100_000) * 3)
    assert len(film.tracks) == 16
    assert set(film.tracks) == {mp4.Mp4Track("", "")}


def test_no_cut_and_no_change_of_a_file_breaks_the_reading(media: Callable[[str], bytes]) -> None:
    whole, chance = media("video/label.mp4"), random.Random(5)
    start = whole.index(b"moov") - 4
    for _ in range(300):
        changed = bytearray(whole[start:])
        for _ in range(20):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        mp4.film_of(whole[:40] + bytes(changed[: chance.randrange(len(changed))]))
        webp.facts_of(
            b"RIFF0000WEBP" + chance.choice((b"VP8X", b"VP8L", b"VP8 ")) + chance.randbytes(chance.randrange(20))
        )
