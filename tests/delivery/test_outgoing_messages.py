"""What leaves, as Meta receives it: the error table, the window, the pace, the pause, and what statuses tell later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.conversations.contacts import Contacts
from bot.delivery.outbox import WAIT_SECONDS
from bot.infra.redis import answer, key
from bot.messages.outbound import Buttons, Choice, Say, Template
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import empty_value
from sandbox.simulators.openrouter import calls, says
from tests.notifications import post_raw
from tests.outgoing import acquainted, bodies, conversation_of, empty, events, free, metric, put, text
from tests.processes import eventually
from tests.world import Start, World

CHOICES = (Choice(id="1", title="Básico"), Choice(id="2", title="Negocio"))
REMINDER = Template(
    name="payment_reminder", language="es", parameters={"name": "Ana", "amount": "10", "date": "1 de enero"}
)


# ---- the model's choices


async def test_the_model_may_offer_buttons_and_reads_the_tap(world: World, ana: Person) -> None:
    options = {"text": "¿Qué plan?", "choices": [{"title": "Básico"}, {"title": "Negocio"}]}
    world.models.will(calls(("offer_choices", options)), says("Tenemos dos."), says("Buena elección."))
    await world.meta.writes(ana, text("¿qué planes hay?"))
    (reply,) = await world.meta.replies(ana)
    assert reply.request["interactive"]["body"] == {"text": "Tenemos dos.\n\n¿Qué plan?"}
    shown = [button["reply"] for button in reply.request["interactive"]["action"]["buttons"]]
    assert [button["title"] for button in shown] == ["Básico", "Negocio"]
    tap = {"type": "button_reply", "button_reply": shown[1]}
    await world.meta.writes(ana, {"type": "interactive", "interactive": tap}, context=reply.wamid)
    await world.meta.replies(ana, 2)
    said = world.models.requests[2]["messages"]
    assert "(to tap: Básico | Negocio)" in said[2]["content"]
    assert "Negocio" in said[-1]["content"]


async def test_choices_with_descriptions_are_a_list(world: World, ana: Person) -> None:
    options = [{"title": f"Plan {n}", "description": f"{n} al mes"} for n in range(5)]
    world.models.will(calls(("offer_choices", {"text": "¿Cuál?", "choices": options})), says("-"))
    await world.meta.writes(ana, text("planes"))
    (reply,) = await world.meta.replies(ana)
    assert reply.request["interactive"]["type"] == "list"
    assert reply.request["interactive"]["body"] == {"text": "¿Cuál?"}


@pytest.mark.parametrize(
    ("tool", "arguments", "kind"),
    [
        ("ask_location", {"text": "¿Dónde estás?"}, "location_request_message"),
        ("send_link", {"text": "Tu factura", "label": "Abrir", "url": "https://recado.example/1"}, "cta_url"),
    ],
)
async def test_the_model_may_ask_for_a_place_and_show_a_link(
    world: World, ana: Person, tool: str, arguments: dict[str, str], kind: str
) -> None:
    world.models.will(calls((tool, arguments)), says("-"))
    await world.meta.writes(ana, text("hola"))
    (reply,) = await world.meta.replies(ana)
    assert reply.request["interactive"]["type"] == kind


# ---- the error table, in the answer to the call


# Which code stands for what, all of them, is in tests/whatsapp/test_errors.py; here is what is done about each kind.
@pytest.mark.parametrize("code", [131000, 130429, 131056], ids=["a fault", "the number's rate", "the person's rate"])
async def test_what_can_pass_is_tried_again(world: World, ana: Person, code: int) -> None:
    conversation = await acquainted(world, ana)
    world.meta.will_refuse(code)
    await put(world, conversation, ana, Say(body="uno"), Say(body="dos"))
    await world.meta.replies(ana, 2)
    assert bodies(world, ana) == ["uno", "dos"]


@pytest.mark.parametrize("code", [131026, 131050, 131049, 100], ids=["gone", "opted out", "a person", "an operator"])
async def test_what_is_permanent_is_never_sent_again_and_the_rest_goes_on(world: World, ana: Person, code: int) -> None:
    conversation = await acquainted(world, ana)
    world.meta.will_refuse(code)
    await put(world, conversation, ana, Say(body="uno"), Say(body="dos"))
    await world.meta.replies(ana)
    await eventually(lambda: empty(world, conversation))
    assert bodies(world, ana) == ["dos"]
    # Counted after the step that empties the queue.
    await eventually(lambda: metric(world, "recado_replies_total", outcome="failed"))


@pytest.mark.parametrize("code", [190, 131031], ids=["the token", "the account"])
async def test_while_nobody_can_send_replies_wait_and_leave_when_it_is_over(
    world: World, ana: Person, code: int
) -> None:
    conversation = await acquainted(world, ana)
    async with events(world.redis) as following:
        world.meta.will_refuse(code)
        await put(world, conversation, ana, Say(body="uno"))
        alert = await following("alert")
    assert alert["kind"] == "sending_paused"
    assert f"error {code}" in alert["words"]
    assert await metric(world, "recado_alerts_total", kind="sending_paused") >= 1
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "uno"


async def test_with_a_token_that_ran_out_all_wait_and_all_are_answered_in_the_end(start: Start) -> None:
    world = await start(workers=2)
    people = [Person(phone=f"52155000000{n:02}", bsuid=f"MX.55000000{n:02}", name=f"P{n}") for n in range(5)]
    world.meta.will_refuse(190, times=5)
    for person in people:
        await world.meta.writes(person, text("hola"))
    await eventually(lambda: _paused(world))
    for person in people:
        assert len(await world.meta.replies(person)) == 1
    assert await metric(world, "recado_sending_paused") == 0


async def _paused(world: World) -> bool:
    return await metric(world, "recado_sending_paused") == 1


# ---- the window


async def test_free_text_outside_the_window_waits_until_the_person_writes(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana, hours_ago=25)
    async with events(world.redis) as following:
        await put(world, conversation, ana, Say(body="tu pedido llegó"))
        told = await following("delivery")
    assert told["state"] == "waiting_for_contact"
    assert bodies(world, ana) == []
    assert await metric(world, "recado_replies_total", outcome="waiting_for_contact") >= 1
    world.models.will(says("hola otra vez"))
    await world.meta.writes(ana, text("¿hay novedades?"))
    await world.meta.replies(ana, 2)
    assert bodies(world, ana) == ["tu pedido llegó", "hola otra vez"]


async def test_what_waits_for_somebody_who_never_writes_ends_by_itself_and_is_told(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana, hours_ago=25)
    waits = "recado:resend"
    for name in ("x1", "x2"):
        await put(world, conversation, ana, Say(body=name), name=name)
        await eventually(lambda: free(world.redis, conversation))
    await eventually(lambda: world.redis.zscore(waits, conversation))
    # It is looked at again when the first of them is to end, by whichever worker is there then.
    until = await world.redis.zscore(waits, conversation)
    record = key(conversation, "delivery", f"{conversation}.x1.0")
    since = float(str(await answer(world.redis.hget(record, "waiting_since"))))
    assert until == pytest.approx(since + WAIT_SECONDS)
    await answer(world.redis.hset(record, "waiting_since", str(since - WAIT_SECONDS)))
    async with events(world.redis) as following:
        await world.redis.zadd(waits, {conversation: since})
        told = await following("delivery")
    assert (told["reply"], told["state"]) == ("x1", "expired")
    assert "14 days" in told["words"]
    await eventually(lambda: free(world.redis, conversation))
    (left,) = await answer(world.redis.lrange(key(conversation, "outbox"), 0, -1))
    assert "x2" in left
    assert await metric(world, "recado_replies_total", outcome="expired") == 1
    assert bodies(world, ana) == []
    assert (await world.redis.zscore(waits, conversation) or 0) > since + WAIT_SECONDS / 2


async def test_a_template_leaves_in_its_place_and_past_what_waits(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana, hours_ago=25)
    await put(world, conversation, ana, Say(body="espera"), name="x1")
    await put(world, conversation, ana, Say(body="mañana vence"), name="x2", fallback=REMINDER)
    (reply,) = await world.meta.replies(ana)
    assert reply.request["template"]["name"] == "payment_reminder"
    await eventually(lambda: free(world.redis, conversation))
    (left,) = await answer(world.redis.lrange(key(conversation, "outbox"), 0, -1))
    assert "espera" in left


@pytest.mark.parametrize("how", ["refused", "failed"])
async def test_when_meta_alone_knows_that_the_window_is_closed_it_is_heeded(
    world: World, ana: Person, how: str
) -> None:
    conversation = await acquainted(world, ana, hours_ago=1)
    world.meta.will_refuse(131047) if how == "refused" else world.meta.will_fail(131047)
    await put(world, conversation, ana, Say(body="uno"), name="x1")
    await eventually(lambda: _waits(world))
    assert len(world.meta.sent_to(ana)) == (how == "failed")
    world.meta.accepted.clear()
    world.models.will(says("dos"))
    await world.meta.writes(ana, text("aquí estoy"))
    await world.meta.replies(ana, 2)
    assert bodies(world, ana) == ["uno", "dos"]


async def _waits(world: World) -> bool:
    return await metric(world, "recado_replies_total", outcome="waiting_for_contact") >= 1


async def test_a_colleagues_own_message_is_not_sent_to_somebody_who_opted_out(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await Contacts(world.redis).choose_marketing(conversation, wanted=False, at=datetime.now(UTC))
    await put(world, conversation, ana, Say(body="¡oferta!"), name="x1", own=True)
    await put(world, conversation, ana, Say(body="tu respuesta"), name="x2")
    await world.meta.replies(ana)
    assert bodies(world, ana) == ["tu respuesta"]
    assert await metric(world, "recado_replies_total", outcome="refused") >= 1


# ---- what statuses tell later


async def test_what_failed_for_a_while_is_sent_again(world: World) -> None:
    codes = (131000, 130429, 131056)
    people = [Person(phone=f"5215500000{code % 1000:03}", bsuid=f"MX.{code}", name="P") for code in codes]
    conversations = [await acquainted(world, person) for person in people]
    for code, person, conversation in zip(codes, people, conversations, strict=True):
        world.meta.will_fail(code, to=person.phone)
        await put(world, conversation, person, Say(body="uno"))
    for person, conversation in zip(people, conversations, strict=True):
        await world.meta.replies(person, 2)
        assert bodies(world, person) == ["uno", "uno"]
        await eventually(lambda: empty(world, conversation))  # noqa: B023 - awaited in the round


async def test_what_fails_always_is_given_up_and_the_conversation_shows_it(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    async with events(world.redis) as following:
        world.meta.will_fail(131049)
        await put(world, conversation, ana, Say(body="uno"))
        told = await following("delivery")
    assert (told["state"], told["error"], told["reply"]) == ("undelivered", 131049, "x1")
    record = await answer(world.redis.hgetall(key(conversation, "delivery", f"{conversation}.x1.0")))
    assert (record["status"], record["error"]) == ("failed", "131049")
    assert "reply" not in record
    assert len(bodies(world, ana)) == 1


async def test_somebody_who_never_gets_anything_is_unreachable_until_they_write(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    world.meta.will_fail(131026, times=3)
    for number in range(3):
        await put(world, conversation, ana, Say(body="uno"), name=f"x{number}")
        await eventually(lambda: empty(world, conversation))
        await eventually(lambda: _undelivered(world, number + 1))  # noqa: B023 - awaited before the next round
    contacts = Contacts(world.redis)
    assert (await contacts.get(conversation)).unreachable
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana, 4)
    assert not (await contacts.get(conversation)).unreachable


async def _undelivered(world: World, count: int) -> bool:
    contact = await world.redis.hget(key(await _only(world), "contact"), "undeliverable")  # type: ignore[misc]
    return int(contact or 0) >= count


async def _only(world: World) -> str:
    (name,) = await world.redis.keys("recado:{c_*}:contact")
    return str(name).partition("{")[2].partition("}")[0]


async def test_meta_telling_of_a_stop_is_an_opt_out(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    world.meta.will_refuse(131050)
    await put(world, conversation, ana, Say(body="¡oferta!"))
    await eventually(lambda: _opted_out(world, conversation))


async def _opted_out(world: World, conversation: str) -> bool:
    return (await Contacts(world.redis).get(conversation)).marketing_opt_out


async def test_a_failed_status_of_a_lost_token_pauses_and_the_message_leaves_later(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    world.meta.will_fail(190)
    await put(world, conversation, ana, Say(body="uno"))
    await world.meta.replies(ana, 2)
    assert bodies(world, ana) == ["uno", "uno"]


async def test_prices_are_counted_once_and_kept_with_the_message(world: World, ana: Person) -> None:
    before = await metric(world, "recado_pricing_total", category="service", type="free_customer_service")
    await world.meta.writes(ana, text("hola"))
    (reply,) = await world.meta.replies(ana)
    await world.meta.idle()
    after = await metric(world, "recado_pricing_total", category="service", type="free_customer_service")
    assert after == before + 1
    callback = reply.request["biz_opaque_callback_data"]
    record = await answer(world.redis.hgetall(key(await conversation_of(world, ana), "delivery", callback)))
    assert record["pricing"] == "free_customer_service service"
    # What it said is not kept once it has arrived.
    assert "reply" not in record


async def test_a_status_without_our_callback_is_known_by_its_wamid(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("hola"))
    (reply,) = await world.meta.replies(ana)
    await world.meta.idle()
    played = {"id": reply.wamid, "status": "played", "timestamp": "1796000000", "recipient_id": ana.phone}
    value = empty_value(world.meta.business) | {"statuses": [played | {"id": "wamid.anothers"}, played]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    await post_raw(world, {"object": "whatsapp_business_account", "entry": [entry]})
    callback = reply.request["biz_opaque_callback_data"]
    record = key(await conversation_of(world, ana), "delivery", callback)
    assert await answer(world.redis.hget(record, "status")) == "played"


async def test_being_charged_as_a_general_assistant_alerts(
    world: World, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await acquainted(world, ana)
    price = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "general_purpose_ai"}
    monkeypatch.setattr("sandbox.meta.statuses._pricing", lambda _: price)
    async with events(world.redis) as following:
        await put(world, conversation, ana, Say(body="uno"))
        alert = await following("alert")
    assert alert["kind"] == "general_purpose_ai"


# ---- the pace


async def test_beyond_the_pair_limit_the_rest_waits_without_a_worker_and_in_order(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    world.meta.accepted.clear()
    for number in range(47):
        await put(world, conversation, ana, Say(body=str(number)), name=f"x{number}")
    await world.meta.replies(ana, 44)
    await eventually(lambda: free(world.redis, conversation))
    await world.meta.replies(ana, 45)
    assert bodies(world, ana) == [str(number) for number in range(45)]
    assert await answer(world.redis.llen(key(conversation, "outbox"))) > 0
    await eventually(lambda: world.redis.zcard("bull:llm:delayed"))
    await eventually(lambda: free(world.redis, conversation))


async def test_all_workers_together_keep_the_numbers_throughput(start: Start) -> None:
    world = await start(workers=2, WHATSAPP_MESSAGES_PER_SECOND="10", TURN_QUIET_SECONDS="0")
    people = [Person(phone=f"52155000000{n:02}", bsuid=f"MX.55000000{n:02}", name=f"P{n}") for n in range(25)]
    async with world.meta.batch():
        for person in people:
            await world.meta.writes(person, text("hola"))
    for person in people:
        await world.meta.replies(person)
    times = sorted(sent.at for sent in world.meta.accepted)
    fastest = [sum(time <= at < time + timedelta(seconds=1) for at in times) for time in times]
    assert max(fastest) <= 12


async def test_buttons_beyond_the_limit_reach_the_person_as_a_list(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    many = tuple(Choice(id=str(n), title=f"Plan {n}") for n in range(4))
    await put(world, conversation, ana, Buttons(body="¿Cuál?", choices=many))
    (reply,) = await world.meta.replies(ana)
    assert reply.request["interactive"]["type"] == "list"


async def test_messages_that_name_the_number_and_those_that_do_not_share_its_pace(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await put(world, conversation, ana, Say(body="uno"), phone_number_id=world.meta.phone_number_id)
    await put(world, conversation, ana, REMINDER, name="x2")
    await world.meta.replies(ana, 2)
    paces = [name async for name in world.redis.scan_iter("recado:pace:*")]
    assert paces == [f"recado:pace:{world.meta.phone_number_id}"]
