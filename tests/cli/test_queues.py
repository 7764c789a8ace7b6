"""`recado queues`: failures are shown with their reasons, without anybody's words, and are retried or dropped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.agent.loop import ToolResult
from bot.conversations import dead_letters
from bot.infra.queues import QUEUES, add
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound, Text
from bot.messages.phrases import phrase
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, fails, says
from tests.conversations.test_identity import ANA, PHONE, written
from tests.notifications import conversation_of, ends, remembered, settled
from tests.processes import Ended, eventually, recado
from tests.world import Start, World


async def queues(*command: str) -> Any:
    ended = await recado("queues", *command, "--format", "json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


async def unanswered(start: Start, ana: Person) -> World:
    """A world in which no model answered Ana, who was told so."""
    world = await start()
    world.models.will(*[fails(402)] * 2)
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿Cuánto cuesta el plan secreto?"}})
    await world.meta.replies(ana)
    return world


async def test_what_failed_is_set_aside_and_shown_with_its_reason_and_nobodys_words(start: Start, ana: Person) -> None:
    await unanswered(start, ana)
    found = await queues("show")
    (entry,) = found["set_aside"]
    assert entry["messages"] == ["text"]
    assert entry["reason"] == "no model answered: no_credit"
    assert found["queues"]["llm"]["failed"] == 0
    text = await recado("queues")
    assert entry["conversation"] in text.out
    assert "secreto" not in text.out + text.err
    assert "recado queues retry" in text.out


async def test_a_message_that_is_retried_is_answered_and_no_longer_aside(start: Start, ana: Person) -> None:
    world = await unanswered(start, ana)
    world.models.will(says("Ya te puedo contestar: cuesta 200 pesos."))
    (entry,) = (await queues("show"))["set_aside"]
    assert await queues("retry", entry["conversation"]) == {"retried": {"jobs": 0, "messages": 1}}
    assert (await world.meta.replies(ana, 2))[1].text == "Ya te puedo contestar: cuesta 200 pesos."
    assert (await queues("show"))["set_aside"] == []
    assert world.models.requests[-1]["messages"][-1]["content"] == "¿Cuánto cuesta el plan secreto?"


async def test_a_turn_whose_tool_had_acted_is_not_tried_again(start: Start, ana: Person) -> None:
    world = await start(STAFF_CONTACTS=ana.bsuid)
    order: dict[str, Any] = {"to": "5215598765432", "template": "order_confirmation"}
    order |= {"parameters": {"name": "Luis", "order": "A-17", "total": "$10"}}
    world.models.will(calls(("send_template", order)), *[fails(402)] * 2)
    await world.meta.writes(ana, {"type": "text", "text": {"body": "Confirma el pedido A-17 a Luis"}})
    await world.meta.wait_for(lambda: world.meta.sent_to(ana))
    (entry,) = (await queues("show"))["set_aside"]
    ended = await recado("queues", "retry", entry["conversation"])
    assert ended.code == 1
    assert "send_template had acted already" in ended.err
    await world.meta.wait_for(lambda: [message for message in world.meta.accepted if message.type == "template"])
    assert [message.type for message in world.meta.accepted].count("template") == 1


async def test_a_turn_given_up_after_its_tool_had_acted_says_so_and_is_not_tried_again(
    start: Start, ana: Person
) -> None:
    world = await start(workers=0)
    await world.meta.writes(ana, {"type": "text", "text": {"body": "Confirma el pedido A-17 a Luis"}})
    conversation = await world.redis.get(f"recado:identity:{ana.bsuid}")
    # As five workers left it that died of it.
    acted = ToolResult(
        call_id="r0c0",
        name="send_template",
        arguments={},
        result="Done",
        outcome="ok",
        milliseconds=1,
        acted=True,
    )
    await answer(world.redis.hset(key(conversation, "turn"), mapping={"count": "1", "tries": "5"}))
    await answer(world.redis.rpush(key(conversation, "journal"), acted.model_dump_json()))
    async with running(world.settings, QUEUES, 5):
        (reply,) = await world.meta.replies(ana)
    assert reply.text == phrase("acted", "es")
    ended = await recado("queues", "retry", conversation)
    assert ended.code == 1
    assert "send_template had acted already" in ended.err


@pytest.mark.parametrize(
    ("kept", "which"),
    [("carried", "younger"), ("carried", "older"), ("left", "younger"), ("left", "--all"), ("both", "--all")],
)
async def test_what_failed_before_two_became_one_is_answered_where_they_are_one(
    start: Start, kept: str, which: str
) -> None:
    world = await start()
    world.models.will(says("uno"), *[fails(402)] * 2, says("tres"), says("Cuesta 200 pesos."))
    await written(world, "wamid.1", "por teléfono", PHONE, None)
    await settled(world)
    await written(world, "wamid.2", "¿Cuánto cuesta el plan?", None, ANA)
    await settled(world)
    home, gone = await conversation_of(world, PHONE), await conversation_of(world, ANA)
    await written(world, "wamid.3", "con los dos", PHONE, ANA)
    await settled(world)
    if kept != "carried":
        # As an older Recado left it, or one that died halfway.
        copied = await world.redis.copy(key(home, "aside"), key(gone, "aside"))
        assert copied
        await world.redis.zadd("recado:aside", {gone: 1})
    if kept == "left":
        await world.redis.delete(key(home, "aside"))
    before = len(world.meta.accepted)
    told = await queues("retry", {"younger": gone, "older": home}.get(which, which))
    assert told == {"retried": {"jobs": 0, "messages": 1}}
    await settled(world)
    assert [sent.text for sent in world.meta.accepted[before:]] == ["Cuesta 200 pesos."]
    assert (await ends(world, ANA))["wamid.2"] == "answered"
    assert "¿Cuánto cuesta el plan?" in [text for _, text in await remembered(world, ANA)]
    assert not await world.redis.exists(*(key(gone, part) for part in ("aside", "waiting", "memory", "ledger")))


async def test_what_is_dropped_stays_unanswered(start: Start, ana: Person) -> None:
    world = await unanswered(start, ana)
    assert await queues("drop", "--all", "--yes") == {"dropped": {"jobs": 0, "messages": 1}}
    assert (await queues("show"))["set_aside"] == []
    assert len(world.meta.sent_to(ana)) == 1


async def test_without_a_terminal_nothing_is_dropped_unless_it_was_meant(start: Start, ana: Person) -> None:
    await unanswered(start, ana)
    ended = await recado("queues", "drop", "--all")
    assert (ended.code, ended.out) == (2, "")
    assert "would be deleted: 1 messages of c_" in ended.err
    assert "--yes" in ended.err
    assert len((await queues("show"))["set_aside"]) == 1


async def test_a_job_that_failed_for_good_is_shown_and_can_be_dropped(start: Start) -> None:
    world = await start()
    await add(world.redis, "notification", "template", {"to": "nobody"}, "erp-7")

    async def given_up() -> Any:
        return (await queues("show"))["failed"]

    (job,) = await eventually(given_up)
    assert (job["queue"], job["id"], job["name"], job["tries"]) == ("notification", "erp-7", "template", 1)
    assert "template" in job["reason"]
    assert await queues("retry", "erp-7") == {"retried": {"jobs": 1, "messages": 0}}
    await eventually(given_up)
    assert await queues("drop", "erp-7", "--yes") == {"dropped": {"jobs": 1, "messages": 0}}
    assert await given_up() == []


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("retry",), 2, "expected an id, or --all"),
        (("retry", "nope"), 1, "nothing that failed or was set aside is called nope"),
        (("drop", "nope"), 1, "nothing that failed or was set aside is called nope"),
        (("retry", "--all"), 1, "retried: 0 jobs, 0 messages"),
        (("drop", "--all"), 1, "dropped: 0 jobs, 0 messages"),
        (("show", "--format", "xml"), 2, "expected text or json"),
    ],
)
async def test_wrong_use_and_nothing_to_do_are_told_apart(
    start: Start, command: tuple[str, ...], code: int, told: str
) -> None:
    await start(workers=0)
    ended: Ended = await recado("queues", *command)
    assert ended.code == code
    assert told in " ".join((ended.out + ended.err).replace("│", " ").split())


async def test_everything_that_is_set_aside_in_one_conversation_is_kept_and_retried(redis: Redis) -> None:
    conversation, now = f"c_{'0' * 20}", datetime.now(UTC)
    pipeline = redis.pipeline(transaction=True)
    for number in range(30):
        message = Inbound(
            id=f"wamid.{number}", sent_at=now, received_at=now, phone="5215512345678", content=Text(body="x")
        )
        dead_letters.put(
            pipeline, conversation, dead_letters.DeadLetter(reason="no model answered", at=now, messages=(message,))
        )
    await pipeline.execute()
    assert len(await dead_letters.DeadLetters(redis).of(conversation)) == 30
    assert await dead_letters.DeadLetters(redis).retry(conversation) == 30
