"""What a file is by its bytes, because names and MIME types of what people send are often wrong."""

from typing import Literal, NamedTuple

Kind = Literal["image", "audio", "video", "pdf", "text", "office"]

LOOKED_AT = 4096


class Signature(NamedTuple):
    """What the first bytes say: `format` is one of the names below, `kind` what it can be used as."""

    kind: Kind
    format: str


_BY_PREFIX: tuple[tuple[bytes, Signature], ...] = (
    (b"\xff\xd8\xff", Signature("image", "jpeg")),
    (b"\x89PNG\r\n\x1a\n", Signature("image", "png")),
    (b"GIF87a", Signature("image", "gif")),
    (b"GIF89a", Signature("image", "gif")),
    (b"BM", Signature("image", "bmp")),
    (b"II*\x00", Signature("image", "tiff")),
    (b"MM\x00*", Signature("image", "tiff")),
    (b"OggS", Signature("audio", "ogg")),
    (b"#!AMR-WB\n", Signature("audio", "amr")),
    (b"#!AMR\n", Signature("audio", "amr")),
    (b"fLaC", Signature("audio", "flac")),
    (b"\x1aE\xdf\xa3", Signature("video", "webm")),
    (b"%PDF-", Signature("pdf", "pdf")),
    (b"PK\x03\x04", Signature("office", "zip")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Signature("office", "ole")),
    (b"{\\rtf", Signature("office", "rtf")),
)
_IMAGE_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"F4A "}
_MARKS_OF_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def kind_of(content: bytes) -> Kind | None:
    """Say what a file can be read as; an MP4 or WebM with sound alone may be called a video."""
    signature = signature_of(content)
    return signature.kind if signature else None


def signature_of(content: bytes) -> Signature | None:
    """Say the kind and the container of a file, or None when its bytes tell nothing."""
    head = content[:LOOKED_AT]
    for prefix, signature in _BY_PREFIX:
        if head.startswith(prefix):
            return signature
    return _riff(head) or _iso_media(head) or _mpeg_audio(content) or _pdf_after_junk(head) or _text(head)


def _riff(head: bytes) -> Signature | None:
    if head[:4] not in (b"RIFF", b"RF64"):
        return None
    by_form = {b"WAVE": Signature("audio", "wav"), b"WEBP": Signature("image", "webp")}
    return by_form.get(head[8:12])


def _iso_media(head: bytes) -> Signature | None:
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    if brand in _IMAGE_BRANDS:
        return Signature("image", "avif" if brand.startswith(b"avi") else "heic")
    return Signature("audio", "m4a") if brand in _AUDIO_BRANDS else Signature("video", "mp4")


def _mpeg_audio(content: bytes) -> Signature | None:
    """Tell MP3 from AAC by the header of the first frame, behind an ID3 tag if there is one.

    The layer bits (the two below the version) are 00 in ADTS, 01 and 10 in layers III and II.
    """
    start = _behind_id3(content)
    first, second, third = (*content[start : start + 3], 0, 0, 0)[:3]
    if first == 0xFF and second & 0xF6 == 0xF0 and (third >> 2) & 0xF < 13:  # noqa: PLR2004 -- ADTS sync and rate
        return Signature("audio", "aac")
    layer, rate, bitrate = (second >> 1) & 3, (third >> 2) & 3, third >> 4
    if first == 0xFF and second & 0xE0 == 0xE0 and layer in (1, 2) and rate != 3 and bitrate != 15:  # noqa: PLR2004
        return Signature("audio", "mp3")
    return Signature("audio", "mp3") if start else None


def _behind_id3(content: bytes) -> int:
    """Return where an ID3v2 tag ends, 0 without one; its size has seven bits a byte."""
    if content[:3] != b"ID3" or len(content) < 10:  # noqa: PLR2004 -- length of the tag's header
        return 0
    size = 0
    for byte in content[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _pdf_after_junk(head: bytes) -> Signature | None:
    """Find a PDF behind a stray line: readers have always allowed 1024 bytes before the header."""
    return Signature("pdf", "pdf") if b"%PDF-" in head[:1024] else None


def _text(head: bytes) -> Signature | None:
    if not head.strip():
        return None
    if head.startswith(_MARKS_OF_UTF16):
        return Signature("text", "text")
    control = sum(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in head)  # noqa: PLR2004 -- below the space
    return None if control else Signature("text", "text")
