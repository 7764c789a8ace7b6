"""Small files that are large, endless, or of two types at once, made on demand."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable

_CATALOG = (b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>")


def png(width: int, height: int, *extra: bytes) -> bytes:
    """A black picture of a few kilobytes at any size; `extra` chunks come before its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = packed(bytes(1 + width * 3) for _ in range(height))
    chunks = (_chunk(b"IHDR", header), *extra, _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def compressed_text(kind: bytes, size: int) -> bytes:
    """A chunk of a PNG that unpacks to this many bytes."""
    return _chunk(kind, b"c\0\0" + packed([bytes(size)]))


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1."""
    written, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(written))
    return written + table + end


def unpacking_pdf(megabytes: int) -> bytes:
    """A page whose content unpacks to this many bytes."""
    content = _spaces(megabytes)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(content), content)
    return pdf(*_CATALOG, page(b"[0 0 595 842]"), stream)


def many_pages(count: int) -> bytes:
    kids = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (count, b"3 0 R " * count)
    return pdf(_CATALOG[0], kids, page(b"[0 0 595 842]"), stream_of(b""))


def nested_pdf(depth: int) -> bytes:
    return pdf(b"[" * depth + b"]" * depth, *_CATALOG)


def huge_page() -> bytes:
    return pdf(*_CATALOG, page(b"[0 0 1e9 1e9]"), stream_of(b"0 0 9 9 re f"))


def page(box: bytes) -> bytes:
    return b"<< /Type /Page /Parent 2 0 R /MediaBox %b /Contents 4 0 R >>" % box


def stream_of(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)


def docx(megabytes: int) -> bytes:
    """A Word document whose text unpacks to this many bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        made.writestr("word/document.xml", bytes(megabytes * 1_000_000))
    return file.getvalue()


def packed(pieces: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def _spaces(megabytes: int) -> bytes:
    """So many compressed spaces; after a full flush each million is packed alike, so that one is packed for all."""
    packer, million = zlib.compressobj(1), b" " * 1_000_000
    first, next_ = (packer.compress(million) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    count = megabytes * len(million)
    # Adler-32 (RFC 1950), whose sums have a formula for equal bytes.
    low, high = (1 + 32 * count) % 65521, (count + 16 * count * (count + 1)) % 65521
    return first + next_ * (megabytes - 1) + b"\x03\x00" + struct.pack(">HH", high, low)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
