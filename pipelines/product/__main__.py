"""`python -m pipelines.product PHOTO…`: the card of one product as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from pipelines.errors import FileRefused
from pipelines.ocr import EngineMissing, LocalReader
from pipelines.product import card_of


async def _printed(names: list[str]) -> int:
    """Return 0, 1 where a photo can't be read, 2 for wrong use."""
    if not names or any(name.startswith("-") for name in names):
        print("usage: python -m pipelines.product PHOTO…", file=sys.stderr)  # noqa: T201 -- a command's output
        return 0 if names in (["--help"], ["-h"]) else 2
    reader = LocalReader()
    try:
        photos = [await asyncio.to_thread(Path(name).read_bytes) for name in names]
        card = await card_of(photos, read_text=reader.read)
    except (OSError, FileRefused, EngineMissing) as error:
        print(f"pipelines.product: {error}", file=sys.stderr)  # noqa: T201 -- as above
        return 1
    finally:
        await reader.close()
    print(json.dumps(card.as_json(), ensure_ascii=False, indent=2))  # noqa: T201 -- as above
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_printed(sys.argv[1:])))
