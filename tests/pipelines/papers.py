"""Small PDFs with text, pictures, forms and notes, as people and their programs write them."""

import io
from collections.abc import Sequence

from PIL import Image

WIDTH, HEIGHT = 595, 842


def pdf(*pages: bytes, annotations: Sequence[bytes] = (), page: bytes = b"") -> bytes:
    """A PDF whose pages have these contents; `page` is added to each page, `annotations` stand on the first."""
    first = 7
    kids = [first + 2 * number for number in range(len(pages))]
    notes = [first + 2 * len(pages) + number for number in range(len(annotations))]
    widgets = [number for number, body in zip(notes, annotations, strict=True) if b"/Widget" in body]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%s] /DA (/F1 12 Tf) >> >>" % _references(widgets),
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (_references(kids), len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        _picture(64),
        _picture(1),
        _stream(
            b"q 595 0 0 842 0 0 cm /Photo Do Q", b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] " + _RESOURCES
        ),
    ]
    for number, content in enumerate(pages):
        own = b"/Annots [%s]" % _references(notes) if notes and not number else b""
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R %s %s %s >>"
            % (WIDTH, HEIGHT, kids[number] + 1, _RESOURCES, own, page),
            _stream(content, b""),
        ]
    return _written([*objects, *annotations])


def text(*lines: str, x: int = 50, y: int = 780, leading: int = -15) -> bytes:
    """Lines below each other, or above each other with a `leading` above 0."""
    shown = b" ".join(b"(%s) Tj 0 %d Td" % (line.encode("cp1252"), leading) for line in lines)
    return b"BT /F1 12 Tf %d %d Td %s ET " % (x, y, shown)


def picture(width: int = WIDTH, height: int = HEIGHT, x: int = 0, y: int = 0, *, name: bytes = b"Photo") -> bytes:
    """A picture of that size: `Photo` of 4096 pixels, `Colour` of one, `Drawing` with a picture in it."""
    if name == b"Drawing":
        return b"q %.3f 0 0 %.3f %d %d cm /Drawing Do Q " % (width / WIDTH, height / HEIGHT, x, y)
    return b"q %d 0 0 %d %d %d cm /%s Do Q " % (width, height, x, y, name)


def entry(name: str, value: str, more: bytes = b"/FT /Tx") -> bytes:
    place = b"/Rect [50 600 200 620]"
    return b"<< /Type /Annot /Subtype /Widget /T (%s) /V (%s) %s %s >>" % (*map(_latin, (name, value)), more, place)


def note(words: str, kind: bytes = b"FreeText", more: bytes = b"") -> bytes:
    return b"<< /Type /Annot /Subtype /%s /Contents (%s) /Rect [50 300 200 320] %s >>" % (kind, _latin(words), more)


_RESOURCES = b"/Resources << /Font << /F1 3 0 R >> /XObject << /Photo 4 0 R /Colour 5 0 R /Drawing 6 0 R >> >>"


def _latin(words: str) -> bytes:
    return words.encode("latin-1")


def _references(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def _stream(content: bytes, more: bytes) -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), more, content)


def _picture(side: int) -> bytes:
    written = io.BytesIO()
    Image.new("L", (side, side), 200).save(written, "JPEG")
    kind = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode"
    return _stream(written.getvalue(), b"%s /Width %d /Height %d" % (kind, side, side))


def _written(objects: Sequence[bytes]) -> bytes:
    written, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(written)
