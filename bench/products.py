"""Quality and cost of product cards that the local engine reads from labelled photos: `make bench-products`."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import sqrt
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from bot.cli.progress import progress
from fixtures.products.invented import UNSEEN_SEEDS
from fixtures.products.make import Taken, made_up
from pipelines.bounding_box import BoundingBox
from pipelines.image import PhotoText, Reading, ReadText, TextLine, read_photo
from pipelines.ocr import LocalReader
from pipelines.product import CONFIDENT, ProductCard, card_of_photo_texts, same_product
from pipelines.product.vocabulary import plain

FOLDER = Path(__file__).parents[1] / "fixtures" / "products"
AIMS = {"barcode": 0.95, "price": 0.95, "currency": 0.95, "name": 0.9, "size": 0.9, "brand": 0.0}
_SECONDS = 60.0
_SPREAD = 1.96
_UNSEEN = "never looked at"


class CachedReadings:
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
        TextLine(
            line["text"], line["confidence"], BoundingBox(**line["box"]), tuple((x, y) for x, y in line["corners"])
        )
        for line in kept["lines"]
    )
    return Reading(kept["text"], lines, tuple(kept["labels"]))


def is_right(field: str, value: str, truth: dict[str, str]) -> bool:
    """Compare as a person would: ignoring case but not accents; a name may lack its brand."""
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


class CardTally:
    """Requested, right and wrong values, by field."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.sure: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.surely_wrong: Counter[str] = Counter()
        self.unasked = self.confident = self.products = 0

    def add(self, product: dict[str, Any], card: ProductCard) -> list[str]:
        """Count a card; returns its mistakes in words."""
        faults = []
        self.products += 1
        self.confident += sum(found.confident for found in card.fields.values())
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
            right, asked = self.right[field], self.asked[field]
            least, most = confidence_interval(right, asked)
            said = f"{right / (asked or 1):6.1%} ({least:.0%} to {most:.0%})  {right} of {asked}, "
            said += f"{self.sure[field] / (right or 1):.0%} of them sure, {self.wrong[field]} wrong"
            rows.append((field, said, f"≥ {aim:.0%}" if aim else ""))
        wrong = ", ".join(f"{field} {count}" for field, count in self.surely_wrong.items() if count)
        rows.append(("confident but wrong", f"{self.surely_wrong.total()} of {self.confident} {wrong}".strip(), "0"))
        rows.append(("contradictions not asked about", str(self.unasked), "0"))
        return rows


@dataclass(frozen=True, slots=True)
class PhotoCost:
    """Cost of photos: milliseconds each, and megabytes of this process and the engine's after each."""

    milliseconds: list[float]
    megabytes: list[float]


def _shown(chosen: argparse.Namespace) -> Iterator[tuple[str, Taken]]:
    """The products, with a bar on a terminal."""
    labels = 0 if chosen.only_seed else len(json.loads((FOLDER / "labels.json").read_text(encoding="utf-8")))
    with progress("reading photos of products", labels + (0 if chosen.seed is None else chosen.count)) as done:
        for product in _products(chosen):
            yield product
            done()


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.products", description=__doc__)
    parser.add_argument("--seed", type=int, help="measure made-up products of this seed as well")
    parser.add_argument("--count", type=int, default=60, help="so many of them")
    parser.add_argument("--only-seed", action="store_true", help="leave the set that is checked in out")
    parser.add_argument("--readings", type=Path, help="keep what the engine reads in this folder, and use it")
    parser.add_argument(
        "--show", action="store_true", help="list what went wrong with products that rules are made with"
    )
    parser.add_argument("--json", action="store_true", help="add the figures as JSON")
    chosen = parser.parse_args()
    reader, spent = LocalReader(seconds=_SECONDS), PhotoCost([], [])
    tallies: dict[str, CardTally] = {}
    with TemporaryDirectory() as folder:
        read = CachedReadings(chosen.readings or Path(folder), reader.read).read
        try:
            # The first photo starts the engine, which is no cost of the photo.
            await reader.read((FOLDER / "01-front.jpg").read_bytes())
            for name, taken in _shown(chosen):
                faults = tallies.setdefault(name, CardTally()).add(taken.label, await _card(taken, read, spent))
                if faults and chosen.show and not name.startswith(_UNSEEN):
                    print(next(iter(taken.photos)), taken.label["hard"], *faults, sep="\n    ")
        finally:
            await reader.close()
    print(
        f"{len(spent.milliseconds)} photos, local engine, Python {sys.version.split()[0]}, {psutil.cpu_count()} cores"
    )
    for name, tally in sorted(tallies.items()):
        print(f"\n{name}, {tally.products} products")
        for title, said, aim in tally.table():
            print(f"  {title.ljust(31)} {said.ljust(64)} {aim}")
    _print_cost(spent, kept=bool(chosen.readings))
    if chosen.json:
        print(json.dumps({name: tally.table() for name, tally in tallies.items()}))


def _products(chosen: argparse.Namespace) -> Iterator[tuple[str, Taken]]:
    """Yield each product with the name of its set."""
    if not chosen.only_seed:
        for label in json.loads((FOLDER / "labels.json").read_text(encoding="utf-8")):
            photos = {name: (FOLDER / name).read_bytes() for name in label["photos"]}
            yield f"{_UNSEEN}: held out" if label["held_out"] else "rules were made with these", Taken(photos, label)
    if chosen.seed is not None:
        name = f"{_UNSEEN}: seed" if chosen.seed >= UNSEEN_SEEDS else "rules were made with these: seed"
        for taken in made_up(chosen.seed, chosen.count):
            yield f"{name} {chosen.seed}", taken


async def _card(taken: Taken, read: ReadText, spent: PhotoCost) -> ProductCard:
    """Make the card of a product; a photo costs what a card of its own would cost."""
    photo_texts: list[PhotoText] = []
    for photo in taken.photos.values():
        began = time.perf_counter()
        photo_texts.append(await read_photo(photo, read_text=read))
        card = await card_of_photo_texts(photo_texts[-1:], read_text=read)
        spent.milliseconds.append((time.perf_counter() - began) * 1000)
        spent.megabytes.append(_megabytes())
    return card if len(photo_texts) == 1 else await card_of_photo_texts(photo_texts, read_text=read)


def _megabytes() -> float:
    """Resident memory of this process and the engine's."""
    me = psutil.Process(os.getpid())
    return sum(process.memory_info().rss for process in (me, *me.children(recursive=True))) / 2**20


def _print_cost(spent: PhotoCost, *, kept: bool) -> None:
    late = int(len(spent.milliseconds) * 0.95)
    for title, values, unit in (("a photo", spent.milliseconds, "ms"), ("memory", spent.megabytes, "MB")):
        ordered = sorted(values)
        note = " (of kept readings)" if kept and unit == "ms" else ""
        print(
            f"{title}: {median(values):.0f} {unit}, 95th percentile {ordered[late]:.0f}, most {ordered[-1]:.0f}{note}"
        )


def confidence_interval(right: int, asked: int) -> tuple[float, float]:
    """Return the interval of the true share with 95 % confidence (Wilson 1927)."""
    if not asked:
        return 0.0, 1.0
    share, spread = right / asked, _SPREAD**2 / asked
    middle = (share + spread / 2) / (1 + spread)
    half = _SPREAD / (1 + spread) * sqrt(share * (1 - share) / asked + spread / (4 * asked))
    return max(0.0, middle - half), min(1.0, middle + half)


if __name__ == "__main__":  # the engine's process imports this module again
    asyncio.run(main())
