"""Notifications to operators' phones: one when somebody waits for a person, which names nobody."""

from __future__ import annotations

from typing import Any

import pytest

from bot.database.opening import open_current
from bot.integrations.push.vapid import new_pair
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from bot.web.server import listening
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from sandbox.simulators.web_push import PushServiceSimulator
from tests.console import add_operator
from tests.outgoing import text
from tests.processes import eventually
from tests.world import Start, World

PUBLIC, PRIVATE = new_pair()
KEYS = {"VAPID_PUBLIC_KEY": PUBLIC, "VAPID_PRIVATE_KEY": PRIVATE, "VAPID_SUBJECT": "mailto:desk@example.com"}


async def test_an_operators_phone_is_told_once_that_somebody_waits(start: Start, ana: Person) -> None:
    # Workers look as often as somebody may wait.
    often = {"CONSOLE_PICKUP_MINUTES": "0.01", "PUBLIC_URL": "http://127.0.0.1", "PUSH_ALLOW_PRIVATE": "true"}
    world, service = await start(history=True, **KEYS, **often), PushServiceSimulator()
    async with listening(service.app(), "127.0.0.1", 0, finish=0.1) as service.url:
        eva, bob, sol = [await add_operator(world, name) for name in ("Eva", "Bob", "Sol")]
        key = (await eva.get("push")).body["public_key"]
        phones = [service.subscribe(key) for _ in range(3)]
        for browser, phone in zip((eva, bob, sol), phones, strict=True):
            added = await browser.post("push/subscribe", {"subscription": phone}, headers={"Accept-Language": "en"})
            assert added.status == 204
        assert (await bob.post("push/forget", {"subscription": phones[1]})).status == 204
        database = await open_current(world.settings.database.url.get_secret_value())
        await Operators(database, Passwords()).disable("sol@example.com")
        await database.close()

        world.models.will(calls(("talk_to_a_person", {"reason": "Devolución"})), says("Te escribe alguien."))
        await world.meta.writes(ana, text("quiero hablar con una persona"))
        [push] = await eventually(lambda: _pushed(service))
        assert (push["title"], push["url"][:30]) == ("Somebody waits for a person", "http://127.0.0.1/console/?c=c_")
        assert "Ana" not in str(push)
        # By then every worker has looked again.
        await world.meta.replies(ana, 2)
        assert len(service.pushes) == 1


async def _pushed(service: PushServiceSimulator) -> list[dict[str, Any]]:
    return list(service.pushes)


@pytest.mark.parametrize("endpoint", ["https://127.0.0.1/x", "http://push.example.com/x", "javascript:alert(1)"])
async def test_only_a_push_service_is_subscribed(start: Start, endpoint: str) -> None:
    world: World = await start(history=True, **KEYS)
    eva = await add_operator(world, "Eva")
    subscribe = PushServiceSimulator().subscribe(PUBLIC) | {"endpoint": endpoint}
    refused = await eva.post("push/subscribe", {"subscription": subscribe})
    assert (refused.status, refused.body["error"]["field"]) == (422, "subscription")
