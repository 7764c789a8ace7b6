"""Links contacts to Stripe customers by `metadata.whatsapp_id`, as Stripe has it now; a claim in the chat links nobody.

A phone number that was another person's before links nobody. Its new owner proves an e-mail address instead, or an
operator writes their BSUID into the metadata.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from redis.asyncio import Redis

from bot.conversations import identity
from bot.conversations.contacts import Contact, Contacts
from bot.infra.redis import answer, key
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import StripeFailed, StripeObjectGone
from bot.integrations.stripe.objects import Customer
from bot.whatsapp.phone_numbers import address_of, exact_variants

_REMEMBER_SECONDS = 30 * 24 * 3600
_OWNER_SECONDS = 400 * 24 * 3600


class SeveralCustomers(StripeFailed):
    """More than one customer names this contact: a person has to decide."""


class BelongsToAnother(StripeFailed):
    """The customer is linked to another contact: a person has to decide."""


@dataclass(frozen=True, slots=True)
class CustomerDirectory:
    """Stripe's metadata decide; the stored links only say where to look first.

    Stripe's search learns of a change after about a minute. The stored link finds our own change immediately.
    """

    redis: Redis
    stripe: Stripe
    contacts: Contacts

    async def customer_of(self, conversation: str, contact: Contact) -> Customer | None:
        """The contact's customer, as it is now; raises SeveralCustomers and the errors of Stripe's calls."""
        contact = await self._refreshed(conversation, contact)
        whatsapp_ids = _whatsapp_ids(contact)
        if not whatsapp_ids:
            return None
        stored = await self.redis.get(_customer(conversation))
        if stored and (found := await self._if_named(stored, whatsapp_ids)):
            await store_references(self.redis, conversation, found)
            return found
        # The metadata hold digits alone, but people paste a plus with them.
        spellings = [*whatsapp_ids, *(f"+{whatsapp_id}" for whatsapp_id in whatsapp_ids if whatsapp_id.isdigit())]
        matches = {
            customer.id
            for customer in await self.stripe.customers_of(spellings)
            if customer.whatsapp_id in whatsapp_ids
        }
        # The search may return the state of a minute ago.
        customers = [customer for id_ in sorted(matches) if (customer := await self._if_named(id_, whatsapp_ids))]
        customers = [customer for customer in customers if await self._is_free(customer.id, conversation)]
        if len(customers) > 1:
            raise SeveralCustomers("several customers have this contact")
        for customer in customers:
            await store_link(self.redis, conversation, customer)
        return customers[0] if customers else None

    async def link(self, conversation: str, contact: Contact, customer: str, key_: str) -> Customer:
        """Link the customer, whose e-mail address was proven, to this contact.

        Raises BelongsToAnother when it is another contact's already. A number that went from one person to another
        proves nothing: then the address decides for the number's present owner, and for the contact who was this
        customer before.
        """
        found, contact = await self.stripe.customer(customer), await self._refreshed(conversation, contact)
        whatsapp_ids = _whatsapp_ids(contact)
        by_address = await self._was_theirs(found, conversation, contact)
        taken = bool(found.whatsapp_id and found.whatsapp_id not in whatsapp_ids)
        if not whatsapp_ids or ((taken or not await self._is_free(customer, conversation)) and not by_address):
            raise BelongsToAnother("the customer belongs to another contact")
        if not found.whatsapp_id or taken:
            found = await self.stripe.set_whatsapp_id(customer, _own_whatsapp_id(contact), key_)
        await store_link(self.redis, conversation, found)
        return found

    async def _was_theirs(self, customer: Customer, conversation: str, contact: Contact) -> bool:
        if contact.phone_contested and contact.phone and customer.whatsapp_id in exact_variants(contact.phone):
            return True
        owner = await self.redis.get(_owner(customer.id))
        return owner is not None and await identity.current_name(self.redis, owner) == conversation

    async def create(self, conversation: str, contact: Contact, key_: str) -> Customer:
        """Create a customer for a contact who has none; raises BelongsToAnother when the phone is contested."""
        contact = await self._refreshed(conversation, contact)
        if not _whatsapp_ids(contact):
            raise BelongsToAnother("the phone was another person's, and there is no BSUID")
        found = await self.stripe.create_customer(_own_whatsapp_id(contact), contact.name, key_)
        await store_link(self.redis, conversation, found)
        return found

    async def email_of(self, contact: Contact) -> str | None:
        """The address of the contact's customer; without a single customer, the stored address, if any."""
        phone = None if contact.bsuid else contact.own_phone
        if phone is None and contact.bsuid is None:
            return contact.email
        conversation = await self.contacts.find_or_create_exactly(phone=phone, bsuid=contact.bsuid)
        try:
            found = await self.customer_of(conversation, contact)
        except StripeFailed:
            return contact.email
        return (found.email if found else None) or contact.email

    async def conversation_of(self, customer: Customer) -> str | None:
        """The conversation of a customer; None when it names nobody, or a number that changed its owner."""
        if customer.whatsapp_id is None:
            return None
        phone, bsuid = address_of(customer.whatsapp_id)
        if phone is None and bsuid is None:
            return None
        conversation = await self.contacts.find_or_create_exactly(phone=phone, bsuid=bsuid)
        contested = phone is not None and (await self.contacts.get(conversation)).phone_contested
        if contested or not await self._is_free(customer.id, conversation):
            return None
        await store_references(self.redis, conversation, customer)
        return conversation

    async def _refreshed(self, conversation: str, contact: Contact) -> Contact:
        """The contact, with the latest knowledge of whether its phone was another person's before."""
        contested = (await self.contacts.get(conversation)).phone_contested
        return replace(contact, phone_contested=contested or contact.phone_contested)

    async def _if_named(self, customer: str, whatsapp_ids: list[str]) -> Customer | None:
        try:
            found = await self.stripe.customer(customer)
        except StripeObjectGone:
            return None
        return found if found.whatsapp_id in whatsapp_ids else None

    async def _is_free(self, customer: str, conversation: str) -> bool:
        """Whether no other contact was this customer. Carriers give numbers to new people, who must not get it."""
        owner = await self.redis.get(_owner(customer))
        if owner is None or await identity.current_name(self.redis, owner) == conversation:
            return True
        # An erased contact owns nothing any more.
        return not await self.contacts.exists(owner)


async def store_link(redis: Redis, conversation: str, customer: Customer) -> None:
    await store_references(redis, conversation, customer)
    pipeline = redis.pipeline(transaction=False)
    pipeline.set(_customer(conversation), customer.id, ex=_REMEMBER_SECONDS)
    pipeline.set(_owner(customer.id), conversation, ex=_OWNER_SECONDS)
    await pipeline.execute()


async def store_references(redis: Redis, conversation: str, customer: Customer) -> None:
    """Store the ids that lead to a customer's data elsewhere, for as long as those may last."""
    pipeline = redis.pipeline(transaction=False)
    for name, value in ((_customers(conversation), customer.id), (_emails(conversation), customer.email)):
        if value:
            pipeline.sadd(name, value)
            pipeline.expire(name, _OWNER_SECONDS)
    await pipeline.execute()


async def references(redis: Redis, conversation: str) -> tuple[frozenset[str], frozenset[str]]:
    """The customers that the contact was, and the addresses that Stripe had for them."""
    pointer = await redis.get(_customer(conversation))
    customers = await answer(redis.smembers(_customers(conversation)))
    emails = await answer(redis.smembers(_emails(conversation)))
    return frozenset({*customers, *filter(None, [pointer])}), frozenset(emails)


async def forget(redis: Redis, conversation: str) -> None:
    """Forget the contact's customers."""
    customers, _ = await references(redis, conversation)
    keys = (_customer(conversation), _customers(conversation), _emails(conversation))
    await redis.delete(*keys, *map(_owner, customers))


def _whatsapp_ids(contact: Contact) -> list[str]:
    """Spellings of this contact in Stripe's metadata; a phone that was another person's before is none."""
    return [
        *([contact.bsuid] if contact.bsuid else []),
        *(exact_variants(contact.own_phone) if contact.own_phone else ()),
    ]


def _own_whatsapp_id(contact: Contact) -> str:
    return str(contact.own_phone or contact.bsuid)


def _customer(conversation: str) -> str:
    return key(conversation, "stripe", "customer")


def _customers(conversation: str) -> str:
    return key(conversation, "stripe", "customers")


def _emails(conversation: str) -> str:
    return key(conversation, "stripe", "emails")


def _owner(customer: str) -> str:
    return f"recado:stripe:owner:{customer}"
