"""Service messages of a month, by Meta's charge: counted for each number, and told when the free ones are used up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.infra.redis import answer
from bot.messages.outbound import Say
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import empty_value
from tests.notifications import post_raw
from tests.outgoing import acquainted, events, metric, put
from tests.world import World

MONTH = "recado_service_messages_month"
FREE = "free_customer_service"


async def test_each_number_has_its_count_of_the_month(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    await world.meta.idle()
    assert await metric(world, MONTH, number=world.meta.phone_number_id, type=FREE) == 1


async def test_the_last_free_message_of_a_month_is_told_once(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await world.meta.idle()
    field = f"{world.meta.phone_number_id} {FREE}"
    await answer(world.redis.hset(f"recado:service_messages:{datetime.now(UTC):%Y-%m}", field, "999"))
    async with events(world.redis) as following:
        await put(world, conversation, ana, Say(body="uno"))
        alert = await following("alert")
    assert (alert["kind"], alert["severity"]) == ("free_service_messages", "warning")
    assert await metric(world, MONTH, type=FREE) == 1000


async def test_an_exempt_message_is_counted_as_such(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    pricing = {"pricing_model": "PMP", "type": "regular", "subtype": "paid_exempt", "category": "service"}
    status: dict[str, Any] = {"id": "wamid.E", "status": "sent", "timestamp": "1795500000", "recipient_id": ana.phone}
    status |= {"pricing": pricing, "biz_opaque_callback_data": f"{conversation}.exempt.0"}
    value = empty_value(world.meta.business) | {"statuses": [status]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    await post_raw(world, {"object": "whatsapp_business_account", "entry": [entry]})
    assert await metric(world, MONTH, type="paid_exempt") == 1
    assert await metric(world, "recado_pricing_total", category="service", type="paid_exempt") >= 1
    assert await metric(world, MONTH, type="regular") == 0
