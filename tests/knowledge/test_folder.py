"""`recado knowledge`: a folder is checked, brought into the database once for each content, listed and searched."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.database.opening import open_current
from bot.knowledge.answers import Decision, accept
from bot.knowledge.folder import FolderReader, list_folder
from bot.knowledge.tables import DOCUMENTS
from tests.processes import Ended, recado, recado_here

pytestmark = pytest.mark.xdist_group("knowledge")

FILES = {
    "devoluciones.md": "# Devoluciones\n\n## Plazo\nTienes 30 días para devolver, con el ticket.\n",
    "envios.csv": "Zona;Costo\nCentro;$49\nNorte;$79\n",
    "personal/caja.md": "---\naudience: staff\n---\n# Caja\nEl fondo fijo de la caja es de $2,500.\n",
    "questions.md": "## ¿Venden gas?\n## ¿Rellenan tanques?\nNo vendemos gas.\n",
    "verano.md": "---\nvalid_until: 2020-08-31\n---\n# Verano\nAlbercas a mitad de precio.\n",
}
BAD = {
    "contrato.docx": b"PK\x03\x04 no",
    "notas.pptx": b"?",
    "secreto.md": b"---\naudence: staff\n---\nEl margen es de 40%.\n",
    "vacio.txt": b"  \n",
    "z\x1b[2J\n.md": b"# Limpia la pantalla\n",
    os.fsdecode(b"\xff.md"): b"# Sin nombre\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "docs"
    for name, content in {**{name: text.encode() for name, text in FILES.items()}, **BAD}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    monkeypatch.setenv("KNOWLEDGE_DIR", str(folder))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/recado.db")
    return folder


async def knowledge(*command: str) -> Ended:
    return await recado_here("knowledge", *command)


async def found(question: str, *options: str) -> list[dict[str, Any]]:
    ended = await knowledge("search", question, "--format", "json", *options)
    assert ended.code == 0, ended.err
    hits: list[dict[str, Any]] = json.loads(ended.out)
    return hits


async def test_a_bad_file_is_named_with_its_reason_and_takes_no_good_one_with_it(folder: Path) -> None:
    checked = await recado("knowledge", "check")
    assert checked.code == 1
    assert [
        line.partition(" (")[0].partition("; there")[0].partition("; rename")[0] for line in checked.out.splitlines()
    ] == [
        "notas.pptx: a format that isn't read",
        "z\ufffd[2J\ufffd.md: its name has signs that can't be shown",
        "\ufffd.md: its name has signs that can't be shown",
        "contrato.docx: isn't what its name says",
        "secreto.md: line 2: unknown key 'audence'; is audience meant?",
        "vacio.txt: holds no text",
    ]
    synced = await recado("knowledge", "sync", "--format", "json")
    assert (synced.code, json.loads(synced.out)["documents"]) == (0, sorted(FILES))
    (best, *_) = await found("kuanto tiempo tengo pa debolver con tiket")
    assert best["text"] == "Devoluciones › Plazo\nTienes 30 días para devolver, con el ticket."
    assert (best["source"], best["location"]) == ("devoluciones.md", "Devoluciones › Plazo")
    assert 0.3 < best["score"] < 1
    scores = [hit["score"] for hit in await found("¿qué más?", "--staff", "--limit", "50")]
    assert scores == sorted(scores, reverse=True)
    assert (await knowledge("search", "  ")).code == 2
    # For people the place names the heading, which isn't repeated below it; lists have a head.
    shown = (await recado("knowledge", "search", "¿cuánto tiempo tengo para devolver?")).out
    assert shown.count("Devoluciones › Plazo") == 1
    assert (await recado("knowledge", "list")).out.split()[:4] == ["document", "language", "for", "passages"]
    assert {hit["source"] for hit in await found("¿de cuánto es el fondo de la caja?")}.isdisjoint({"personal/caja.md"})
    assert (await found("¿de cuánto es el fondo de la caja?", "--staff"))[0]["source"] == "personal/caja.md"


FOR_STAFF = {
    "lines_above.md": "\n \n---\naudience: staff\n---\nLa clave azul.\n",
    "beside.md": "La clave azul.\n",
    "beside.md.yml": "audience: staff\n",
    "capitals.txt": "La clave azul.\n",
    "capitals.txt.YAML": "audience: staff\n",
    "both.md": "---\naudience: staff\n---\nLa clave azul.\n",
    "both.md.yaml": "title: Clave\n",
    "empty.md": "---\naudience: staff\n---\nLa clave azul.\n",
    "empty.md.yaml": "",
}


async def test_a_document_for_staff_is_shown_to_no_customer_however_it_says_so(tmp_path: Path) -> None:
    for name, text in FOR_STAFF.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "open.md").write_text("---\naudience: staff\n\nLa clave azul.\n")
    (tmp_path / "line.md").write_text("---\nHorario: de nueve a seis.\n")
    reader, listed = FolderReader("es"), list_folder(tmp_path)
    found = {source.name: await reader.read(source) for source in listed.files}
    shown = {name: document.audience for name, (document, _) in found.items() if document is not None}
    assert shown == dict.fromkeys(FOR_STAFF.keys() & shown.keys(), "staff") | {"line.md": "customer"}
    assert len(shown) == 6
    assert [str(finding) for finding in found["open.md"][1]] == [
        "open.md: line 1: front matter without the line --- at its end"
    ]
    assert not listed.findings


MEANT_FOR_STAFF = {
    "role.md": "---\nrole: staff\n---\nLa clave azul.\n",
    "private.md": "---\nsolo_personal: true\n---\nLa clave azul.\n",
    "twice.md": "---\naudience: staff\naudience: customer\n---\nLa clave azul.\n",
    "long_lines.md": "----\naudience: staff\n----\nLa clave azul.\n",
    "no_lines.md": "Audiencia: personal\n\nLa clave azul.\n",
    "code.md": "```\naudience: staff\n```\nLa clave azul.\n",
    "page.html": '<meta name="audience" content="staff"><p>La clave azul.</p>',
    "rows.csv": "---\naudience: staff\n---\nclave,color\nuno,azul\n",
    "short.csv": "clave,color\nuno,azul\n",
    "short.yml": "audience: staff\n",
}


async def test_a_document_that_is_meant_for_staff_is_left_out_where_that_stands_wrong(tmp_path: Path) -> None:
    for name, text in MEANT_FOR_STAFF.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "public.html").write_text('<meta name="audience" content="all"><p>Abrimos a las nueve.</p>')
    reader, listed = FolderReader("es"), list_folder(tmp_path)
    found = {source.name: await reader.read(source) for source in listed.files}
    await reader.close()
    assert [name for name, (document, _) in found.items() if document is not None] == ["public.html"]
    assert all(finding.is_error for _, wrong in found.values() for finding in wrong)
    assert next(str(finding) for finding in listed.findings) == (
        "short.csv: are its facts in short.yml? Name them short.csv.yml"
    )


async def test_a_text_without_any_space_is_read_in_seconds(tmp_path: Path) -> None:
    (tmp_path / "word.txt").write_text("a" * 300_000)
    reader, listed = FolderReader("es"), list_folder(tmp_path)
    (document, _) = await reader.read(listed.files[0])
    await reader.close()
    assert document is not None
    assert sum(len(passage.text) for passage in document.passages) == 300_000


async def test_a_document_goes_by_its_own_heading_or_else_by_its_file(tmp_path: Path) -> None:
    titles = {
        "garantia.md": ("# Garantía y devoluciones\n\nTreinta días.\n", "Garantía y devoluciones"),
        "pagos.md": ("---\ntitle: Pagos\n---\n# Política de pagos\n\nCon tarjeta.\n", "Pagos"),
        "zona_norte.md": ("## Entregas\n\nLos lunes.\n", "zona norte"),
        "questions.md": ("# ¿Abren?\nSí, de lunes a viernes.\n", "questions"),
    }
    for name, (text, _) in titles.items():
        (tmp_path / name).write_text(text)
    reader = FolderReader("es")
    found = [(await reader.read(source))[0] for source in list_folder(tmp_path).files]
    await reader.close()
    assert {document.name: document.title for document in found if document} == {
        name: title for name, (_, title) in titles.items()
    }


async def test_a_changed_file_alone_is_read_again_and_accepted_answers_join(folder: Path) -> None:
    for name in BAD:
        (folder / name).unlink()
    first = json.loads((await knowledge("sync", "--format", "json")).out)
    (folder / "envios.csv").write_text("Zona;Costo\nCentro;$55\n")
    database = await open_current(f"sqlite:///{folder.parent}/recado.db")
    await accept(database, Decision("s1", "¿Tienen estacionamiento?", "Sí, gratis.", "ana@shop.mx"))
    second = json.loads((await knowledge("sync", "--format", "json")).out)
    assert (first["new"], second["new"]) == (5, 1)
    assert second["documents"] == [*sorted([*FILES, "accepted answers"])]
    assert first["set"] != second["set"]
    async with database.reading() as connection:
        kept = (await connection.execute(select(DOCUMENTS.c.name).where(DOCUMENTS.c.name == "envios.csv"))).all()
    await database.close()
    # The earlier content stays for the releases that name it.
    assert len(kept) == 2
    (best, *_) = await found("ay donde estacionarse? tienen estacionamiento")
    assert best["text"] == "¿Tienen estacionamiento?\nSí, gratis."
