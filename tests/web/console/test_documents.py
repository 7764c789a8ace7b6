"""The documents in the console: what customers get, what waits, and suggestions that a person accepts or rejects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.conversations.contacts import Contact
from bot.knowledge.gaps import KnowledgeGaps
from tests.console import add_operator
from tests.processes import recado, recado_here
from tests.world import Start, World

pytestmark = pytest.mark.xdist_group("knowledge")

WRONG_USE = 2
SOMEBODY = f"c_{'a' * 20}"


@pytest.fixture
async def world(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "envios.md").write_text("# Envíos\n\nLa entrega exprés cuesta $120.\n")
    (folder / "margen.md").write_text("---\naudience: staff\nvalid_until: 2030-01-31\n---\n# Margen\n\nEs de 22%.\n")
    (folder / "roto.pdf").write_bytes(b"no PDF at all")
    monkeypatch.setenv("KNOWLEDGE_DIR", str(folder))
    return await start(workers=0)


async def published(*_: Any) -> None:
    """Publish nothing."""


async def done(*command: str) -> None:
    ran = await recado_here(*command)
    assert ran.code == 0, ran.err


async def evaluated(case: str) -> dict[str, str]:
    """State of a case with the documents that the next release names; none where there is no such case."""
    ran = await recado("prompts", "eval", case, "--format", "json")
    if ran.code == WRONG_USE:
        return {}
    return {outcome["case"]: outcome["state"] for outcome in json.loads(ran.out)["outcomes"]}


async def asked(world: World, *questions: str) -> None:
    gaps = KnowledgeGaps(world.redis, published)
    for number, question in enumerate(questions):
        await gaps.note(SOMEBODY, Contact(phone="5215512345678", name="Ana"), question, "es", f"t_{number}")


async def test_an_accepted_answer_is_in_the_next_sync_and_then_released(world: World) -> None:
    sol = await add_operator(world, "Sol", "supervisor")
    assert (await sol.get("documents")).body == {"synced_at": None, "documents": [], "problems": [], "next": None}
    await done("knowledge", "sync")
    await done("prompts", "release")
    await asked(world, "¿Tienen estacionamiento? Soy Ana", "hay estacionamiento", "¿Aceptan bitcoin?")
    parking, bitcoin = (await sol.get("suggestions")).body["suggestions"]
    assert (parking["times"], parking["origins"]) == (2, {"gap": 2})
    assert {question["question"] for question in parking["asked"]} == {
        "¿Tienen estacionamiento? Soy …",
        "hay estacionamiento",
    }
    assert {question["conversation"] for question in parking["asked"]} == {SOMEBODY}

    edited = {"question": "¿Tienen estacionamiento?", "answer": "Sí, para 20 autos."}
    assert (await sol.post(f"suggestions/{parking['id']}/accept", edited)).status == 200
    assert (await sol.post(f"suggestions/{bitcoin['id']}/reject")).status == 200
    left = (await sol.get("suggestions")).body
    assert left["suggestions"] == []
    assert [(message["question"], message["answer"], message["by"]) for message in left["accepted"]] == [
        ("¿Tienen estacionamiento?", "Sí, para 20 autos.", "sol@example.com")
    ]
    case = f"answer-{parking['id']}"
    assert [(message["case"], message["released"]) for message in left["accepted"]] == [(case, False)]
    entries = (await sol.get("audit?who=sol@example.com")).body["entries"]
    assert [(entry["action"], entry["object"]) for entry in entries][:2] == [
        ("suggestion_rejected", bitcoin["id"]),
        ("suggestion_accepted", parking["id"]),
    ]

    await done("knowledge", "sync")
    assert [(document["name"], document["state"]) for document in (await sol.get("documents")).body["documents"]] == [
        ("accepted answers", "new"),
        ("envios.md", "released"),
        ("margen.md", "released"),
    ]
    assert await evaluated(case) == {case: "passed"}
    await done("prompts", "release")
    assert [message["released"] for message in (await sol.get("suggestions")).body["accepted"]] == [True]
    found = (await sol.get("documents?limit=2")).body
    assert [document["state"] for document in found["documents"]] == ["released", "released"]
    assert found["next"] == "envios.md"
    [problem] = found["problems"]
    assert (problem["file"], problem["error"]) == ("roto.pdf", True)
    assert problem["said"]["es"]["problem"].startswith("no es lo que dice su nombre")
    (line,) = [line for line in (await recado("doctor")).out.splitlines() if "roto.pdf" in line]
    assert line.startswith("✗ Documents")
    [margin] = (await sol.get("documents?after=envios.md")).body["documents"]
    assert (margin["audience"], margin["valid_until"], margin["passages"]) == ("staff", "2030-01-31", 1)

    # An answer that was accepted by mistake is withdrawn.
    assert (await sol.post(f"suggestions/{parking['id']}/reject")).status == 200
    assert (await sol.get("suggestions")).body == {"suggestions": [], "accepted": []}
    await done("knowledge", "sync")
    assert await evaluated(case) == {}
