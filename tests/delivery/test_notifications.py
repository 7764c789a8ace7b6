"""The queue `notification`: what others order is sent once, to the right person, or fails with a reason to read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bullmq import Queue
from redis.asyncio import Redis

from bot.cli.templates import _open
from bot.conversations.contacts import Contacts
from bot.infra import queues
from bot.infra.queues import Job
from bot.infra.redis import answer
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, says
from tests.processes import eventually, running
from tests.rows import each
from tests.turns.test_conversation import conversation_of, settled, text
from tests.world import Start, World

VALUES = {"name": "Ana", "order": "A-17", "total": "120.00 MXN"}
ORDER = {"to": "5215512345678", "template": "order_confirmation", "parameters": VALUES}
KEEP = {"removeOnComplete": False, "removeOnFail": False}


@asynccontextmanager
async def queue(redis: Redis) -> AsyncIterator[Queue]:
    """The queue as another service opens it, with BullMQ and nothing of ours."""
    made = Queue("notification", {"connection": redis})
    yield made


async def add(world: World, data: Any, name: str = "template", **options: Any) -> str:
    async with queue(world.redis) as made:
        job = await made.add(name, data, KEEP | options)
        return str(job.id)


async def ended(world: World, job_id: str) -> tuple[str, str]:
    """`completed` or `failed`, and the reason."""

    async def state() -> str | None:
        for state in ("completed", "failed"):
            if await world.redis.zscore(f"bull:notification:{state}", job_id) is not None:
                return state
        return None

    found = await eventually(state)
    reason = await answer(world.redis.hget(f"bull:notification:{job_id}", "failedReason"))
    return str(found), reason or ""


async def test_a_job_sends_the_template_to_somebody_who_never_wrote(world: World, ana: Person) -> None:
    job = await add(world, ORDER)
    assert await ended(world, job) == ("completed", "")
    (sent,) = world.meta.accepted
    assert sent.request["to"] == "+5215512345678"
    assert sent.request["template"]["name"] == "order_confirmation"
    assert sent.request["biz_opaque_callback_data"].startswith("c_")
    assert world.meta.history(sent.person or ana)[0]["message"]["words"].startswith(
        "Hola Ana, confirmamos tu pedido A-17"
    )


async def test_half_an_emoji_in_a_job_costs_a_sign_and_not_the_message(world: World) -> None:
    # As JavaScript writes a text that was cut within an emoji.
    job = await add(world, ORDER | {"parameters": VALUES | {"name": "Ana \ud83d"}})
    assert await ended(world, job) == ("completed", "")
    (sent,) = world.meta.accepted
    assert "Ana ?" in str(sent.request["template"])


@each("data", [None, 7, "x", ["to"], True])
@each("name", ["llm", "notification", "webhook"])
async def test_a_job_without_an_object_fails_once_and_says_so(world: World, name: queues.Name, data: Any) -> None:
    # As BullMQ of another language stores it.
    await queues.add(world.redis, name, "turn", data, "odd")

    async def why() -> str | None:
        return str(await answer(world.redis.hget(f"bull:{name}:odd", "failedReason")) or "")

    assert await eventually(why) == "data: expected an object"


async def test_a_person_is_reached_by_their_bsuid(world: World) -> None:
    sam = Person(phone=None, bsuid="US.13491208655302741918", name="Sam")
    await world.meta.writes(sam, text("hello, how are you?"))
    await world.meta.replies(sam)
    job = await add(world, ORDER | {"to": sam.bsuid})
    assert await ended(world, job) == ("completed", "")
    sent = world.meta.sent_to(sam)[-1]
    assert sent.request["recipient"] == sam.bsuid
    assert "to" not in sent.request


async def test_who_wrote_before_is_found_by_any_spelling_and_in_their_language(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("Hello, what are your opening hours?"))
    await world.meta.replies(ana)
    await settled(world)
    job = await add(world, ORDER | {"to": "+52 55 1234 5678"})
    assert await ended(world, job) == ("completed", "")
    sent = world.meta.sent_to(ana)[-1]
    assert sent.request["to"] == "+5215512345678"
    assert sent.request["template"]["language"]["code"] == "en"
    assert sent.request["biz_opaque_callback_data"].startswith(await conversation_of(world, ana))


async def test_the_asked_language_wins_and_numbers_are_taken_as_text(world: World) -> None:
    job = await add(world, ORDER | {"language": "en_US", "parameters": VALUES | {"total": 120.5, "order": 17}})
    assert await ended(world, job) == ("completed", "")
    (sent,) = world.meta.accepted
    assert sent.request["template"]["language"]["code"] == "en"
    assert [parameter["text"] for parameter in sent.request["template"]["components"][0]["parameters"]] == [
        "Ana",
        "17",
        "120.5",
    ]


async def test_who_answers_a_template_is_understood(world: World, ana: Person) -> None:
    assert await ended(world, await add(world, ORDER)) == ("completed", "")
    (sent,) = world.meta.accepted
    world.models.will(says("Con gusto."))
    await world.meta.writes(ana, text("¿y cuándo llega?"), context=sent.wamid)
    await world.meta.replies(ana, 1)
    await settled(world)
    _, *said = [message["content"] for message in world.models.requests[0]["messages"]]
    assert said[0].startswith("Hola Ana, confirmamos tu pedido A-17")
    assert "<replying_to><text>Hola Ana, confirmamos tu pedido A-17" in said[1]


async def test_a_job_that_is_added_again_is_sent_once(world: World) -> None:
    for _ in range(2):
        assert await ended(world, await add(world, ORDER, jobId="order-17")) == ("completed", "")
        async with queue(world.redis) as made:
            await made.remove("order-17")
    assert len(world.meta.accepted) == 1


async def test_jobs_with_numbers_of_their_own_are_each_sent_even_when_the_queue_counts_anew(world: World) -> None:
    for _ in range(2):
        job = await add(world, ORDER)
        assert await ended(world, job) == ("completed", "")
        async with queue(world.redis) as made:
            await made.obliterate(force=True)
        assert job == "1"
    assert len(world.meta.accepted) == 2


async def test_a_job_whose_answer_from_meta_was_lost_is_sent_once(start: Start) -> None:
    world = await start(workers=2)
    world.meta.will_drop()
    assert await ended(world, await add(world, ORDER)) == ("completed", "")
    assert len(world.meta.accepted) == 1


async def test_a_notice_waits_for_the_turn_that_is_under_way(world: World, ana: Person) -> None:
    world.models.will(ScriptedAnswer({"role": "assistant", "content": "Abrimos a las 9."}, delay=0.5))
    await world.meta.writes(ana, text("hola"))
    await eventually(lambda: _asked(world))
    job = await add(world, ORDER)
    assert await ended(world, job) == ("completed", "")
    await settled(world)
    assert [sent.type for sent in world.meta.sent_to(ana)] == ["text", "template"]


async def _asked(world: World) -> bool:
    return bool(world.models.requests)


async def test_many_jobs_for_many_people_all_arrive(world: World) -> None:
    jobs = await asyncio.gather(*(add(world, ORDER | {"to": f"52155000000{n:02}"}) for n in range(25)))
    assert {await ended(world, job) for job in jobs} == {("completed", "")}
    assert len({sent.request["to"] for sent in world.meta.accepted}) == 25


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "to: Field required; template: Field required"),
        ({"to": "Ana", "template": "order_confirmation"}, "to: expected a phone"),
        (ORDER | {"to": "12"}, "to: expected a phone"),
        (ORDER | {"to": None}, "to: Input should be a valid string"),
        (ORDER | {"template": "Order!"}, "template: String should match"),
        (ORDER | {"template": "birthday"}, "there is no template 'birthday'"),
        (ORDER | {"parameters": {"name": "Ana"}}, "missing: order, total"),
        (ORDER | {"parameters": VALUES | {"x": "1"}}, "unknown: x"),
        (ORDER | {"parameters": ["Ana"]}, "parameters: Input should be a valid dictionary"),
        (ORDER | {"language": "spanish"}, "language: String should match"),
    ],
)
async def test_wrong_data_fails_at_once_with_a_reason_and_without_retries(
    world: World, data: dict[str, Any], told: str
) -> None:
    job = await add(world, data, attempts=5, backoff={"type": "fixed", "delay": 60_000})
    state, reason = await ended(world, job)
    assert state == "failed"
    assert told in reason
    assert await answer(world.redis.hget(f"bull:notification:{job}", "atm")) == "1"
    assert world.meta.accepted == []


async def test_a_job_of_another_name_fails_with_a_reason(world: World) -> None:
    state, reason = await ended(world, await add(world, ORDER, "telegram"))
    assert (state, reason) == ("failed", "there is no job 'telegram' here; expected template or push or stripe")


async def test_what_meta_refuses_for_good_fails_with_metas_reason(world: World) -> None:
    world.meta.will_refuse(131026)
    state, reason = await ended(world, await add(world, ORDER, attempts=3))
    assert state == "failed"
    assert "131026" in reason


async def test_a_paused_template_fails_and_says_so(world: World) -> None:
    for template in world.meta.templates.find(name="order_confirmation"):
        template.status = "PAUSED"
    state, reason = await ended(world, await add(world, ORDER))
    assert state == "failed"
    assert reason == "order_confirmation (es) is PAUSED; only APPROVED templates leave"


async def test_meta_away_for_a_moment_costs_nothing(world: World) -> None:
    world.meta.will_html_502()
    assert await ended(world, await add(world, ORDER)) == ("completed", "")
    assert len(world.meta.accepted) == 1


async def test_staff_are_known_by_phone_in_any_spelling_and_by_bsuid(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    conversation = await conversation_of(world, ana)
    for staff in (["+52 55 1234 5678"], [ana.bsuid], ["5215512345678"]):
        assert (await Contacts(world.redis, staff).get(conversation)).role == "staff"
    assert (await Contacts(world.redis, ["5215512345679"]).get(conversation)).role == "customer"
    assert (await Contacts(world.redis).get(conversation)).role == "customer"


async def test_jobs_tried_twice_at_the_same_moment_are_sent_once(start: Start) -> None:
    world = await start(workers=0)
    async with _open(world.settings) as context:
        task = Job("template", ORDER, "order-17")
        await asyncio.gather(*(context.notifications.process(task) for _ in range(5)))
    assert len(world.meta.accepted) == 1


async def test_a_worker_of_this_queue_alone_needs_no_model(start: Start) -> None:
    world = await start(workers=0)
    async with running("worker", "--queues", "notification", OPENROUTER_API_KEY="") as worker:
        assert await ended(world, await add(world, ORDER)) == ("completed", "")
        assert await worker.stop() == 0
    assert "5215512345678" not in worker.text
    assert "Ana" not in worker.text


async def test_a_worker_killed_while_meta_answers_costs_nothing_and_doubles_nothing(start: Start) -> None:
    world = await start(workers=0)
    world.meta.will_delay(5)
    async with running("worker", "--queues", "notification") as worker:
        job = await add(world, ORDER)
        await world.meta.wait_for(lambda: world.meta.accepted)
        worker.process.kill()
        await worker.process.wait()
    async with running("worker", "--queues", "notification"):
        assert await ended(world, job) == ("completed", "")
    assert len(world.meta.accepted) == 1
