"""Tools: their results and arguments, and the conversation that they work in."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.agent.tool import Tool, ToolContext, ToolError, ToolServices
from bot.agent.tools.business import business_hours
from bot.agent.tools.catalog import TABLE, tools_for
from bot.agent.tools.handoff import talk_to_a_person
from bot.agent.tools.push import notify_me
from bot.conversations.contacts import Contact, Contacts
from bot.conversations.handoff import HandOff
from bot.conversations.lease import ConversationLeases
from bot.conversations.memory import Memory
from bot.delivery.factory import outbox_of
from bot.delivery.notifications import Notifications
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer, key
from bot.integrations.push.invitations import Invitation, InvitationLinks
from bot.messages.outbound import LinkButton
from bot.prompting.linter import PromptVocabulary, check_folder
from bot.settings import Settings
from bot.whatsapp.client import Graph
from bot.whatsapp.templates.registry import Templates
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.paths import ROOT
from tests.processes import eventually
from tests.rows import each
from tests.world import Start, World

TOOLS = [row.tool for row in TABLE]
CONVERSATION = f"c_{'0' * 20}"
# A Tuesday, when the business of the repository's prompts is open.
NOW = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("America/Mexico_City"))


@pytest.fixture
async def context(redis: Redis) -> AsyncIterator[ToolContext]:
    settings = Settings()
    async with aiohttp.ClientSession() as http:
        graph, leases = Graph(http, settings.whatsapp), ConversationLeases(redis, lease_seconds=6)
        templates, memory = Templates(redis, graph, default_language="es"), Memory(redis, settings.memory)
        contacts = Contacts(redis)
        outbox = outbox_of(redis, graph, leases, contacts, templates, settings)
        yield _context(redis, Notifications(redis, leases, contacts, memory, outbox, templates))


def _context(redis: Redis, notices: Notifications) -> ToolContext:
    return ToolContext(
        conversation=CONVERSATION,
        contact=Contact(phone="5215512345678"),
        language="es",
        now=NOW,
        business=check_folder(ROOT / "prompts", PromptVocabulary()).release().business,
        services=ToolServices(
            handoff=HandOff(Contacts(redis), LiveEvents(redis)),
            notifications=notices,
            push=Invitation(InvitationLinks(redis), "https://recado.example.com"),
        ),
        effect="t_1.r0c0",
    )


@each("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_tells_the_model_what_it_does_and_takes(tool: Tool[Any]) -> None:
    offer = tool.offer
    assert len(offer.description) > 40
    assert "  " not in offer.description
    assert offer.parameters["type"] == "object"
    assert offer.parameters["additionalProperties"] is False
    for name, argument in offer.parameters["properties"].items():
        assert argument.get("description"), name
    json.dumps(offer.parameters)


def test_tools_have_unique_names_and_the_documented_ones_exist() -> None:
    names = [tool.name for tool in TOOLS]
    assert len(names) == len(set(names))
    assert {"business_hours", "talk_to_a_person", "send_template"} <= set(names)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@pytest.mark.parametrize(
    "claim", [{"conversation": "c_1"}, {"phone": "5215500000000"}, {"contact": "somebody"}, {"effect": "t_0"}]
)
async def test_identity_can_not_be_an_argument(tool: Tool[Any], claim: dict[str, str], context: ToolContext) -> None:
    with pytest.raises(ToolError, match=next(iter(claim))):
        await tool.call(claim, context)


async def test_business_hours_say_what_is_open_now_and_next(context: ToolContext) -> None:
    told = json.loads(await business_hours.call({}, context))
    assert (told["now"], told["open_now"], told["opens_next"]) == (
        "Tuesday 2026-11-24 10:00",
        True,
        "Wednesday 2026-11-25 09:00",
    )
    assert (told["hours"]["monday"], told["hours"]["sunday"]) == (["09:00-19:00"], "closed")
    assert told["closed_on"] == ["2026-12-25", "2027-01-01"]
    assert "Insurgentes" in told["facts"]


async def test_past_days_off_are_left_out(context: ToolContext) -> None:
    later = replace(context, now=NOW.replace(year=2027, month=6))
    assert json.loads(await business_hours.call({}, later))["closed_on"] == []


async def test_calling_a_person_makes_the_bot_quiet_in_this_conversation_alone(
    context: ToolContext, redis: Redis
) -> None:
    await talk_to_a_person.call({"reason": "Quiere un reembolso"}, context)
    contacts = Contacts(redis)
    assert (await contacts.get(CONVERSATION)).handed_off
    assert not (await contacts.get(f"c_{'1' * 20}")).handed_off


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "reason: Field required"),
        ({"reason": ""}, "at least 3 characters"),
        ({"reason": 7}, "valid string"),
        ({"reason": "x" * 501}, "at most 500 characters"),
        ({"reason": "Quiere más", "urgent": True}, "urgent: Extra inputs are not permitted"),
    ],
)
async def test_wrong_arguments_are_told_and_nothing_is_done(
    context: ToolContext, redis: Redis, arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(ToolError, match=told):
        await talk_to_a_person.call(arguments, context)
    assert not (await Contacts(redis).get(CONVERSATION)).handed_off


async def tool_results(world: World, ana: Person) -> list[str]:
    """Tool results in the last request to the model."""
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿A qué hora abren?"}})
    await world.meta.replies(ana)
    return [line["content"] for line in world.models.requests[-1]["messages"] if line["role"] == "tool"]


async def test_a_tool_that_does_not_exist_is_told_to_the_model_which_answers(world: World, ana: Person) -> None:
    world.models.will(calls(("refund_everything", {"amount": 1})), says("No puedo hacer eso."))
    (told,) = await tool_results(world, ana)
    assert told.startswith("Error: there is no tool 'refund_everything'")
    assert "business_hours" in told
    assert [reply.text for reply in world.meta.sent_to(ana)] == ["No puedo hacer eso."]


async def test_wrong_arguments_are_told_to_the_model_which_tries_again(world: World, ana: Person) -> None:
    world.models.will(
        calls(("talk_to_a_person", {"why": "ayuda"})),
        calls(("talk_to_a_person", {"reason": "Pide ayuda"})),
        says("Ya viene alguien."),
    )
    first, second = await tool_results(world, ana)
    assert first.startswith("Error: wrong arguments: ")
    assert second.startswith("Done")
    assert [reply.text for reply in world.meta.sent_to(ana)] == ["Ya viene alguien."]


async def test_several_tools_of_one_answer_each_have_their_result(world: World, ana: Person) -> None:
    world.models.will(
        calls(("business_hours", {}), ("no_such_tool", {}), ("business_hours", {"day": "monday"})), says("Listo.")
    )
    good, unknown, wrong = await tool_results(world, ana)
    assert json.loads(good)["hours"]
    assert "no tool" in unknown
    assert "day: Extra inputs" in wrong
    request = world.models.requests[-1]["messages"]
    asked = [call["id"] for line in request for call in line.get("tool_calls") or ()]
    assert [line["tool_call_id"] for line in request if line["role"] == "tool"] == asked
    assert len(set(asked)) == 3


async def test_notifications_are_offered_by_a_button_with_a_link_for_this_customer_alone(
    context: ToolContext, redis: Redis
) -> None:
    english = replace(context, contact=Contact(phone="1"), language="en")
    for tool_context, label in ((context, "Activar avisos"), (english, "Turn on")):
        await notify_me.call({}, tool_context)
        (button,) = tool_context.parts
        tool_context.parts.clear()
        assert isinstance(button, LinkButton)
        assert button.label == label
        assert button.url.startswith("https://recado.example.com/push/")
        assert await InvitationLinks(redis).conversation(button.url.rpartition("/")[2]) == CONVERSATION


def test_notifications_are_offered_only_where_they_are_set_up(context: ToolContext) -> None:
    assert notify_me in tools_for(context)
    assert notify_me not in tools_for(replace(context, services=replace(context.services, push=None)))


async def test_a_tool_that_redis_refused_succeeds_when_the_turn_is_retried(start: Start, ana: Person) -> None:
    world = await start(STAFF_CONTACTS=str(ana.phone))
    order = {"name": "Luis", "order": "A-1", "total": "$10"}
    asked = {"to": "5215500000002", "template": "order_confirmation", "parameters": order}
    world.models.will(calls(("send_template", asked)), says("Enviado."))
    # Redis refuses to read a string as a hash, before any write.
    await world.redis.set("bull:notification:meta", "no hash")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "confirma el pedido A-1 a Luis"}})

    async def tried_again() -> bool:
        conversation = await world.redis.get(f"recado:identity:{ana.bsuid}")
        return int(await answer(world.redis.hget(key(conversation or "", "turn"), "tries")) or 0) > 1

    await eventually(tried_again)
    await world.redis.delete("bull:notification:meta")
    await world.meta.wait_for(lambda: len(world.meta.accepted) == 2)
    assert {message.type for message in world.meta.accepted} == {"template", "text"}
    # The model never read of Redis's fault, and got each request once.
    assert len(world.models.requests) == 2
    assert "out of order" not in json.dumps(world.models.requests)
