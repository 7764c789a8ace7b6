"""When a worker dies after a tap, another one goes on, and the product is saved and published once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.chaos.killed_process import KilledProcess
from bench.upgraded_file import put_upgraded
from bot.products.catalogue import Catalogue
from sandbox.meta.simulator import Person
from tests.products.shelf import CODE, Open, buttons


async def test_a_worker_killed_between_saving_and_answering_saves_once(
    open_shop: Open, ana: Person, tmp_path: Path
) -> None:
    shop = await open_shop(workers=0)
    await asyncio.to_thread(put_upgraded, tmp_path / "data" / "recado.db")
    # The first turn is the photos', the second the tap's: by its end the product is saved, and nothing is answered.
    doomed = KilledProcess.start(["worker"], {}, tmp_path / "doomed.log", "turn: closing", 2)
    heir = None
    try:
        await doomed.ready()
        card = await shop.sends(ana, shop.shelf.front(), shop.shelf.tag(), shop.shelf.code())
        tap = {"type": "button_reply", "button_reply": buttons(card)[0]}
        await shop.world.meta.writes(ana, {"type": "interactive", "interactive": tap})
        await doomed.ended()
        assert doomed.died_there
        assert [product.fields["barcode"] async for product in Catalogue(shop.world.redis).all()] == [CODE]
        heir = KilledProcess.start(["worker"], {}, tmp_path / "heir.log")
        (reply,) = (await shop.after(ana, 1))[-1:]
    finally:
        for process in filter(None, (doomed, heir)):
            process.tell_to_stop()
            await process.ended()
    assert reply.text.startswith("✅ Guardado en el catálogo")
    (product,) = [product async for product in Catalogue(shop.world.redis).all()]
    assert product.version == 1
    assert len(await Catalogue(shop.world.redis).history(product.id)) == 1
    assert len({event["id"] for event in await shop.captured()}) == 1
