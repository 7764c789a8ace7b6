"""A page gives all visible text: printed words, form entries, notes, and words in pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
import pytest

from pipelines import pdf_page
from pipelines.document import read_document
from pipelines.image import Reading
from tests.pipelines.papers import HEIGHT, entry, note, pdf, picture, text
from tests.rows import each

STAMP = text("Escaneado con CamScanner", y=20)
LETTER = text(*("Estimada señora Muñoz, le mandamos su estado de cuenta." for _ in range(8)))
SIDEWAYS = b"q 0 1 -1 0 842 0 cm %s Q"
TURNED = b"BT /F1 12 Tf 0 1 -1 0 100 100 Tm (Escaneado) Tj ET"


@contextmanager
def first_page(document: bytes) -> Iterator[tuple[Any, Any]]:
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()
    try:
        page = opened[0]
        yield page, page.get_textpage()
    finally:
        opened.close()


@each(
    ("content", "more", "expected"),
    [
        pytest.param(picture() + STAMP, b"", True, id="scan with a stamp"),
        pytest.param(picture(), b"", True, id="scan"),
        pytest.param(picture(595, 640, 0, 100) + STAMP, b"", True, id="scan with margins"),
        pytest.param(picture() + TURNED, b"/Rotate 90", True, id="scan on its side"),
        pytest.param(picture(1190, 1684) + STAMP, b"", True, id="scan larger than its page"),
        pytest.param(b"".join(picture(595, 50, 0, 50 * strip) for strip in range(17)), b"", True, id="scan in strips"),
        pytest.param(picture(name=b"Drawing") + STAMP, b"", True, id="scan within a drawing"),
        pytest.param(picture(595, 430) + LETTER, b"", True, id="scan under a letter"),
        pytest.param(LETTER, b"", False, id="letter"),
        pytest.param(picture(120, 60, 50, 750) + text("Recibo 12", y=400), b"", False, id="logo"),
        pytest.param(picture(120, 60, name=b"Drawing") + STAMP, b"", False, id="logo within a drawing"),
        pytest.param(picture(595, HEIGHT, 700) + STAMP, b"", False, id="picture beside its page"),
        pytest.param(picture(name=b"Colour") + STAMP, b"", False, id="colour behind a page"),
        pytest.param(picture() + LETTER, b"", False, id="scan that was read before"),
    ],
)
def test_a_page_is_a_picture_by_how_much_of_it_is_one(content: bytes, more: bytes, expected: bool) -> None:  # noqa: FBT001 -- a column
    with first_page(pdf(content, page=more)) as (page, textpage):
        assert pdf_page.is_picture(page, textpage) is expected


@each(
    ("content", "more", "printed"),
    [
        (text("La factu-", "ración del mes"), b"", "La facturación del mes"),
        (text("CLAVE-", "0042 y REF-", "B7"), b"", "CLAVE-0042 y REF-B7"),
        (text("entrega", "hoy\xa0mismo"), b"", "entrega\nhoy mismo"),
        (text("primera", "segunda", "tercera"), b"", "primera\nsegunda\ntercera"),
        (text("tercera", "segunda", "primera", y=400, leading=20), b"", "primera\nsegunda\ntercera"),
        (text("izquierda", "abajo") + text("derecha", "abajo", x=300), b"", "izquierda\nabajo\nderecha\nabajo"),
        (
            SIDEWAYS % text("Jabón 42.00 7", "Café 119.00 3", "Pan 9.00 1"),
            b"/Rotate 90",
            "Jabón 42.00 7\nCafé 119.00 3\nPan 9.00 1",
        ),
        (
            SIDEWAYS % text("Jabón 42.00 7", "Café 119.00 3", "Pan 9.00 1"),
            b"",
            "Jabón 42.00 7\nCafé 119.00 3\nPan 9.00 1",
        ),
        (text("de cabeza", "segunda"), b"/Rotate 180", "de cabeza\nsegunda"),
    ],
)
def test_printed_words_come_in_order_and_whole(content: bytes, more: bytes, printed: str) -> None:
    with first_page(pdf(content, page=more)) as (page, textpage):
        assert pdf_page.text_of(page, textpage) == printed


CHOICE = b"/FT /Ch /Ff 131072 /Opt [[(b) (B\xe1sico)] [(p) (Pro)]]"
BOX = b"/FT /Btn /AS /Yes /AP << /N << /Yes 4 0 R /Off 4 0 R >> >>"


@each(
    ("annotation", "words"),
    [
        (entry("Nombre", "Ana Muñoz"), ["Nombre: Ana Muñoz"]),
        (entry("form1[0].#subform[0].RFC[0]", "MUAA800101AB1"), ["RFC: MUAA800101AB1"]),
        (entry("t1", "Av. Juárez 1", b"/FT /Tx /TU (Calle y n\xfamero)"), ["Calle y número: Av. Juárez 1"]),
        (entry("Notas", "una\rdos\u200b".replace("\u200b", ""), b"/FT /Tx /Ff 4096"), ["Notas: una dos"]),
        (entry("Plan", "p", CHOICE), ["Plan: Pro"]),
        (entry("Acepto", "Yes", BOX.replace(b"/V", b"")).replace(b"/V (Yes)", b"/V /Yes"), ["Acepto: ✓"]),
        (entry("Acepto", "Off", BOX.replace(b"/AS /Yes", b"/AS /Off")).replace(b"/V (Off)", b"/V /Off"), []),
        (entry("Vacío", ""), []),
        (entry("Clave", "secreta", b"/FT /Tx /Ff 8192"), []),
        (note("Pagado el 3 de mayo"), ["Pagado el 3 de mayo"]),
        (note("¿Está bien este total?", b"Text"), ["¿Está bien este total?"]),
        (note("cambiar esto", b"Highlight"), ["cambiar esto"]),
        (note("escondida", more=b"/F 2"), []),
    ],
)
def test_entries_of_a_form_and_notes_are_read(annotation: bytes, words: list[str]) -> None:
    with first_page(pdf(text("Solicitud"), annotations=[annotation])) as (page, _):
        assert list(pdf_page.entries_of(page)) == words


async def test_pages_of_a_mixed_document_are_read_each_in_its_way() -> None:
    shown: list[bytes] = []

    async def read_text(jpeg: bytes) -> Reading:
        shown.append(jpeg)
        return Reading("Factura A-2041\nEscaneado con CamScanner")

    document = pdf(LETTER, picture() + STAMP, picture(595, 400) + LETTER, annotations=[entry("Nombre", "Ana")])
    pages = await read_document(document, filename=None, read_text=read_text)
    letter = "\n".join(["Estimada señora Muñoz, le mandamos su estado de cuenta."] * 8)
    scan = "Factura A-2041\nEscaneado con CamScanner"
    assert pages.text == f"{letter}\nNombre: Ana\n\n{scan}\n\n{letter}"
    assert (len(shown), pages.read, pages.scanned, pages.truncated) == (1, 3, True, False)


async def test_a_scan_that_nobody_can_read_leaves_the_words_on_it() -> None:
    pages = await read_document(pdf(picture() + STAMP), filename=None, read_text=None)
    assert (pages.text, pages.read, pages.scanned) == ("Escaneado con CamScanner", 0, True)
