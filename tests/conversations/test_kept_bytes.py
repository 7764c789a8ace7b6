"""A contact takes little room in Redis, and what earlier versions of Recado stored of one is read all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from redis.asyncio import Redis

from bench.kept_bytes import AIM, MESSAGES, measured
from bot.conversations import quotable
from bot.conversations.inbox import Inbox
from bot.conversations.ledger import Ledger
from bot.conversations.memory import HistoryEntry, Memory
from bot.delivery.statuses import DeliveryStatuses, delivery
from bot.infra.live_events import LiveEvents
from bot.infra.queries import ask
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound, Status, Text
from bot.settings import MemorySettings
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.notifications import settled
from tests.outgoing import text
from tests.world import World

ANA = "c_0123456789abcdef0123"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MONTH = 30 * 86400


async def test_six_answered_messages_take_less_room_than_promised(world: World, ana: Person) -> None:
    for number, words in enumerate(MESSAGES, 1):
        world.models.will(says(f"Con gusto: respuesta {number} a lo que preguntas."))
        await world.meta.writes(ana, text(words))
        await world.meta.replies(ana, number)
    await settled(world)
    found = await measured(world.redis)
    assert found.bytes["{c}:memory"] > 0
    assert found.total <= AIM, found.bytes
    assert found.keys["{c}:said:*"] <= 2, "a hash for each month"


async def test_a_message_that_an_earlier_version_stored_is_known_and_ends_once(redis: Redis) -> None:
    old = {"state": "answered", "type": "text", "received_at": NOON.isoformat(), "turn": "t_0123456789ab"}
    await redis.set("recado:identity:MX.1", ANA)
    await answer(redis.hset(key(ANA, "ledger"), "wamid.1", json.dumps(old)))
    again = Inbound(id="wamid.1", bsuid="MX.1", sent_at=NOON, received_at=NOON, content=Text(body="hola"))
    inbox = Inbox(redis, lambda *_: None)
    assert await inbox.accept([again, again.model_copy(update={"id": "wamid.2"})]) == [False, True]
    entries = await Ledger(redis).of(ANA)
    assert {wamid: entries[wamid]["state"] for wamid in ("wamid.1", "wamid.2")} == {
        "wamid.1": "answered",
        "wamid.2": "open",
    }


async def test_what_an_earlier_version_remembers_can_be_edited_quoted_and_deleted(redis: Redis) -> None:
    memory = Memory(redis, MemorySettings())
    lines = [HistoryEntry(role="user", text=f"mensaje {n}", at=NOON, wamid=f"wamid.{n}") for n in (1, 2)]
    await answer(redis.rpush(key(ANA, "memory"), lines[0].model_dump_json(), lines[1].stored))
    await redis.set(key(ANA, "said", "wamid.1"), "mensaje 1")
    history = await memory.recall(ANA)
    assert history.recent == tuple(lines)
    known = quotable.query(ANA, ["wamid.1", "wamid.2"], ttl_seconds=memory.ttl_seconds)
    async with redis.pipeline(transaction=True) as pipeline:
        memory.amend(pipeline, ANA, history, {"wamid.1": "editado 1", "wamid.2": "editado 2"})
        quotable.store(pipeline, ANA, "wamid.2", "mensaje 2", MONTH)
        await pipeline.execute()
    assert [line.text for line in (await memory.recall(ANA)).recent] == ["editado 1", "editado 2"]
    assert await ask(redis, known) == {"wamid.1": "mensaje 1", "wamid.2": "mensaje 2"}
    async with redis.pipeline(transaction=True) as pipeline:
        quotable.replace(pipeline, ANA, "wamid.1", "otro", MONTH)
        quotable.forget(pipeline, ANA, ["wamid.2"])
        await pipeline.execute()
    assert await ask(redis, known) == {"wamid.1": "otro"}
    assert not await redis.exists(key(ANA, "said", "wamid.1"))


async def test_a_message_at_the_phone_keeps_its_status_alone_once_the_outbox_knows_it(redis: Redis) -> None:
    statuses, name = DeliveryStatuses(redis, LiveEvents(redis)), f"{ANA}.t_1.0"
    record = delivery(ANA, name)

    async def noted(state: str) -> bool | Exception:
        charge = ("free_customer_service", "service")
        (new,) = await statuses.record([Status(wamid="wamid.1", status=state, callback=name, pricing=charge)])
        return new

    await answer(redis.hset(record, mapping={"asked_at": "1", "reply": "{}"}))
    assert await noted("delivered") is True
    # A worker that died before it recorded the message still finds out that Meta has it.
    assert (await statuses.get(ANA, name))["wamid"] == "wamid.1"
    await answer(redis.hset(record, mapping={"wamid": "wamid.1", "recorded": "1"}))
    assert [await noted(state) for state in ("read", "delivered", "read")] == [True, False, False]
    assert await statuses.get(ANA, name) == {
        "status": "read",
        "recorded": "1",
        "pricing": "free_customer_service service",
    }
    assert 0 < await redis.ttl(record) <= MONTH
