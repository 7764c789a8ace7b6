"""Whoever gets a number that was another person's gets nothing of theirs with it, and has ways to settle it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.conversations.contacts import Contacts
from bot.conversations.waiting_list import WaitingList
from bot.infra import queue_admin, queues
from bot.infra.live_events import LiveEvents
from sandbox.meta.simulator import Person
from sandbox.phone.demo_customers import customer, subscribe
from sandbox.simulators.openrouter import calls, says
from tests.billing import asks, billing, last_tool_result, mails, stripe_of, stripe_settled, subscriber, taps
from tests.integrations.stripe.test_plan_changes import offered_pro, price
from tests.integrations.stripe.test_stripe_events import refuse_renewals, renewed
from tests.notifications import contact_of, post, settled
from tests.outgoing import acquainted, conversation_of, events, text
from tests.processes import eventually, recado
from tests.world import Start, World

HEIR = Person(phone="5215512345678", bsuid="MX.7700000000000001", name="Otro")


async def says_hello(world: World, person: Person) -> list[str]:
    """They write; the names of the tools that the model may call for them."""
    world.models.will(says("Hola."))
    before = len(world.meta.sent_to(person))
    await world.meta.writes(person, text("hola"))
    await world.meta.replies(person, before + 1)
    await settled(world)
    return [tool["function"]["name"] for tool in world.models.requests[-1]["tools"]]


async def test_an_heir_gets_no_plan_of_a_former_owner_who_never_asked_for_theirs(shop: World, ana: Person) -> None:
    await acquainted(shop, ana)
    await subscriber(shop, ana)
    await asks(shop, HEIR, "¿qué plan tengo?", "get_subscription")
    assert "their number was another person's before" in last_tool_result(shop)
    refuse_renewals(shop)
    before = len(shop.meta.accepted)
    await renewed(shop)
    assert shop.meta.accepted[before:] == []


async def test_an_heir_who_proves_the_address_of_the_account_gets_it(shop: World, ana: Person) -> None:
    await acquainted(shop, ana)
    owner = customer(stripe_of(shop), ana.phone, "Ana", "ana@example.com")
    subscribe(stripe_of(shop), owner)
    await stripe_settled(shop)
    await asks(shop, HEIR, "ana@example.com", "verify_email", email="ana@example.com")
    code = next(mail["data"]["code"] for mail in await mails(shop) if mail["template"] == "verify_email")
    await asks(shop, HEIR, code, "confirm_code", code=code)
    assert stripe_of(shop).account.get("customer", owner)["metadata"] == {"whatsapp_id": HEIR.bsuid}
    await asks(shop, HEIR, "¿qué plan tengo?", "get_subscription")
    assert json.loads(last_tool_result(shop))["plan"] == "Básico"


async def test_a_person_whose_bsuid_changes_keeps_plan_and_role(start: Start, stripe: Any, ana: Person) -> None:
    world = await start(**billing(stripe), stripe=stripe, STAFF_CONTACTS=str(ana.phone))
    await acquainted(world, ana)
    await subscriber(world, ana)
    await post(world, "user_id_update")
    changed = Person(phone=ana.phone, bsuid="MX.9900000000000003", name="Ana")
    await asks(world, changed, "¿qué plan tengo?", "get_subscription")
    assert json.loads(last_tool_result(world))["plan"] == "Básico"
    assert (await contact_of(world, changed.bsuid)).role == "staff"


async def test_a_new_bsuid_that_wrote_before_the_news_has_the_role_afterwards(start: Start, ana: Person) -> None:
    world = await start(STAFF_CONTACTS=str(ana.phone))
    await says_hello(world, ana)
    changed = Person(phone=ana.phone, bsuid="MX.9900000000000003", name="Ana")
    assert "send_template" not in await says_hello(world, changed)
    await post(world, "user_id_update")
    assert "send_template" in await says_hello(world, changed)


@pytest.mark.parametrize(
    ("listed", "ana_is", "heir_is"),
    [
        (HEIR.phone, "customer", "customer"),
        ("+52 55 1234 5678", "customer", "customer"),
        (HEIR.bsuid, "customer", "staff"),
        (f"{HEIR.phone},{HEIR.bsuid}", "customer", "staff"),
        ("MX.8801234567890123", "staff", "customer"),
    ],
)
async def test_an_heir_is_staff_by_their_bsuid_alone(
    start: Start, ana: Person, listed: str, ana_is: str, heir_is: str
) -> None:
    world = await start(STAFF_CONTACTS=listed)
    first = "send_template" in await says_hello(world, ana)
    assert first == (listed != HEIR.bsuid)
    assert ("send_template" in await says_hello(world, HEIR)) == (heir_is == "staff")
    roles = (await contact_of(world, ana.bsuid)).role, (await contact_of(world, HEIR.bsuid)).role
    assert roles == (ana_is, heir_is)


async def test_an_operator_is_told_once_that_a_listed_number_has_a_new_owner(start: Start, ana: Person) -> None:
    world = await start(STAFF_CONTACTS=str(ana.phone))
    await says_hello(world, ana)
    async with events(world.redis) as following:
        for _ in range(3):
            await says_hello(world, HEIR)
        await LiveEvents(world.redis).publish({"type": "handoff", "conversation": "the last"})
        told = await following("handoff")
        assert (await following("handoff"))["conversation"] == "the last"
    assert told["conversation"] == await conversation_of(world, HEIR)
    assert "put the BSUID there" in told["reason"]
    assert str(HEIR.phone) not in told["reason"]


@pytest.mark.parametrize(
    ("listed", "phone"),
    [("551131234567", "5511931234567"), ("5511931234567", "551131234567"), ("5511987654321", "551187654321")],
)
async def test_a_role_needs_the_exact_number(start: Start, listed: str, phone: str) -> None:
    world = await start(STAFF_CONTACTS=listed)
    assert "send_template" not in await says_hello(world, Person(phone=phone, bsuid="BR.1", name="Bia"))


async def test_a_number_that_a_person_moved_to_gives_no_role_of_its_former_owner(start: Start, ana: Person) -> None:
    leo = Person(phone="5215599990000", bsuid="MX.7700000000000000", name="Leo")
    world = await start(STAFF_CONTACTS=str(leo.phone))
    world.models.will(says("anotado"))
    await world.meta.writes(leo, text("mi clave es girasol"))
    await world.meta.replies(leo)
    await says_hello(world, ana)
    await post(world, "system_user_changed_number")
    moved = Person(phone=leo.phone, bsuid="MX.9900000000000001", name="Ana")
    assert "send_template" not in await says_hello(world, moved)
    assert "girasol" not in str(world.models.requests[-1])
    assert "Ana" not in str((await contact_of(world, leo.bsuid)).name)
    assert (await contact_of(world, leo.bsuid)).phone is None
    await says_hello(world, Person(phone=None, bsuid=leo.bsuid, name="Leo"))
    assert "girasol" in str(world.models.requests[-1])


async def test_an_heirs_tap_on_a_former_owners_card_does_nothing(shop: World, ana: Person) -> None:
    subscription, (confirm, _), shown = await offered_pro(shop, ana)
    assert "Pro" in shown
    assert "ya no vale" in await taps(shop, HEIR, confirm)
    assert price(shop, subscription) == 19900


async def test_what_is_exported_and_erased_by_a_number_is_its_present_owners(world: World, ana: Person) -> None:
    world.models.will(calls(("business_hours", {})), says("anotado"))
    await world.meta.writes(ana, text("mi clave es girasol"))
    await world.meta.replies(ana)
    await says_hello(world, HEIR)
    found = (await recado("contacts", "export", str(ana.phone))).out
    assert "girasol" not in found
    assert HEIR.bsuid in found
    assert (await recado("contacts", "erase", "--yes", str(ana.phone))).code == 0
    kept = (await recado("contacts", "export", ana.bsuid)).out
    assert "girasol" in kept
    assert str(ana.phone) not in json.loads(kept)["identities"]


async def test_a_job_that_names_a_number_is_of_who_had_it_then(world: World, ana: Person) -> None:
    await says_hello(world, ana)
    for person, parameters in ((ana, {"name": "Ana"}), (HEIR, {"name": "Otro"})):
        await says_hello(world, person)
        data = {"to": "525512345678", "template": "nowhere", "parameters": parameters}
        await queues.add(world.redis, "notification", "template", data, f"job-of-{person.name}")

        async def failed(job: str = f"job-of-{person.name}") -> bool:
            return any(
                listed.id == job and listed.job.failedReason
                for listed in await queue_admin.jobs_about(world.redis, lambda _: True)
            )

        await eventually(failed)
    for identity, mine in ((str(ana.phone), "Otro"), (HEIR.bsuid, "Otro"), (ana.bsuid, "Ana")):
        shown = json.loads((await recado("contacts", "export", identity)).out)["jobs"]
        assert [shown_job["data"]["parameters"]["name"] for shown_job in shown] == [mine]
    assert "1 jobs" in (await recado("contacts", "erase", "--yes", ana.bsuid)).out
    left = await queue_admin.jobs_about(world.redis, lambda text: "nowhere" in text)
    assert [job.id for job in left] == ["job-of-Otro"]


async def test_what_a_phone_was_outlives_the_erasure_of_who_had_it(start: Start, ana: Person) -> None:
    world = await start(STAFF_CONTACTS=str(ana.phone))
    await says_hello(world, ana)
    assert (await recado("contacts", "erase", "--yes", ana.bsuid)).code == 0
    assert "send_template" not in await says_hello(world, HEIR)
    assert (await recado("contacts", "erase", "--yes", HEIR.bsuid)).code == 0
    assert "send_template" not in await says_hello(world, HEIR)


async def test_who_was_erased_and_writes_again_has_their_role(start: Start, ana: Person) -> None:
    world = await start(STAFF_CONTACTS=str(ana.phone))
    await says_hello(world, ana)
    assert (await recado("contacts", "erase", "--yes", ana.bsuid)).code == 0
    assert "send_template" in await says_hello(world, ana)


async def test_a_message_of_a_former_owner_that_waited_does_not_give_them_the_number_back(
    start: Start, ana: Person
) -> None:
    world = await start(workers=0)
    await world.meta.writes(ana, text("hola"))
    mine = await conversation_of(world, ana)
    await world.meta.writes(HEIR, text("hola"))
    contacts = Contacts(world.redis, [str(ana.phone)])
    messages = await WaitingList(world.redis).messages(mine)
    seen = await contacts.update_from(mine, messages, "es", await contacts.get(mine))
    assert (seen.phone, seen.role) == (None, "customer")
