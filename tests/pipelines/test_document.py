"""Documents of all programs give their text, and hostile ones do no harm."""

from collections.abc import Callable

import pytest

from pipelines import document
from pipelines.document import Pages, read_document
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import Reading
from pipelines.ocr import LocalReader

Media = Callable[[str], bytes]


async def test_the_text_of_a_pdf_is_taken_as_it_is(media: Media) -> None:
    pages = await read_document(media("documents/price_list.pdf"), filename="precios.pdf", read_text=None)
    assert pages.text.splitlines()[:4] == [
        "Lista de precios",
        "Vigente desde el 1 de noviembre de 2026",
        "Detergente líquido 3 L $35.50",
        "Suavizante de telas 1 L $28.90",
    ]
    assert (pages.pages, pages.read, pages.scanned, pages.truncated) == (1, 1, False, False)


@pytest.mark.xdist_group("ocr")
async def test_a_scanned_pdf_is_read_as_a_picture(media: Media, reader: LocalReader) -> None:
    pages = await read_document(media("documents/scanned.pdf"), filename=None, read_text=reader.read)
    assert pages == Pages(
        "Factura A-2041\nSeñora Muñoz\nTotal: $1,180.50\nVence el 15 de diciembre", 1, 1, scanned=True, truncated=False
    )


async def test_a_scanned_pdf_without_an_engine_says_that_it_is_one(media: Media) -> None:
    pages = await read_document(media("documents/scanned.pdf"), filename=None, read_text=None)
    assert pages == Pages("", 1, 0, scanned=True, truncated=True)


async def test_a_long_pdf_is_read_up_to_the_limit(media: Media) -> None:
    pages = await read_document(media("documents/forty_pages.pdf"), filename=None, read_text=None)
    assert (pages.pages, pages.read, pages.truncated) == (40, 30, True)
    assert pages.text.endswith("Página 30 del contrato")


async def test_only_some_scanned_pages_are_paid_for(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[bytes] = []

    async def read_text(jpeg: bytes) -> Reading:
        shown.append(jpeg)
        return Reading("leído")

    monkeypatch.setattr(document, "MOST_CHARACTERS", 3)
    pages = await read_document(media("documents/scanned.pdf"), filename=None, read_text=read_text)
    assert len(shown) == 1
    assert shown[0].startswith(b"\xff\xd8\xff")
    assert (pages.text, pages.truncated) == ("leí", True)


@pytest.mark.parametrize("name", ["prices_windows.csv", "prices_dos.csv", "prices_utf16.csv"])
async def test_a_table_is_read_in_the_encoding_it_was_saved_in(media: Media, name: str) -> None:
    pages = await read_document(media(f"documents/{name}"), filename=name, read_text=None)
    assert pages.text.splitlines()[:2] == ["Producto;Categoría;Precio", "Detergente líquido 3 L;Limpieza;$35.50"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("text", ["ñandú", "Señores: ¿cuánto cuesta el café?", "Total: 50"])
async def test_a_short_note_is_read_in_any_encoding_used_here(text: str, encoding: str) -> None:
    pages = await read_document(text.encode(encoding), filename="nota.txt", read_text=None)
    assert pages == Pages(text, 1, 1, scanned=False, truncated=False)


async def test_a_long_text_is_cut(media: Media) -> None:
    pages = await read_document("ñandú ".encode() * 5000, filename=None, read_text=None)
    assert (len(pages.text), pages.truncated) == (20_000, True)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("documents/encrypted.pdf", FileProblem.ENCRYPTED),
        ("documents/damaged.pdf", FileProblem.DAMAGED),
        ("documents/report.docx", FileProblem.UNREADABLE_FORMAT),
        ("documents/noise.bin", FileProblem.UNREADABLE_FORMAT),
        ("photos/label_tv_photo.jpg", FileProblem.UNREADABLE_FORMAT),
    ],
)
async def test_what_cannot_be_read_is_refused_with_its_reason(media: Media, name: str, reason: FileProblem) -> None:
    with pytest.raises(FileRefused) as refused:
        await read_document(media(name), filename=name, read_text=None)
    assert refused.value.reason is reason


async def test_a_refusal_does_not_tell_the_name_of_the_file(media: Media) -> None:
    with pytest.raises(FileRefused) as refused:
        await read_document(media("documents/report.docx"), filename="Juan Pérez despido.docx", read_text=None)
    assert str(refused.value) == "unreadable_format: office .docx"


async def test_no_bytes_blanks_and_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "LARGEST_BYTES", 10)
    for content, reason in (
        (b"", FileProblem.EMPTY),
        (b"\xef\xbb\xbf \n", FileProblem.EMPTY),
        (b"x" * 11, FileProblem.TOO_LARGE),
    ):
        with pytest.raises(FileRefused) as refused:
            await read_document(content, filename=None, read_text=None)
        assert refused.value.reason is reason


async def test_a_pdf_that_never_ends_is_given_up(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "SECONDS_A_PDF", 1)
    with pytest.raises(FileRefused) as refused:
        await read_document(media("documents/endless.pdf"), filename=None, read_text=None)
    # If the system limits memory, that runs out before the time.
    assert refused.value.reason in (FileProblem.DAMAGED, FileProblem.BOMB, FileProblem.TOO_SLOW)
