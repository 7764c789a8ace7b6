"""The inbox's guarantees on a real Redis: once, in order, and only the holder of a lease may write."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.conversations import identity, tombstones
from bot.conversations.contacts import Contacts
from bot.conversations.inbox import Inbox
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost, renew_lease_until
from bot.conversations.ledger import Ledger, name_of
from bot.conversations.waiting_list import WaitingList
from bot.infra.redis import MicroBatcher, answer
from bot.messages.inbound import Inbound, Text, Unsupported
from tests.processes import eventually
from tests.waiting import PATIENCE

DAY = 24 * 3600


def message(number: int, person: str = "MX.1", phone: str | None = "5215500000001") -> Inbound:
    now = datetime.now(UTC)
    content = Text(body=f"m{number}")
    return Inbound(id=f"wamid.{number}", bsuid=person, phone=phone, sent_at=now, received_at=now, content=content)


async def conversation(redis: Redis, person: str = "MX.1") -> str:
    found: str = await redis.get(f"recado:identity:{person}")
    return found


def nobody(_conversation: str, _job: str) -> None:
    """Nobody is asked for a turn."""


async def test_a_message_delivered_again_after_seven_days_is_known_and_forgotten_after_a_month(redis: Redis) -> None:
    now = [time.time()]
    inbox = Inbox(redis, nobody, clock=lambda: now[0])
    assert await inbox.accept([message(1)]) == [True]
    for days in (7, 22):
        now[0] += days * DAY
        assert await inbox.accept([message(1)]) == [False]
    now[0] += 2 * DAY
    assert await inbox.accept([message(2)]) == [True]
    assert list(await Ledger(redis).of(await conversation(redis))) == [name_of("wamid.2")]


async def test_the_same_message_twice_in_one_round_trip_is_kept_once(redis: Redis) -> None:
    assert await Inbox(redis, nobody).accept([message(1), message(1)]) == [True, False]
    assert [m.id for m in await WaitingList(redis).messages(await conversation(redis))] == ["wamid.1"]


async def test_many_first_messages_of_one_person_at_once_make_one_conversation(redis: Redis) -> None:
    inboxes = [Inbox(redis, nobody) for _ in range(10)]
    await asyncio.gather(*(inbox.accept([message(number)]) for number, inbox in enumerate(inboxes)))
    assert len(await WaitingList(redis).messages(await conversation(redis))) == 10
    assert await redis.get("recado:identity:5215500000001") == await conversation(redis)


async def test_newcomers_and_known_senders_are_stored_in_one_round_trip(redis: Redis) -> None:
    inbox = Inbox(redis, nobody)
    await inbox.accept([message(1)])
    await redis.config_resetstat()
    newcomers = [message(2, "MX.2", None), message(3, "MX.3", "5215500000003"), message(4, "MX.3", "5215500000003")]
    by_phone = message(5).model_copy(update={"bsuid": None, "phone": "5215500000005"})
    assert await inbox.accept([*newcomers, by_phone, message(6)]) == [True] * 5
    asked: dict[str, dict[str, int]] = await redis.info("commandstats")
    assert asked["cmdstat_evalsha"]["calls"] == 1
    assert {"cmdstat_zmscore", "cmdstat_eval"}.isdisjoint(asked)
    waiting = await WaitingList(redis).messages(await conversation(redis, "MX.3"))
    assert [message.id for message in waiting] == ["wamid.3", "wamid.4"]
    assert await conversation(redis, "MX.3") == await conversation(redis, "5215500000003")
    names = await identity.identities_of(redis, await conversation(redis, "MX.3"))
    assert names == {"MX.3", "5215500000003"}


async def test_a_newcomer_with_a_released_phone_has_a_contested_one_and_others_of_the_batch_do_not(
    redis: Redis,
) -> None:
    inbox = Inbox(redis, nobody)
    await inbox.accept([message(1)])
    await inbox.accept([message(2, phone="5215500000009")])
    batch = [message(3, "MX.3", "5215500000003"), message(4, "MX.4"), message(5, "MX.5", "5215500000005")]
    assert await inbox.accept(batch) == [True] * 3
    contested = [await identity.phone_contested(redis, await conversation(redis, f"MX.{n}")) for n in (3, 4, 5)]
    assert contested == [False, True, False]


async def test_a_redis_that_forgot_the_script_stores_the_message_all_the_same(redis: Redis) -> None:
    inbox = Inbox(redis, nobody)
    await inbox.accept([message(1)])
    await redis.script_flush()
    assert await inbox.accept([message(1), message(2)]) == [False, True]


async def test_what_can_not_be_stored_does_not_cost_the_others(redis: Redis) -> None:
    inbox = Inbox(redis, nobody)
    await inbox.accept([message(1, "MX.1", None), message(2, "MX.2", None)])
    broken = f"recado:{{{await conversation(redis, 'MX.1')}}}:waiting"
    await redis.set(broken, "not a list")
    async with MicroBatcher(inbox.accept).running() as together:
        outcomes = await asyncio.gather(
            together(message(3, "MX.1", None)), together(message(4, "MX.2", None)), return_exceptions=True
        )
    assert isinstance(outcomes[0], ResponseError)
    assert outcomes[1] is True


async def test_the_door_asks_anew_where_a_remembered_senders_phone_leads_elsewhere(redis: Redis) -> None:
    inbox = Inbox(redis, nobody)
    by_phone = message(1).model_copy(update={"bsuid": None})
    await inbox.accept([message(0), message(2, "MX.2", None)])
    await inbox.accept([by_phone])
    first = await conversation(redis, "MX.1")
    # Another process has seen the phone with another person.
    await Inbox(redis, nobody).accept([message(3, "MX.3")])
    heir = await conversation(redis, "MX.3")
    batch = [message(4, "MX.2", None), by_phone.model_copy(update={"id": "wamid.5"}), message(6, "MX.2", None)]
    assert await inbox.accept(batch) == [True] * 3
    assert [message.id for message in await WaitingList(redis).messages(heir)] == ["wamid.3", "wamid.5"]
    other = await conversation(redis, "MX.2")
    assert [message.id for message in await WaitingList(redis).messages(other)] == ["wamid.2", "wamid.4", "wamid.6"]
    assert [message.id for message in await WaitingList(redis).messages(first)] == ["wamid.0", "wamid.1"]


async def test_a_batch_whose_sender_joined_another_conversation_keeps_its_order_and_counts_once(redis: Redis) -> None:
    inbox, older, younger = Inbox(redis, nobody), "c_" + "0" * 20, "c_" + "1" * 20
    await redis.mset({identity.identity_key("MX.2"): older, identity.identity_key("MX.1"): younger})
    await inbox.accept([message(1, "MX.2", None)])
    await inbox.accept([message(2, "MX.1", None)])
    await redis.set(identity.merged_into_key(younger), older)
    batch = [message(3, "MX.2", None), message(4, "MX.1", None), message(5, "MX.2", None), message(4, "MX.1", None)]
    assert await inbox.accept(batch) == [True, True, True, False]
    waiting = await WaitingList(redis).messages(older)
    assert [message.id for message in waiting] == ["wamid.1", "wamid.3", "wamid.4", "wamid.5"]


async def test_a_remembered_sender_who_is_erased_is_refused_meanwhile_and_a_stranger_after_it(redis: Redis) -> None:
    inbox = Inbox(redis, nobody)
    await inbox.accept([message(1)])
    before = await conversation(redis)
    await redis.set(tombstones.erased(before), "1")
    (refused,) = await inbox.accept([message(2)])
    assert isinstance(refused, tombstones.BeingErased)
    await tombstones.add_messages(redis, [name_of("wamid.1")])
    await identity.forget(redis, before)
    assert await inbox.accept([message(1)]) == [False]
    assert await redis.keys("recado:identity:*") == []
    assert await inbox.accept([message(1), message(2), message(1)]) == [False, True, False]
    assert await conversation(redis) != before


@pytest.mark.parametrize("remembered", [True, False])
async def test_a_colleagues_message_to_somebody_who_is_being_erased_leaves_no_trace(
    redis: Redis, *, remembered: bool
) -> None:
    inbox = Inbox(redis, nobody, echo_pause=timedelta(hours=1))
    await inbox.accept([message(1)])
    before = await conversation(redis)
    await redis.set(tombstones.erased(before), "1")
    keys = set(await redis.keys("recado:*"))
    echo = message(2).model_copy(update={"aside": "echo", "author": "business"})
    (refused,) = await (inbox if remembered else Inbox(redis, nobody, echo_pause=timedelta(hours=1))).accept([echo])
    assert isinstance(refused, tombstones.BeingErased)
    assert set(await redis.keys("recado:*")) == keys


async def test_a_colleagues_message_keeps_the_bot_quiet_at_once(redis: Redis) -> None:
    inbox = Inbox(redis, nobody, echo_pause=timedelta(hours=1))
    echo = message(1).model_copy(update={"aside": "echo", "author": "business"})
    assert await inbox.accept([echo]) == [True]
    assert await Contacts(redis).paused(await conversation(redis))


async def test_a_batch_of_remembered_senders_is_one_round_trip(redis: Redis) -> None:
    inbox = Inbox(redis, nobody)
    people = [f"MX.{number}" for number in range(90)]
    await inbox.accept([message(number, person, None) for number, person in enumerate(people)])
    await redis.config_resetstat()
    batch = [message(1000 + number, person, None) for number, person in enumerate(people)]
    assert await inbox.accept(batch) == [True] * len(batch)
    stats = await redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 1
    assert "cmdstat_mget" not in stats


async def test_a_batch_larger_than_one_script_is_kept_whole_and_in_order(redis: Redis) -> None:
    inbox = Inbox(redis, nobody, most_waiting=1000)
    await inbox.accept([message(0)])
    batch = [message(number) for number in range(1, 351)]
    assert await inbox.accept(batch) == [True] * len(batch)
    waiting = await WaitingList(redis).messages(await conversation(redis))
    assert [message.id for message in waiting] == [f"wamid.{number}" for number in range(351)]


async def test_a_late_holder_of_a_lease_writes_nothing(redis: Redis) -> None:
    leases = ConversationLeases(redis, lease_seconds=0.05)
    late, holder = Lease("c_1", "late"), Lease("c_1", "holder")
    assert await leases.acquire(late)
    async with asyncio.timeout(PATIENCE):
        while not await leases.acquire(holder):
            await asyncio.sleep(0.01)
    with pytest.raises(LeaseLost):
        await leases.commit(late, lambda pipeline: pipeline.set("written", "1"))
    with pytest.raises(LeaseLost):
        await leases.release(late)
    assert await redis.get("written") is None


async def test_a_lease_is_held_for_as_long_as_it_is_renewed_and_its_loss_is_told(redis: Redis) -> None:
    leases = ConversationLeases(redis, lease_seconds=3)
    lease = Lease("c_1", "mine")
    await leases.acquire(lease)
    await redis.pexpire("recado:{c_1}:lease", 2_000)
    holding = asyncio.create_task(renew_lease_until(leases, lease, asyncio.Event()))

    async def renewed() -> bool:
        return int(await redis.pttl("recado:{c_1}:lease")) > 2_000

    await eventually(renewed)
    assert not await leases.acquire(Lease("c_1", "other"))
    await redis.set("recado:{c_1}:lease", "other")
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(holding, PATIENCE)


async def test_a_conversation_is_let_go_only_when_nothing_waits_and_then_its_next_job_has_another_id(
    redis: Redis,
) -> None:
    jobs: list[str] = []
    inbox, leases = Inbox(redis, lambda _, job: jobs.append(job)), ConversationLeases(redis, lease_seconds=5)
    await inbox.accept([message(1)])
    name = await conversation(redis)
    lease = Lease(name, "mine")
    await leases.acquire(lease)
    assert not await leases.release(lease)
    await leases.commit(lease, lambda pipeline: pipeline.delete(f"recado:{{{name}}}:waiting"))
    assert await leases.release(lease)
    await inbox.accept([message(2)])
    assert jobs == [f"{name}-0", f"{name}-1"]
    assert await WaitingList(redis).count() == 1


async def test_a_closed_conversation_leaves_the_index_but_not_when_somebody_writes_meanwhile(redis: Redis) -> None:
    inbox, leases = Inbox(redis, nobody), ConversationLeases(redis, lease_seconds=5)
    await inbox.accept([message(1)])
    name = await conversation(redis)
    lease = Lease(name, "mine")
    await leases.acquire(lease)
    await redis.delete(f"recado:{{{name}}}:waiting")
    await leases.release(lease)
    assert await redis.zcard("recado:open") == 0
    await inbox.accept([message(2)])
    assert await redis.zcard("recado:open") == 1
    assert await answer(redis.llen(f"recado:{{{name}}}:waiting")) == 1


async def test_a_waiting_entry_that_can_not_be_read_is_an_unreadable_message_and_holds_nobody_up(redis: Redis) -> None:
    await Inbox(redis, nobody).accept([message(1)])
    name = await conversation(redis)
    await answer(redis.rpush(f"recado:{{{name}}}:waiting", '{"id": "wamid.9", "content": {"kind": "hologram"}}', "{"))
    first, second, third = await WaitingList(redis).messages(name)
    assert (first.id, second.id) == ("wamid.1", "wamid.9")
    assert second.content == third.content == Unsupported(type="unreadable")


async def test_a_flood_ends_at_the_door_and_what_waits_already_stays(redis: Redis) -> None:
    inbox = Inbox(redis, nobody, most_waiting=3)
    flood = [message(number) for number in range(5)]
    assert await inbox.accept(flood) == [True] * 5
    name = await conversation(redis)
    assert len(await WaitingList(redis).messages(name)) == 3
    entries = await Ledger(redis).of(name)
    # By id, because Redis gives a hash in any order.
    states = [entries[message.id]["state"] for message in flood]
    assert states == ["open"] * 3 + ["refused: too many messages"] * 2
    # Delivered again, they are known like any other.
    assert await inbox.accept(flood) == [False] * 5
