"""An operator takes a conversation: after it not a word of the assistant leaves, wherever its answer is by then."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.conversations import contacts, thread_owner
from bot.conversations.assignment import Assignments, ColleagueHasIt, NoConversation
from bot.conversations.contacts import Contacts
from bot.conversations.lease import Lease, kept_renewed, lease_key
from bot.conversations.ledger import Ledger
from bot.conversations.memory import Memory
from bot.delivery import reply_queue
from bot.messages.outbound import Reply, Say
from bot.services import Services, open_services
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.outgoing import acquainted, bodies, free, put, text
from tests.processes import eventually
from tests.world import Start, World

EVA, BOB = ("eva@example.com", "Eva"), ("bob@example.com", "Bob")
PEOPLE, TIMES = 4, 30


async def take(world: World, conversation: str, operator: tuple[str, str] = EVA) -> None:
    await Assignments(world.redis).take(conversation, *operator, lease=lease_key(conversation))


async def test_not_a_word_leaves_after_the_taking_however_close_it_is(start: Start) -> None:
    world = await start()
    chance = random.Random(7)
    left = []
    async with open_services(world.settings) as services:
        # Meta takes few messages in a row to one person.
        for number in range(PEOPLE):
            person = Person(phone=f"52155000000{number:02}", bsuid=f"MX.{number}123456789012345", name="Ana")
            conversation = await acquainted(world, person)
            for _ in range(TIMES):
                left.append(await _take_while_sending(world, services, person, conversation, chance))
                await Assignments(world.redis).end(conversation)
    # Both orders happened, or the test would prove nothing.
    assert len(left) / 20 < left.count(True) < len(left) * 19 / 20


async def _take_while_sending(
    world: World, services: Services, person: Person, conversation: str, chance: random.Random
) -> bool:
    """Take the conversation at any moment of a sending; gives whether the assistant's message left before."""
    reply = Reply(id=f"t_{secrets.token_hex(4)}", parts=(Say(body="bot"),), bsuid=person.bsuid, if_taken=())
    pipeline = world.redis.pipeline(transaction=True)
    reply_queue.put(pipeline, conversation, reply)
    await pipeline.execute()
    lease, before = Lease(conversation, secrets.token_hex(8)), len(world.meta.sent_to(person))

    async def send() -> None:
        assert await services.leases.acquire(lease)
        async with kept_renewed(services.leases, lease):
            await services.outbox.flush(lease)
            await services.leases.abandon(lease)

    sending = asyncio.create_task(send())
    for _ in range(chance.randrange(60)):
        await asyncio.sleep(0)
    await asyncio.sleep(chance.choice((0, 0, 0.001, 0.002, 0.004)))
    await take(world, conversation)
    at_taking = len(world.meta.sent_to(person))
    await sending
    assert len(world.meta.sent_to(person)) == at_taking
    assert await reply_queue.raw_replies(world.redis, conversation) == []
    return at_taking > before


async def test_the_taking_waits_for_the_one_message_that_is_on_its_way(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    world.meta.will_delay(0.5)
    await put(world, conversation, ana, Say(body="ya voy"), name="t_1", if_taken=())
    permit = f"recado:{{{conversation}}}:permit"
    await eventually(lambda: world.redis.exists(permit))
    await take(world, conversation)
    assert bodies(world, ana) == ["ya voy"]
    assert not await world.redis.exists(permit)


async def test_the_permit_of_a_worker_that_died_holds_nobody_up(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await world.redis.set(f"recado:{{{conversation}}}:permit", "of-a-dead-worker")
    await world.redis.set(lease_key(conversation), "of-a-dead-worker", px=300)
    await take(world, conversation)
    assert not await world.redis.exists(lease_key(conversation))


async def test_an_answer_that_is_being_thought_of_is_dropped(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    never = asyncio.Event()
    world.models.will(says("demasiado tarde", until=never))
    wamid = await world.meta.writes(ana, text("¿me ayudas?"))
    await eventually(lambda: _holds("¿me ayudas?" in str(world.models.requests)))
    await take(world, conversation)
    state = await eventually(lambda: _ended(world, conversation, wamid))
    never.set()
    assert state == "handed_off"
    await eventually(lambda: free(world.redis, conversation))
    assert bodies(world, ana) == []
    history = await Memory(world.redis, world.settings.memory).recall(conversation)
    assert "demasiado tarde" not in str(history)
    assert "¿me ayudas?" in str(history)


async def test_an_answer_in_the_outbox_is_withdrawn_and_was_never_said(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    world.models.will(says("respuesta del bot"))
    # Meta wants it a second later.
    world.meta.will_refuse(131056)
    wamid = await world.meta.writes(ana, text("¿me ayudas?"))
    await eventually(lambda: _holds(not world.meta.faults.armed()))
    await take(world, conversation)
    assert await eventually(lambda: _ended(world, conversation, wamid, "handed_off"))
    await eventually(lambda: free(world.redis, conversation))
    assert bodies(world, ana) == []
    history = await Memory(world.redis, world.settings.memory).recall(conversation)
    assert "respuesta del bot" not in str(history)
    assert "¿me ayudas?" in str(history)


async def test_a_message_by_code_leaves_although_an_operator_has_the_conversation(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await take(world, conversation)
    await put(world, conversation, ana, Say(body="recibo del pago"), name="n_1")
    both = (Say(body="quedó cambiado tu plan"),)
    await put(world, conversation, ana, Say(body="palabras del bot"), name="t_2", if_taken=both)
    await world.meta.replies(ana, 2)
    assert bodies(world, ana) == ["recibo del pago", "quedó cambiado tu plan"]


async def test_one_of_two_operators_has_it_and_a_supervisor_may_take_it_over(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    tried = await asyncio.gather(
        *(take(world, conversation, operator) for operator in (EVA, BOB, EVA, BOB)), return_exceptions=True
    )
    assert sum(isinstance(result, ColleagueHasIt) for result in tried) == 2
    assignments = Assignments(world.redis)
    holder = await assignments.of(conversation)
    assert holder
    other = BOB if holder.operator == EVA[0] else EVA
    with pytest.raises(ColleagueHasIt, match=holder.name):
        await assignments.end(conversation, holder=other[0])
    await assignments.take(conversation, *other, lease=lease_key(conversation), force=True)
    now = await assignments.of(conversation)
    assert now
    assert (now.operator, now.name) == other
    # Who has it gives it on; who had it until a moment ago doesn't.
    third, lease = ("sol@example.com", "Sol"), lease_key(conversation)
    with pytest.raises(ColleagueHasIt, match=other[1]):
        await assignments.take(conversation, *third, lease=lease, given_by=holder.operator)
    await assignments.take(conversation, *third, lease=lease, given_by=other[0])
    with pytest.raises(NoConversation):
        await take(world, f"c_{'0' * 20}")


async def asks_for_a_person(world: World, conversation: str) -> None:
    await Contacts(world.redis).set_handed_off(conversation, handed_off=True)


async def colleague_writes(world: World, conversation: str) -> None:
    pipeline = world.redis.pipeline(transaction=True)
    contacts.pause(pipeline, conversation, datetime.now(UTC) + timedelta(hours=1))
    await pipeline.execute()


async def another_app_gets_it(world: World, conversation: str) -> None:
    # Later than the messages that follow, because one of the person's would show that the thread is ours again.
    since = datetime.now(UTC) + timedelta(minutes=1)
    assert await thread_owner.change(world.redis, conversation, thread_owner.OTHER, "", since)


async def nothing_happens(world: World, conversation: str) -> None:
    pass


# Who has the conversation, whether the assistant answers a message then, and whether an answer leaves that it was
# thinking of when that began. After a call for a person the assistant still says that somebody comes.
RULE = [
    (nothing_happens, True, True),
    (take, False, False),
    (asks_for_a_person, False, True),
    (colleague_writes, False, False),
    (another_app_gets_it, False, False),
]


@pytest.mark.parametrize(("begins", "answers", "late"), RULE, ids=[row[0].__name__ for row in RULE])
async def test_the_assistant_and_people_never_talk_over_each_other(
    world: World,
    ana: Person,
    begins: Callable[[World, str], Awaitable[None]],
    answers: bool,  # noqa: FBT001 - a column of the table
    late: bool,  # noqa: FBT001 - as above
) -> None:
    conversation, ready = await acquainted(world, ana), asyncio.Event()
    world.models.will(says("tarde", until=ready))
    first = await world.meta.writes(ana, text("¿uno?"))
    await eventually(lambda: _holds("¿uno?" in str(world.models.requests)))
    await begins(world, conversation)
    ready.set()
    assert await eventually(lambda: _ended(world, conversation, first))
    await eventually(lambda: free(world.redis, conversation))
    assert ("tarde" in bodies(world, ana)) is late
    world.models.will(says("respuesta"))
    second = await world.meta.writes(ana, text("¿dos?"))
    assert await eventually(lambda: _ended(world, conversation, second)) == ("answered" if answers else "handed_off")
    await eventually(lambda: free(world.redis, conversation))
    assert ("respuesta" in bodies(world, ana)) is answers


async def _holds(found: bool) -> bool:  # noqa: FBT001 - an answer for `eventually`
    return found


async def _ended(world: World, conversation: str, wamid: str, wanted: str = "") -> str:
    state = (await Ledger(world.redis).of(conversation)).get(wamid, {}).get("state", "open")
    return "" if state == "open" or (wanted and state != wanted) else state
