"""Seconds of a first sync of 200 PDFs of 20 pages, and of one that changed: `python -m bench.knowledge.first_sync`."""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import runpy
import tempfile
import time
from pathlib import Path

from bot.database.opening import open_current
from bot.knowledge.embeddings import EmbeddedModel
from bot.knowledge.store import KnowledgeStore
from bot.knowledge.sync import KnowledgeSync, SyncReport

_FIXTURES = Path("fixtures/knowledge")
_LINES, _WORDS = 30, 11


def _fill(folder: Path, documents: int, pages: int) -> None:
    """Write PDFs of full pages with words of the fixtures."""
    folder.mkdir()
    pdf = runpy.run_path(str(_FIXTURES / "make.py"))["pdf"]
    texts = (path.read_text() for path in sorted((_FIXTURES / "documents").glob("*.md")))
    words = [word for text in texts for word in text.split() if word.isalpha()]
    chance = random.Random(1)
    for number in range(documents):
        filled = [[" ".join(chance.choices(words, k=_WORDS)) for _ in range(_LINES)] for _ in range(pages)]
        (folder / f"document-{number:03}.pdf").write_bytes(pdf(filled))


async def _synced(folder: Path, database_url: str, name: str) -> SyncReport:
    """Sync as the command does, and print seconds by the clock and of the processor, readers included."""
    database, embedder = await open_current(database_url), EmbeddedModel()
    began, before = time.perf_counter(), _cpu_seconds()
    report = await KnowledgeSync(KnowledgeStore(database), embedder, "es").run(folder)
    print(
        f"{name:<32}{time.perf_counter() - began:7.1f} s, {_cpu_seconds() - before:7.1f} s of CPU, "
        f"{report.read} documents read",
        flush=True,
    )
    await database.close()
    return report


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


async def _main(documents: int, pages: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name, "documents"), f"sqlite:///{name}/recado.db"
        _fill(folder, documents, pages)
        await _synced(folder, url, f"{documents} documents of {pages} pages")
        changed = folder / "document-000.pdf"
        changed.write_bytes(changed.read_bytes().replace(b"Helvetica", b"Times-Roman"))
        await _synced(folder, url, "one of them changed")
        await _synced(folder, url, "nothing changed")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.knowledge.first_sync", description=__doc__)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--pages", type=int, default=20)
    asked = parser.parse_args()
    asyncio.run(_main(asked.documents, asked.pages))


if __name__ == "__main__":
    main()
