"""Trust: what may be spent and was, who wants no marketing, and product cards that wait for somebody to check them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from redis.asyncio import Redis

from bot.infra.redis import answer, key
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.simulators.vision import VisionSimulator
from tests.console import Browser, add_operator, program
from tests.outgoing import acquainted, text
from tests.processes import eventually
from tests.products.shelf import Shelf
from tests.world import Start, World


async def test_a_supervisor_sees_what_today_has_cost(world: World, ana: Person) -> None:
    conversation, sol = await acquainted(world, ana), await add_operator(world, "Sol", "supervisor")

    async def noted() -> dict[str, Any]:
        found: dict[str, Any] = (await sol.get("budget")).body
        return found if found["contacts"] else {}

    budget = await eventually(noted)
    assert (budget["limit_usd"], budget["contact_limit_usd"], budget["when_spent"]) == (50.0, 0.5, "answer")
    assert budget["spent_usd"] > 0
    assert [kind["name"] for kind in budget["kinds"]] == ["turns", "whatsapp", "other"]
    assert sum(kind["usd"] for kind in budget["kinds"]) == pytest.approx(budget["spent_usd"])
    [dearest] = budget["contacts"]
    assert (dearest["conversation"], dearest["contact"]["name"]) == (conversation, "Ana")
    assert dearest["spent_usd"] == pytest.approx(budget["spent_usd"])


async def _is_listed(world: World, conversation: str) -> bool:
    return await world.redis.zscore("recado:opted-out", conversation) is not None


async def opted_out(browser: Browser, words: str = "") -> list[str]:
    page = (await browser.get(f"opt-outs?q={words}")).body
    return [opt_out["contact"]["name"] for opt_out in page["opt_outs"]]


async def test_who_wants_no_marketing_is_found_by_name_and_phone(world: World, ana: Person) -> None:
    conversation, client = await acquainted(world, ana), program(world)
    eva = Person(phone="5215500000077", bsuid="MX.8800000000000077", name="Évá")
    other = await acquainted(world, eva)
    # An objection of before there was a list, which a worker's start takes in.
    record = {"marketing_opt_out": "1", "marketing_at": "1760000000"}
    await answer(world.redis.hset(key(other, "contact"), mapping=record))
    await world.redis.delete("recado:opted-out:complete")
    async with running(world.settings, ("email",), history=False):
        await eventually(lambda: _is_listed(world, other))
    await world.meta.writes(ana, text("baja"))
    await world.meta.replies(ana)
    assert await opted_out(client) == ["Ana", "Évá"]
    assert await opted_out(client, "eva") == ["Évá"]
    assert await opted_out(client, str(ana.phone)[-6:]) == ["Ana"]
    # Meta's times have whole seconds, and a choice of the same second is no later one.
    await answer(world.redis.hset(key(conversation, "contact"), "marketing_at", "1770000000"))
    await world.meta.writes(ana, text("alta"))
    await world.meta.replies(ana, 2)
    assert await opted_out(client) == ["Évá"]
    assert (await client.post(f"conversations/{other}/erase", {})).status == 200
    assert await opted_out(client) == []
    assert (await client.get(f"conversations/{conversation}/contact")).body["contact"]["opted_out"] is False


async def test_a_product_card_is_checked_against_its_photo(start: Start, ana: Person, tmp_path: Path) -> None:
    shelf = Shelf()
    vision = VisionSimulator(shelf)
    settings = {"GOOGLE_VISION_ENDPOINT": await vision.start(), "STAFF_CONTACTS": str(ana.phone)}
    try:
        world = await start(STORAGE_DIR=str(tmp_path / "files"), TURN_QUIET_SECONDS="0.2", **settings)
        for photo in (shelf.front(), shelf.tag()):
            await world.meta.sends_media(ana, "image", photo, "image/jpeg")
        await world.meta.replies(ana)
        client = program(world)
        [card] = await eventually(lambda: _cards(client))
        fields = {field["name"]: field for field in card["fields"]}
        assert (fields["name"]["value"], fields["price"]["value"]) == ("Detergente líquido", "35.50")
        picture = await client.get(fields["price"]["picture"].removeprefix("/console/api/"))
        assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
        with Image.open(io.BytesIO(picture.body)) as shown:
            assert shown.width > shown.height
        await _forget_photos(world.redis, card)
        assert [field["picture"] for field in (await _cards(client))[0]["fields"]] == [None] * len(fields)
        assert (await client.get(fields["price"]["picture"].removeprefix("/console/api/"))).status == 404
    finally:
        await vision.stop()


async def _cards(browser: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await browser.get("product-cards")).body["cards"]
    return found


async def _forget_photos(redis: Redis, card: dict[str, Any]) -> None:
    """Forget the photos of a card, as happens after an hour."""
    await answer(redis.delete(key(card["conversation"], "draft", card["draft"], "sights")))
