"""Detects a file's type by its bytes, because names and MIME types of what people send are often wrong."""

import re
from typing import Literal, NamedTuple

from pipelines import characters

Kind = Literal["image", "audio", "video", "pdf", "text", "office", "archive"]

LOOKED_AT = 4096


class FileSignature(NamedTuple):
    """Type of a file: `format` is one of the names below, `kind` is how it can be read."""

    kind: Kind
    format: str


_TEXT = FileSignature("text", "text")
# No text begins so, because these bytes are beyond ASCII or followed by a zero.
_BY_PREFIX: tuple[tuple[bytes, FileSignature], ...] = (
    (b"\xff\xd8\xff", FileSignature("image", "jpeg")),
    (b"\x89PNG\r\n\x1a\n", FileSignature("image", "png")),
    (b"II*\x00", FileSignature("image", "tiff")),
    (b"II+\x00", FileSignature("image", "tiff")),
    (b"MM\x00*", FileSignature("image", "tiff")),
    (b"MM\x00+", FileSignature("image", "tiff")),
    (b"\x00\x00\x00\x0cjP  \r\n", FileSignature("image", "jp2")),
    (b"\x00\x00\x00\x0cJXL \r\n", FileSignature("image", "jxl")),
    (b"\xff\x0a", FileSignature("image", "jxl")),
    (b"\x1aE\xdf\xa3", FileSignature("video", "webm")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileSignature("office", "ole")),
    (b"\x1f\x8b\x08", FileSignature("archive", "gzip")),
    (b"7z\xbc\xaf\x27\x1c", FileSignature("archive", "7z")),
    (b"Rar!\x1a\x07", FileSignature("archive", "rar")),
)
# Because words may begin so, these count only if the bytes behind them are no text.
_BY_LETTERS: tuple[tuple[bytes, FileSignature], ...] = (
    (b"#!AMR-WB\n", FileSignature("audio", "amr")),
    (b"#!AMR\n", FileSignature("audio", "amr")),
    (b"fLaC", FileSignature("audio", "flac")),
    (b"GIF87a", FileSignature("image", "gif")),
    (b"GIF89a", FileSignature("image", "gif")),
)
# A file of these bytes alone was cut off; it is no word.
_BARE = (b"OggS", b"fLaC", b"GIF87a", b"GIF89a", b"#!AMR\n", b"#!AMR-WB\n")
# Entries of a zip that tell its format; earlier rows win.
_BY_ENTRY: tuple[tuple[bytes, FileSignature], ...] = (
    (b"word/document", FileSignature("office", "docx")),
    (b"xl/workbook", FileSignature("office", "xlsx")),
    (b"ppt/presentation", FileSignature("office", "pptx")),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", FileSignature("office", "odt")),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", FileSignature("office", "ods")),
    (b"mimetypeapplication/vnd.oasis.opendocument.presentation", FileSignature("office", "odp")),
    (b"mimetypeapplication/epub+zip", FileSignature("archive", "epub")),
    (b"AndroidManifest.xml", FileSignature("archive", "apk")),
    (b"META-INF/MANIFEST.MF", FileSignature("archive", "jar")),
    (b"[Content_Types].xml", FileSignature("office", "zip")),
)
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# A zip's list of entries stands at its end.
_ENTRIES_LOOKED_AT = 64 * 1024
_BITMAP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_PDF = re.compile(rb"(?:^|[\r\n])%PDF-\d\.\d(?P<alone>[ \t\0]*(?:[\r\n]|\Z))?|%PDF-\d")
_IMAGE_BRANDS = {
    b"heic": "heic", b"heix": "heic", b"hevc": "heic", b"heim": "heic", b"heis": "heic", b"hevx": "heic",
    b"avif": "avif", b"avis": "avif", b"crx ": "raw",
}  # fmt: skip
# Generic brands; a further brand names the format.
_ANY_IMAGE = (b"mif1", b"msf1", b"mif2", b"miaf")
_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ")
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"pnot")


def kind_of(content: bytes) -> Kind | None:
    """Return how a file can be read; an MP4 or WebM with sound alone may count as a video."""
    signature = signature_of(content)
    return signature.kind if signature else None


def signature_of(content: bytes) -> FileSignature | None:
    """Return the kind and the container of a file; None if its bytes match nothing."""
    head = content[:LOOKED_AT]
    for prefix, signature in _BY_PREFIX:
        if head.startswith(prefix):
            return signature
    if content.startswith(_ZIPS):
        return _zip(content)
    return _of_letters(content, head) or _of_structure(content, head)


def _of_letters(content: bytes, head: bytes) -> FileSignature | None:
    """Match formats whose files may be pure ASCII, else text."""
    if _pdf(content):
        return FileSignature("pdf", "pdf")
    if re.match(rb"\{\\rtf\d", head):
        return FileSignature("office", "rtf")
    return _TEXT if head not in _BARE and characters.is_text(head) else None


def _of_structure(content: bytes, head: bytes) -> FileSignature | None:
    by_letters = next((signature for prefix, signature in _BY_LETTERS if head.startswith(prefix)), None)
    found = by_letters or _bitmap(head) or _riff(head) or _ogg(head) or _iso_media(head) or _mpeg_audio(content)
    return found or (_TEXT if characters.is_text(head, stray=True) else None)


def _pdf(content: bytes) -> bool:
    """Readers allow 1024 bytes before the header; a sentence that mentions it is no header."""
    found = _PDF.search(content, 0, 1024)
    return found is not None and (found["alone"] is not None or not characters.is_text(content[:LOOKED_AT]))


def _bitmap(head: bytes) -> FileSignature | None:
    header = int.from_bytes(head[14:18], "little")
    return FileSignature("image", "bmp") if head.startswith(b"BM") and header in _BITMAP_HEADERS else None


def _riff(head: bytes) -> FileSignature | None:
    if head[:4] not in (b"RIFF", b"RF64"):
        return None
    by_form = {b"WAVE": FileSignature("audio", "wav"), b"WEBP": FileSignature("image", "webp")}
    return by_form.get(head[8:12])


def _ogg(head: bytes) -> FileSignature | None:
    """Match a page of version 0; the first packet of a stream tells video from audio."""
    if not head.startswith(b"OggS\x00") and head != b"OggS":
        return None
    pictures = b"\x80theora" in head or b"\x01video\x00" in head
    return FileSignature("video" if pictures else "audio", "ogg")


def _iso_media(head: bytes) -> FileSignature | None:
    if head[4:8] in _OLD_QUICKTIME:
        return FileSignature("video", "mp4")
    if head[4:8] != b"ftyp":
        return None
    size = int.from_bytes(head[:4])
    brand, others = head[8:12], [head[at : at + 4] for at in range(16, min(size, len(head), 256), 4)]
    if brand in _ANY_IMAGE:
        specific = [brand for brand in others if brand in _IMAGE_BRANDS]
        return FileSignature("image", "avif" if {b"avif", b"avis"} & {*specific} else "heic")
    if brand in _IMAGE_BRANDS:
        return FileSignature("image", _IMAGE_BRANDS[brand])
    return FileSignature("audio", "m4a") if brand in _AUDIO_BRANDS else FileSignature("video", "mp4")


def _zip(content: bytes) -> FileSignature:
    entries = content[:LOOKED_AT] + content[-_ENTRIES_LOOKED_AT:]
    return next((signature for entry, signature in _BY_ENTRY if entry in entries), FileSignature("archive", "zip"))


def _mpeg_audio(content: bytes) -> FileSignature | None:
    """Tell MP3 from AAC by the header of the first frame, behind an ID3 tag if there is one.

    The layer bits (the two below the version) are 00 in ADTS, 01 and 10 in layers III and II.
    """
    start = _behind_id3(content)
    first, second, third = (*content[start : start + 3], 0, 0, 0)[:3]
    if first == 0xFF and second & 0xF6 == 0xF0 and (third >> 2) & 0xF < 13:  # noqa: PLR2004 -- ADTS sync and rate
        return FileSignature("audio", "aac")
    layer, rate, bitrate = (second >> 1) & 3, (third >> 2) & 3, third >> 4
    if first == 0xFF and second & 0xE0 == 0xE0 and layer in (1, 2) and rate != 3 and bitrate != 15:  # noqa: PLR2004
        return FileSignature("audio", "mp3")
    return FileSignature("audio", "mp3") if start else None


def _behind_id3(content: bytes) -> int:
    """Return where an ID3v2 tag ends, 0 without one; its size has seven bits a byte."""
    if content[:3] != b"ID3" or len(content) < 10:  # noqa: PLR2004 -- length of the tag's header
        return 0
    size = 0
    for byte in content[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size
