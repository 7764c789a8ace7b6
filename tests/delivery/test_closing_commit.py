"""Closing commit of a turn: one step with the record of the last message, and the end of the lease."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.conversations.lease import Lease, LeaseLost, epoch_key, lease_key
from bot.conversations.waiting_list import waiting_key
from bot.delivery import reply_queue
from bot.delivery.closing_commit import ClosingCommit
from bot.delivery.outbox_state import Sent
from bot.infra.queries import ask
from bot.infra.redis import answer, key
from bot.messages.outbound import Reply, Say
from bot.services import Services, open_services
from sandbox.meta.simulator import Person
from tests.outgoing import bodies
from tests.world import Start, World

TRACE = "recado:trace-of-the-test"


@dataclass
class Turn:
    """A conversation whose lease is held, with replies in its outbox."""

    world: World
    services: Services
    person: Person
    lease: Lease
    errors: list[str | None] = field(default_factory=list)

    async def put(self, name: str, *bodies: str) -> None:
        parts = tuple(Say(body=body) for body in bodies)
        reply = Reply(id=name, parts=parts, phone=self.person.phone, bsuid=self.person.bsuid)
        pipeline = self.world.redis.pipeline(transaction=True)
        reply_queue.put(pipeline, self.lease.conversation, reply)
        await pipeline.execute()

    async def send(self) -> tuple[ClosingCommit, list[Sent]]:
        def write(pipeline: Any, error: str | None) -> None:
            self.errors.append(error)
            pipeline.rpush(TRACE, "written")

        last = ClosingCommit(write, None)
        state = await ask(self.world.redis, self.services.outbox.query(self.lease.conversation))
        return last, await self.services.outbox.send(self.lease, state, closing=last)

    async def written(self) -> int:
        return int(await answer(self.world.redis.llen(TRACE)))


@pytest.fixture
async def turn(start: Start, ana: Person) -> AsyncIterator[Turn]:
    world = await start(workers=0)
    async with open_services(world.settings) as services:
        name = await services.contacts.find_or_create(phone=ana.phone, bsuid=ana.bsuid)
        await wrote(world, name, ana)
        lease = Lease(name, "mine")
        assert await services.leases.acquire(lease)
        yield Turn(world, services, ana, lease)


async def wrote(world: World, name: str, person: Person) -> None:
    await answer(world.redis.hset(key(name, "contact"), "last_inbound_at", str(time.time())))
    world.meta.chats.of(person).last_inbound = datetime.now(UTC)


async def test_the_last_message_its_record_the_last_write_and_the_release_are_one_step(turn: Turn) -> None:
    await turn.put("x1", "uno", "dos")
    await turn.put("x2", "tres", "cuatro")
    last, sent = await turn.send()
    assert bodies(turn.world, turn.person) == ["uno", "dos", "tres", "cuatro"]
    assert [message.state for message in sent] == ["sent", "sent"]
    assert (last.is_done, last.released, turn.errors, await turn.written()) == (True, True, [None], 1)
    assert not await turn.world.redis.exists(lease_key(turn.lease.conversation))


async def test_the_same_reply_twice_is_released_after_the_second(turn: Turn) -> None:
    await turn.put("x1", "hola")
    await turn.put("x1", "hola")
    last, sent = await turn.send()
    assert [message.state for message in sent] == ["sent", "sent"]
    assert (last.released, await turn.written()) == (True, 1)
    assert await answer(turn.world.redis.llen(key(turn.lease.conversation, "outbox"))) == 0


async def test_a_conversation_in_which_a_message_waits_is_written_to_and_not_released(turn: Turn) -> None:
    await turn.put("x1", "uno")
    await answer(turn.world.redis.rpush(waiting_key(turn.lease.conversation), "a message"))
    last, _ = await turn.send()
    assert (last.is_done, last.released, await turn.written()) == (True, False, 1)
    assert await turn.world.redis.get(lease_key(turn.lease.conversation)) == "mine"
    assert await turn.world.redis.get(epoch_key(turn.lease.conversation)) is None


async def test_a_reply_that_waits_for_the_person_leaves_the_last_write_to_the_turn(turn: Turn) -> None:
    await answer(turn.world.redis.hdel(key(turn.lease.conversation, "contact"), "last_inbound_at"))
    await turn.put("x1", "uno")
    last, (sent,) = await turn.send()
    assert sent.state == "waiting_for_contact"
    assert (last.is_done, last.released, await turn.written()) == (False, False, 0)


async def test_nothing_to_send_leaves_the_last_write_to_the_turn(turn: Turn) -> None:
    last, sent = await turn.send()
    assert (sent, last.is_done, await turn.written()) == ([], False, 0)


async def test_who_lost_the_conversation_writes_nothing_last(turn: Turn) -> None:
    await turn.put("x1", "uno")
    await turn.world.redis.set(lease_key(turn.lease.conversation), "another's")
    with pytest.raises(LeaseLost):
        await turn.send()
    assert await turn.written() == 0


async def test_the_last_write_is_told_why_the_last_message_failed(turn: Turn) -> None:
    turn.world.meta.will_refuse(131051)
    await turn.put("x1", "uno")
    last, (sent,) = await turn.send()
    assert sent.given_up
    assert turn.errors == [sent.error]
    assert (last.is_done, last.released, await turn.written()) == (True, True, 1)
