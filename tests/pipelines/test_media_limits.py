"""Costs of a file are limited before they arise: by its header, or by the limits of its process."""

import asyncio
import io
import stat
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pipelines import ffmpeg, photo_decoder, video, voice
from pipelines.byte_budget import MEMORY_FOR_DECODING, MEMORY_FOR_FILES, MEMORY_FOR_UPLOADS, for_decoding
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import read_photo
from pipelines.voice import Clip, RawTranscript, transcribe
from tests.security import bombs
from tests.sounds import made

Media = Callable[[str], bytes]
MPEG4 = ("-c:v", "mpeg4", "-pix_fmt", "yuv420p")


async def hear(_: Clip) -> RawTranscript:
    return RawTranscript("hola", "es")


def film(size: str, frames: int = 1) -> bytes:
    return made("mp4", "-f", "lavfi", "-i", f"color=black:s={size}:r=5", "-frames:v", str(frames), *MPEG4)


# ffmpeg


@pytest.mark.parametrize("run", ["record", "frame", "encode", "decode"])
async def test_every_ffmpeg_is_started_with_limits(
    media: Media, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: str
) -> None:
    log = tmp_path / "log"
    spy = tmp_path / "ffmpeg"
    commands = ("ulimit -d", "ulimit -t", "ulimit -f", "ulimit -c", 'echo "$@"')
    spy.write_text("\n".join(("#!/bin/sh", *(f"{command} >>{log}" for command in commands))))
    spy.chmod(spy.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(ffmpeg, "program", lambda: str(spy))
    note = media("voice/es_hola.ogg")

    async def listen(_: bytes) -> None:
        pass

    match run:
        case "record":
            await ffmpeg.record(note, "ogg", tmp_path / "note", seconds=9, on_samples=listen)
        case "frame":
            await ffmpeg.frame(note, "mp4", side=9)
        case "encode":
            await ffmpeg.encode(note, "ogg", bitrate=9, seconds=9)
        case _:
            await ffmpeg.decode(note, "ogg", rate=9, seconds=9)
    *limits, arguments = log.read_text().splitlines()
    memory, seconds, output, core = limits
    assert 0 < int(memory) <= 164 * 1024
    assert 0 < int(seconds) <= 60
    assert 0 < int(output) <= 128 * 1024 * 2
    assert int(core) == 0
    for limit in ("-max_alloc", "-threads 1", "-nostdin", "-t", "-protocol_whitelist"):
        assert limit in arguments, limit


async def test_a_film_of_a_phone_in_4k_is_seen_within_the_limits() -> None:
    assert (await video.still(film("3840x2160", 12)) or b"").startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("size", ["4160x2304", "2304x4160", "8000x1200", "4800x4800"])
async def test_a_film_of_more_pixels_than_a_phone_makes_is_refused_before_one_is_decoded(size: str) -> None:
    with pytest.raises(FileRefused) as refused:
        await video.still(film(size))
    assert refused.value.reason is FileProblem.BOMB


async def test_a_decoder_that_reaches_its_limit_gives_nothing_that_passes_for_the_whole(
    media: Media, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for signal in ("XCPU", "XFSZ", "KILL"):
        hungry = tmp_path / "ffmpeg"
        hungry.write_text(f"#!/bin/sh\nhead -c 64000 /dev/zero\nkill -{signal} $$\n")
        hungry.chmod(0o755)
        monkeypatch.setattr(ffmpeg, "program", lambda: str(hungry))  # noqa: B023 - used in this round
        with pytest.raises(FileRefused) as refused:
            await transcribe(media("voice/es_hola.ogg"), speech_to_text=hear)
        assert refused.value.reason is FileProblem.TOO_SLOW


# Sound with a wrong header


def pages(ogg: bytes) -> list[int]:
    """Offsets of the pages of an Ogg file."""
    found = [place for place in range(len(ogg)) if ogg.startswith(b"OggS", place)]
    assert found
    return found


def with_granule(ogg: bytes, granule: int) -> bytes:
    """The same file, whose last page says that this is its last sample (RFC 3533, RFC 7845)."""
    last = pages(ogg)[-1]
    page = bytearray(ogg[last:])
    page[6:14] = struct.pack("<q", granule)
    page[22:26] = bytes(4)
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", crc)
    return ogg[:last] + bytes(page)


def wav(seconds: float, *, channels: int = 1, rate: int = 8000, claim: int | None = None) -> bytes:
    data = b"\x10\x20" * int(seconds * rate * channels)
    size = len(data) if claim is None else claim
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + size & 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * channels * 2, channels * 2, 16)  # fmt: skip
    return head + struct.pack("<4sI", b"data", size) + data


TOO_LONG = FileProblem.TOO_LONG
LIES: list[tuple[str, Callable[[Media], bytes], FileProblem | None]] = [
    ("hours by the last page", lambda media: with_granule(media("voice/es_hola.ogg"), 48_000 * 36_000), TOO_LONG),
    ("a moment by the last page", lambda media: with_granule(media("voice/es_ticket.ogg"), 48), FileProblem.TOO_LONG),
    ("before the beginning", lambda media: with_granule(media("voice/es_ticket.ogg"), -(2**62)), FileProblem.TOO_LONG),
    ("a WAV of hours that is short", lambda _: wav(0.4, claim=2**32 - 2), None),
    ("a WAV of nothing that is long", lambda _: wav(9, claim=0), None),
    ("64 channels", lambda _: wav(0.4, channels=64), None),
    ("a rate that nobody hears", lambda _: wav(0.0001, rate=2**31 - 1), None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make", "reason"), LIES, ids=[what for what, *_ in LIES])
async def test_sound_is_cut_at_the_limit_whatever_its_header_says(
    media: Media, monkeypatch: pytest.MonkeyPatch, what: str, make: Callable[[Media], bytes], reason: FileProblem | None
) -> None:
    monkeypatch.setattr(voice, "LONGEST_SECONDS", 2)
    problem: FileProblem | None = None
    try:
        transcript = await transcribe(make(media), speech_to_text=hear)
        assert transcript.seconds <= 2
    except FileRefused as refusal:
        problem = refusal.reason
    assert problem in ((reason,) if reason else (None, FileProblem.TOO_LONG, FileProblem.DAMAGED, FileProblem.SILENT))


async def test_what_says_itself_that_it_lasts_for_hours_is_not_decoded(media: Media) -> None:
    async def listen(_: bytes) -> None:
        pass

    forged = with_granule(media("voice/es_hola.ogg"), 48000 * 36000)
    with pytest.raises(FileRefused) as refused:
        await ffmpeg.record(forged, "ogg", Path("/dev/null"), seconds=3600, on_samples=listen)
    assert refused.value.reason is FileProblem.TOO_LONG


# Photos


def patched(photo: bytes, *places: tuple[bytes, int, bytes]) -> bytes:
    """Change bytes of the header, each at an offset behind a mark."""
    changed = bytearray(photo)
    for mark, behind, new in places:
        at = photo.index(mark) + behind
        changed[at : at + len(new)] = new
    return bytes(changed)


def small(kind: str, mode: str = "RGB", **how: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, (64, 64)).save(written, kind, **how)
    return written.getvalue()


def png(width: int, height: int, mode: str = "RGB") -> bytes:
    photo = small("PNG", mode)
    header = struct.pack(">II", width, height) + photo[24:29]
    return patched(photo, (b"IHDR", 4, header + struct.pack(">I", zlib.crc32(b"IHDR" + header))))


def progressive(width: int, height: int) -> bytes:
    return patched(small("JPEG", progressive=True, subsampling=0), (b"\xff\xc2", 5, struct.pack(">HH", height, width)))


def tiled_tiff(side: int) -> bytes:
    """A picture of 64x64 whose one tile is far larger, as little-endian TIFF with nothing but what it needs."""
    packed = bombs.packed(bytes(1 << 16) for _ in range(4))
    tags = [
        (256, 3, 64), (257, 3, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1),
        (322, 4, side), (323, 4, side), (324, 4, 8), (325, 4, len(packed)),
    ]  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags
    )
    return b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + directory + bytes(4)


def webp(width: int, height: int) -> bytes:
    """A WebP with the largest canvas of the format around a small frame."""
    photo = small("WEBP", lossless=True)
    canvas = bytes((0b10, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", len(canvas)) + canvas
    chunks += b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    frame = bytes(6) + (63).to_bytes(3, "little") * 2 + bytes(4) + photo[12:]
    chunks += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


HEADERS: list[tuple[str, Callable[[], bytes], tuple[FileProblem, ...]]] = [
    ("colours", lambda: png(7700, 7700), (FileProblem.BOMB,)),
    ("colours and transparency", lambda: png(6000, 6000, "RGBA"), (FileProblem.BOMB,)),
    ("pixels", lambda: png(60_000, 60_000, "L"), (FileProblem.BOMB,)),
    ("one row", lambda: png(2**31 - 1, 1), (FileProblem.BOMB, FileProblem.DAMAGED)),
    ("all at once at the end", lambda: progressive(7700, 7700), (FileProblem.BOMB,)),
    ("a tile", lambda: tiled_tiff(64_000), (FileProblem.BOMB, FileProblem.DAMAGED)),
    ("a canvas", lambda: webp(16_383, 16_383), (FileProblem.BOMB, FileProblem.DAMAGED)),
    ("a screen", lambda: patched(small("GIF", "P"), (b"GIF8", 6, b"\xff\xff\xff\xff")), (FileProblem.BOMB,)),
    ("BMP rows", lambda: patched(small("BMP"), (b"BM", 18, struct.pack("<ii", 30000, 30000))), (FileProblem.BOMB,)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make", "reasons"), HEADERS, ids=[what for what, *_ in HEADERS])
async def test_a_photo_whose_header_asks_for_too_much_is_refused_by_it(
    what: str, make: Callable[[], bytes], reasons: tuple[FileProblem, ...]
) -> None:
    assert len(make()) < 20_000
    with pytest.raises(FileRefused) as refused:
        await read_photo(make(), read_text=None)
    assert refused.value.reason in reasons
    # The process survives for the next photo.
    assert (await read_photo(small("PNG"), read_text=None)).width == 64


def frames(kind: str) -> bytes:
    written = io.BytesIO()
    first, *others = [Image.new("P", (64, 64), number % 250) for number in range(300)]
    first.save(written, kind, save_all=True, append_images=others)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
async def test_of_many_frames_the_first_is_read(kind: str) -> None:
    photo_text = await read_photo(frames(kind), read_text=None)
    assert (photo_text.width, photo_text.height) == (64, 64)


async def test_a_photo_waits_for_the_memory_that_its_header_asks_for(tmp_path: Path) -> None:
    photo = tmp_path / "photo"
    photo.write_bytes(png(4000, 3000))
    needed = photo_decoder.memory_for(photo)
    assert 4000 * 3000 * 4 < needed <= MEMORY_FOR_DECODING
    budget = for_decoding()
    async with budget.reserved(MEMORY_FOR_DECODING):
        looking = asyncio.ensure_future(read_photo(small("JPEG"), read_text=None))
        while not budget._waiting:
            await asyncio.sleep(0.01)
        assert not looking.done()
    assert (await looking).width == 64
    assert budget.free == MEMORY_FOR_DECODING


def test_all_budgets_together_leave_a_worker_below_400_megabytes() -> None:
    """At rest 110 MB, and 30 more for the process that decodes photos; the budgets may give out the rest."""
    megabytes = (MEMORY_FOR_FILES + MEMORY_FOR_DECODING + MEMORY_FOR_UPLOADS) / 1024 / 1024
    assert 110 + 30 + megabytes <= 400
