"""Links between contacts and customers: in every spelling, immediately after our own change, and never another's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.conversations.contacts import Contact, Contacts
from bot.conversations.identity_resolution import conversation_for
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.customers import BelongsToAnother, CustomerDirectory, SeveralCustomers, forget
from bot.integrations.stripe.errors import StripeObjectGone
from sandbox.phone.demo_customers import customer
from sandbox.stripe import StripeSimulator
from sandbox.stripe.forms import CustomerUpdate
from tests.integrations.stripe.test_stripe_client import settings

PHONE, BSUID = "5215512345678", "MX.8801234567890123"


@pytest.fixture
async def directory(redis: Redis, stripe: StripeSimulator) -> AsyncIterator[CustomerDirectory]:
    async with aiohttp.ClientSession() as http:
        client = Stripe(http, settings(stripe.account.base_url), first_wait=0.01)
        yield CustomerDirectory(redis, client, Contacts(redis))


async def conversation(redis: Redis, phone: str | None = PHONE, bsuid: str | None = BSUID) -> str:
    return await conversation_for(redis, phone, bsuid)


@pytest.mark.parametrize(
    ("written", "contact"),
    [
        (PHONE, Contact(phone=PHONE)),
        ("525512345678", Contact(phone=PHONE)),
        (PHONE, Contact(phone="525512345678", bsuid=BSUID)),
        (f"+{PHONE}", Contact(phone=PHONE)),
        (BSUID, Contact(phone=PHONE, bsuid=BSUID)),
        (BSUID, Contact(bsuid=BSUID)),
    ],
)
async def test_a_customer_is_found_by_every_spelling(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator, written: str, contact: Contact
) -> None:
    owner = customer(stripe, written, "Ana", "ana@example.com")
    found = await directory.customer_of(await conversation(redis, contact.phone, contact.bsuid), contact)
    assert (found and found.id) == owner


@pytest.mark.parametrize(
    ("written", "contact"),
    [
        (PHONE, Contact(phone="5215512345679")),
        (PHONE, Contact(bsuid="MX.1")),
        (PHONE, Contact()),
        # Brazil's ninth digit and Argentina's 9 may vary to find a person, but not to find their money.
        ("5521987654321", Contact(phone="552187654321")),
        ("551131234567", Contact(phone="5511931234567")),
        ("5491145678901", Contact(phone="541145678901")),
    ],
)
async def test_nobody_else_is_found(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator, written: str, contact: Contact
) -> None:
    customer(stripe, written, "Ana", "ana@example.com")
    customer(stripe, None, "Leo", "leo@example.com")
    assert await directory.customer_of(f"c_{'0' * 20}", contact) is None


async def test_a_link_that_we_made_holds_before_search_knows_it(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    stripe.customers.search_lag = 3600
    owner = customer(stripe, None, "Ana", "ana@example.com")
    mine, contact = await conversation(redis), Contact(phone=PHONE, bsuid=BSUID)
    assert await directory.customer_of(mine, contact) is None
    await directory.link(mine, contact, owner, "key")
    found = await directory.customer_of(mine, contact)
    assert (found.id, found.whatsapp_id) == (owner, PHONE) if found else pytest.fail("not linked")


async def test_what_stripe_says_by_now_counts_more_than_what_we_remember(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    owner = customer(stripe, PHONE, "Ana", "ana@example.com")
    mine, contact = await conversation(redis), Contact(phone=PHONE)
    assert await directory.customer_of(mine, contact)
    stripe.customers.update(CustomerUpdate.model_validate({"metadata": {"whatsapp_id": "5215500000000"}}), owner)
    assert await directory.customer_of(mine, contact) is None


async def test_what_search_still_says_of_yesterday_does_not_count(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    owner = customer(stripe, PHONE, "Ana", "ana@example.com")
    stripe.advance(days=2)
    stripe.customers.search_lag = 3600
    stripe.customers.update(CustomerUpdate.model_validate({"metadata": {"whatsapp_id": ""}}), owner)
    assert await directory.customer_of(await conversation(redis), Contact(phone=PHONE)) is None


async def test_two_customers_of_one_contact_are_for_a_person_to_tell_apart(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    customer(stripe, PHONE, "Ana", "ana@example.com")
    customer(stripe, "525512345678", "Ana", "ana@work.example.com")
    with pytest.raises(SeveralCustomers):
        await directory.customer_of(await conversation(redis), Contact(phone=PHONE))


async def test_a_customer_of_another_contact_is_not_taken(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    owner = customer(stripe, "5215587654321", "Leo", "leo@example.com")
    with pytest.raises(BelongsToAnother):
        await directory.link(await conversation(redis), Contact(phone=PHONE), owner, "key")
    assert stripe.account.get("customer", owner)["metadata"] == {"whatsapp_id": "5215587654321"}


async def test_linking_again_is_no_change(directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator) -> None:
    owner = customer(stripe, None, "Ana", "ana@example.com")
    mine, contact = await conversation(redis), Contact(phone=PHONE)
    for number in range(2):
        await directory.link(mine, contact, owner, f"key-{number}")
    assert len([event for event in stripe.events if event["type"] == "customer.updated"]) == 2  # the card, the link


async def test_a_customer_that_is_gone_is_told_by_name(directory: CustomerDirectory, redis: Redis) -> None:
    with pytest.raises(StripeObjectGone):
        await directory.link(await conversation(redis), Contact(phone=PHONE), "cus_nobody", "key")


async def test_who_gets_a_number_later_gets_no_customer_with_it(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    customer(stripe, PHONE, "Ana", "ana@example.com")
    mine = await conversation(redis)
    assert await directory.customer_of(mine, Contact(phone=PHONE, bsuid=BSUID))
    heir = await conversation(redis, PHONE, "MX.7700000000000001")
    assert heir != mine
    assert await directory.customer_of(heir, Contact(phone=PHONE, bsuid="MX.7700000000000001")) is None


async def test_who_gets_a_number_later_gets_no_customer_whom_nobody_asked_for_before(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    owner = customer(stripe, PHONE, "Ana", "ana@example.com")
    await conversation(redis)
    heir = await conversation(redis, PHONE, "MX.7700000000000001")
    contact = Contact(phone=PHONE, bsuid="MX.7700000000000001")
    assert await directory.customer_of(heir, contact) is None
    assert await directory.conversation_of(await directory.stripe.customer(owner)) is None
    made = await directory.create(heir, contact, "key")
    assert made.whatsapp_id == "MX.7700000000000001"


async def test_a_code_by_mail_gives_a_customer_to_who_has_the_number_now(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    owner = customer(stripe, PHONE, "Ana", "ana@example.com")
    mine = await conversation(redis)
    assert await directory.customer_of(mine, Contact(phone=PHONE, bsuid=BSUID))
    anew, contact = await conversation(redis, PHONE, "MX.2"), Contact(phone=PHONE, bsuid="MX.2")
    linked = await directory.link(anew, contact, owner, "key")
    assert linked.whatsapp_id == "MX.2"
    found = await directory.customer_of(anew, contact)
    assert (found and found.id) == owner
    assert await directory.customer_of(mine, Contact(bsuid=BSUID)) is None


async def test_a_code_by_mail_gives_their_customer_back_to_who_has_another_number(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    owner = customer(stripe, PHONE, "Ana", "ana@example.com")
    mine = await conversation(redis)
    assert await directory.customer_of(mine, Contact(phone=PHONE, bsuid=BSUID))
    await conversation(redis, "5215599990000", BSUID)
    contact = Contact(phone="5215599990000", bsuid=BSUID)
    assert await directory.customer_of(mine, contact) is None
    assert (await directory.link(mine, contact, owner, "key")).whatsapp_id == "5215599990000"


async def test_the_address_of_a_contact_is_that_of_their_customer(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    customer(stripe, PHONE, "Ana", "ana@example.com")
    assert await directory.email_of(Contact(phone=PHONE, bsuid=BSUID)) == "ana@example.com"
    assert [await directory.email_of(contact) for contact in (Contact(), Contact(phone="5215587654321"))] == [
        None,
        None,
    ]
    stripe.will_fail(9)
    assert await directory.email_of(Contact(phone=PHONE, bsuid=BSUID)) is None


async def test_who_was_erased_can_come_back(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    customer(stripe, PHONE, "Ana", "ana@example.com")
    mine = await conversation(redis)
    assert await directory.customer_of(mine, Contact(phone=PHONE, bsuid=BSUID))
    gone = [key async for key in redis.scan_iter(f"*{mine}*")]
    await redis.delete(*gone, f"recado:identity:{PHONE}", f"recado:identity:{BSUID}")
    anew = await conversation(redis)
    assert anew != mine
    assert await directory.customer_of(anew, Contact(phone=PHONE, bsuid=BSUID))


async def test_two_conversations_that_turn_out_to_be_one_keep_the_customer(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    customer(stripe, PHONE, "Ana", "ana@example.com")
    by_bsuid = await conversation(redis, None, BSUID)
    by_phone = await conversation(redis, PHONE, None)
    assert await directory.customer_of(by_phone, Contact(phone=PHONE))
    home = await conversation(redis, PHONE, BSUID)
    assert home in (by_bsuid, by_phone)
    assert await directory.customer_of(home, Contact(phone=PHONE, bsuid=BSUID))


async def test_forgetting_a_contact_forgets_the_link(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    customer(stripe, PHONE, "Ana", "ana@example.com")
    mine = await conversation(redis)
    await directory.customer_of(mine, Contact(phone=PHONE))
    await forget(redis, mine)
    assert [key async for key in redis.scan_iter("*stripe*")] == []


async def test_events_of_a_customer_find_the_conversation(
    directory: CustomerDirectory, redis: Redis, stripe: StripeSimulator
) -> None:
    mine = await conversation(redis)
    for written, expected in (("525512345678", mine), (BSUID, mine), (None, None), ("not a phone", None)):
        owner = customer(stripe, written, "Ana", "ana@example.com")
        assert await directory.conversation_of(await directory.stripe.customer(owner)) == expected
