"""`make bench-products`: how well cards are read from the labelled photos by the local engine, at what cost.

`--readings FOLDER` keeps what the engine read, so that rules can be tried again at once; `--show` lists what went wrong
among the products that aren't held out; `--json` adds the figures as JSON.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from pipelines.box import Box
from pipelines.image import Line, Reading, ReadText, Sight, look
from pipelines.ocr import LocalReader
from pipelines.product import CONFIDENT, ProductCard, card_of_sights, same_product
from pipelines.product.words import plain

FOLDER = Path(__file__).parents[1] / "fixtures" / "products"
AIMS = {"barcode": 0.95, "price": 0.95, "currency": 0.95, "name": 0.9, "size": 0.9, "brand": 0.0}
_SECONDS = 60.0


class Kept:
    """Readings by the hash of their photo, in a folder."""

    def __init__(self, folder: Path, read: ReadText) -> None:
        self._folder = folder
        self._read = read
        folder.mkdir(parents=True, exist_ok=True)

    async def read(self, jpeg: bytes) -> Reading:
        place = self._folder / f"{hashlib.sha256(jpeg).hexdigest()}.json"
        if not place.exists():
            place.write_text(json.dumps(asdict(await self._read(jpeg))), encoding="utf-8")
        return reading_from(json.loads(place.read_text(encoding="utf-8")))


def reading_from(kept: dict[str, Any]) -> Reading:
    lines = tuple(
        Line(line["text"], line["confidence"], Box(**line["box"]), tuple((x, y) for x, y in line["corners"]))
        for line in kept["lines"]
    )
    return Reading(kept["text"], lines, tuple(kept["labels"]))


def is_right(field: str, value: str, truth: dict[str, str]) -> bool:
    """Compare as a person would: letters in any case but with their accents, a name with or without its brand."""
    wanted = truth.get(field, "")
    if field == "barcode":
        return same_product(value, wanted)
    if field == "price":
        return bool(wanted) and Decimal(value) == Decimal(wanted)
    if field == "name":
        brand = {plain(word) for word in truth.get("brand", "").split()}
        said = [
            word for word in value.casefold().split() if plain(word) not in brand - {plain(w) for w in wanted.split()}
        ]
        return " ".join(said) == wanted.casefold()
    return value.casefold() == wanted.casefold()


class Tally:
    """What was asked, right and wrong, by field."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.sure: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.surely_wrong: Counter[str] = Counter()
        self.unasked = 0

    def add(self, product: dict[str, Any], card: ProductCard) -> list[str]:
        """Count a card; returns what is wrong with it, in words."""
        faults = []
        truth, ask = product["truth"], product["ask"]
        for field in AIMS:
            found = card.fields.get(field)
            if field in truth and field not in ask:
                right = bool(found and is_right(field, found.value, truth))
                self.asked[field] += 1
                self.right[field] += right
                self.sure[field] += bool(right and found and found.confident)
                if not right:
                    faults.append(f"{field}: {found.value if found else None!r} for {truth[field]!r}")
            if found is None or (field == "brand" and field not in truth):
                continue
            wrong = field in ask or (field in {*truth, "barcode", "price"} and not is_right(field, found.value, truth))
            self.wrong[field] += wrong and field not in ask
            if wrong and found.confidence >= CONFIDENT:
                self.surely_wrong[field] += 1
                faults.append(f"SURE of {field}: {found.value!r} ({found.confidence:.2f})")
        asked = {doubt.field for doubt in card.doubts}
        unasked = [name for name in ask if name not in asked]
        self.unasked += len(unasked)
        return faults + [f"{name} wasn't asked" for name in unasked]

    def table(self) -> list[tuple[str, str, str]]:
        rows = []
        for field, aim in AIMS.items():
            share = self.right[field] / (self.asked[field] or 1)
            sure = f"{self.sure[field]} surely"
            said = f"{share:6.1%}  {self.right[field]} of {self.asked[field]}, {sure}, {self.wrong[field]} wrong"
            rows.append((field, said, f"≥ {aim:.0%}" if aim else ""))
        rows.append(("confident but wrong", str(self.surely_wrong.total()), "0"))
        rows.append(("contradictions not asked about", str(self.unasked), "0"))
        return rows


async def main() -> None:
    products = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    reader = LocalReader(seconds=_SECONDS)
    read: ReadText = reader.read
    kept = sys.argv[sys.argv.index("--readings") + 1] if "--readings" in sys.argv else None
    if kept:
        read = Kept(Path(kept), reader.read).read
    tallies = {False: Tally(), True: Tally()}
    spent: list[float] = []
    held: list[float] = []
    try:
        # The first photo starts the engine, once: it isn't a photo's cost.
        await reader.read((FOLDER / products[0]["photos"][0]).read_bytes()) if not kept else None
        for product in products:
            sights: list[Sight] = []
            for name in product["photos"]:
                began = time.perf_counter()
                sights.append(await look((FOLDER / name).read_bytes(), read_text=read))
                card = await card_of_sights(sights[-1:], read_text=read)
                spent.append((time.perf_counter() - began) * 1000)
                held.append(_megabytes())
            if len(sights) > 1:
                card = await card_of_sights(sights, read_text=read)
            faults = tallies[product["held_out"]].add(product, card)
            if faults and "--show" in sys.argv and not product["held_out"]:
                print(product["photos"][0], product["hard"], *faults, sep="\n    ")
    finally:
        await reader.close()
    _print(tallies, spent, held, len(products), kept=bool(kept))


def _megabytes() -> float:
    """Resident memory of this process and the engine's."""
    me = psutil.Process(os.getpid())
    return sum(process.memory_info().rss for process in (me, *me.children(recursive=True))) / 2**20


def _print(tallies: dict[bool, Tally], spent: list[float], held: list[float], count: int, *, kept: bool) -> None:
    print(f"{count} products, {len(spent)} photos, local engine")
    print(f"Python {sys.version.split()[0]}, {psutil.cpu_count()} cores")
    for held_out, tally in tallies.items():
        print("\nheld out" if held_out else "\ntuned on")
        for name, said, aim in tally.table():
            print(f"  {name.ljust(31)} {said.ljust(50)} {aim}")
    late = int(len(spent) * 0.95)
    print(
        f"\na photo: {median(spent):.0f} ms, 95th percentile {sorted(spent)[late]:.0f} ms"
        + (" (kept readings)" if kept else "")
    )
    print(f"memory with the engine: {median(held):.0f} MB, 95th percentile {sorted(held)[late]:.0f} MB")
    if "--json" in sys.argv:
        print(json.dumps({("held_out" if key else "tuned"): tally.table() for key, tally in tallies.items()}))


if __name__ == "__main__":  # the engine's process imports this module anew
    asyncio.run(main())
