"""How many messages of one person are answered: within the limit all, beyond it one notice, then silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from bot.conversations.ledger import Ledger
from bot.conversations.rate_limit import MessageRateLimit
from bot.messages.inbound import Inbound, Text
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.notifications import metrics, settled
from tests.world import Start

ANA = f"c_{'a' * 20}"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def messages(*seconds: float, stem: str = "m") -> list[Inbound]:
    times = [NOON + timedelta(seconds=second) for second in seconds]
    return [
        Inbound(id=f"wamid.{stem}{at.timestamp()}", sent_at=at, received_at=at, content=Text(body="hola"))
        for at in times
    ]


async def test_the_limit_moves_with_time(redis: Redis) -> None:
    rate = MessageRateLimit(redis, "3/minute")
    first = await rate.admit(ANA, messages(0, 1, 2, 3), "t_1")
    assert (len(first.admitted), len(first.over), first.notice) == (3, 1, True)
    # The message of second 0 is a minute old at second 60; the one that was refused doesn't count.
    assert len((await rate.admit(ANA, messages(60.5, 60.6), "t_2")).admitted) == 1


async def test_a_turn_that_is_tried_again_gets_the_same_answer(redis: Redis) -> None:
    rate = MessageRateLimit(redis, "2/minute")
    batch = messages(0, 1, 2)
    assert await rate.admit(ANA, batch, "t_1") == await rate.admit(ANA, batch, "t_1")


async def test_one_notice_is_given_and_the_next_only_when_the_limit_has_cleared(redis: Redis) -> None:
    rate = MessageRateLimit(redis, "1/minute")
    assert (await rate.admit(ANA, messages(0, 1), "t_1")).notice
    assert not (await rate.admit(ANA, messages(2, 3), "t_2")).notice
    cleared = await rate.admit(ANA, messages(70, 71), "t_3")
    assert (len(cleared.admitted), cleared.notice) == (1, True)


async def test_people_have_limits_of_their_own(redis: Redis) -> None:
    rate = MessageRateLimit(redis, "1/hour")
    await rate.admit(ANA, messages(0), "t_1")
    assert (await rate.admit(f"c_{'b' * 20}", messages(1), "t_2")).admitted


async def test_beyond_the_limit_the_customer_is_told_once_and_then_nothing(start: Start, ana: Person) -> None:
    world = await start(RATE_LIMIT_CONTACT="2/hour")
    world.models.will(*[says(f"Respuesta {number}.") for number in range(9)])
    for number in range(5):
        await world.meta.writes(ana, {"type": "text", "text": {"body": f"pregunta {number}"}})
        await world.meta.wait_for(lambda: not world.meta.undelivered)
        while await world.redis.zcard("recado:open"):
            await world.meta.idle()
    said = [reply.text for reply in world.meta.sent_to(ana)]
    assert said[:2] == ["Respuesta 0.", "Respuesta 1."]
    assert said[2].startswith("Recibí muchos mensajes tuyos")
    assert len(said) == 3
    assert len(world.models.requests) == 2
    (name,) = [key async for key in world.redis.scan_iter("recado:{*}:ledger")]
    states = [entry["state"] for entry in (await Ledger(world.redis).of(name[8:30])).values()]
    assert sorted(states) == ["answered"] * 2 + ["refused: too many messages"] * 3


async def test_a_burst_over_the_limit_is_answered_as_far_as_it_goes_and_says_so(start: Start, ana: Person) -> None:
    world = await start(RATE_LIMIT_CONTACT="2/hour", TURN_QUIET_SECONDS="0.4")
    world.models.will(says("Las dos primeras."))
    async with world.meta.batch():
        for number in range(4):
            await world.meta.writes(ana, {"type": "text", "text": {"body": f"pregunta {number}"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text.startswith("Las dos primeras.\n\nRecibí muchos mensajes")
    assert world.models.requests[0]["messages"][-1]["content"] == "pregunta 0\npregunta 1"


async def test_what_is_over_the_limit_ends_once_in_whichever_order_it_came(start: Start, ana: Person) -> None:
    world = await start(RATE_LIMIT_CONTACT="2/hour", TURN_QUIET_SECONDS="0.3")
    world.models.will(says("Uno."), says("Dos."))
    now = datetime.now(UTC)
    async with world.meta.batch():
        # The newest arrive first: they are those over the limit.
        for number, age in enumerate((0, 1, 9, 8)):
            body = {"body": f"pregunta {number}"}
            await world.meta.writes(ana, {"type": "text", "text": body}, at=now - timedelta(seconds=age))
    await world.meta.replies(ana)
    await settled(world)
    assert len(world.models.requests) == 1
    assert len(world.meta.sent_to(ana)) == 1
    ended = [line for line in (await metrics(world)).splitlines() if line.startswith("recado_messages_ended_total")]
    assert sum(float(line.rpartition(" ")[2]) for line in ended) == 4
