"""Documents that are saved where saving is releasing: they join the release of the prompts by themselves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.database.opening import open_current
from bot.knowledge.answers import DOCUMENT, Decision, accept
from bot.prompting.knowledge_lock import FILE
from bot.prompting.releases import Releases, read_current_release
from tests.paths import ROOT
from tests.processes import eventually
from tests.world import Start, World


async def _lock(world: World) -> str:
    async def nothing() -> tuple[str, ...]:
        return ()

    current = (await read_current_release(world.redis)).current
    return (await Releases(world.redis, nothing).texts(str(current)) or {}).get(FILE, "")


async def test_saving_a_document_releases_it(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts, documents = tmp_path / "prompts", tmp_path / "docs"
    shutil.copytree(ROOT / "prompts", prompts, ignore=shutil.ignore_patterns("evals"))
    documents.mkdir()
    (documents / "envios.md").write_text("# Envíos\n\nCuesta $49.\n")
    world = await start(
        PROMPTS_RELEASE="watch",
        PROMPTS_DIR=str(prompts),
        KNOWLEDGE_DIR=str(documents),
        DATABASE_URL=f"sqlite:///{tmp_path}/recado.db",
    )

    async def has(name: str) -> bool:
        return f'"{name}"' in await _lock(world)

    await eventually(lambda: has("envios.md"))
    (documents / "garantia.md").write_text("# Garantía\n\nUn año.\n")
    await eventually(lambda: has("garantia.md"))
    assert await has("envios.md")
    # So does an answer that a person accepts.
    database = await open_current(f"sqlite:///{tmp_path}/recado.db")
    await accept(database, Decision("s1", "¿Rentan un salón?", "Sí, con cita.", "eva@shop.mx"))
    await database.close()
    await eventually(lambda: has(DOCUMENT))
