"""Verification of a contact's account by a code in an e-mail. Answers never reveal which addresses exist."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.agent.tool import Arguments, ToolContext, ToolError, tool
from bot.agent.tools.billing import as_tool_errors, billing_of
from bot.conversations.handoff_cause import Code, HandOffCause
from bot.infra.logs import masked
from bot.integrations.email.provider import address
from bot.integrations.email.verification import TooManyCodes, Verification
from bot.integrations.stripe.customers import BelongsToAnother
from bot.integrations.stripe.objects import Customer

_SENT = (
    "If there is an account with that address, a code of 6 digits is on its way there; it is good for 10 minutes. Say "
    "exactly that, also when asked whether there is one: nobody knows. When they type the code, call confirm_code."
)
_WRONG = "that code is wrong, used or too old. Say so; verify_email sends a new one"


def _address(value: str) -> str:
    # As it was typed, because Stripe looks customers up by the exact address.
    address(value)
    return value.strip()


class Address(Arguments):
    email: Annotated[str, AfterValidator(_address)] = Field(
        description="The address that the customer gave as that of their account", min_length=6, max_length=254
    )


class VerificationCode(Arguments):
    code: str = Field(description="The 6 digits that the customer typed", min_length=6, max_length=20)


@tool(Address, acts=True)
async def verify_email(arguments: Address, context: ToolContext) -> str:
    """Send a code to the e-mail address of the customer's account, to find out which account is theirs. Call it when a
    tool says that the account is not known and the customer gave their address.
    """
    async with as_tool_errors(context):
        customers = await _with_address(context, arguments.email)
    # Several accounts may share the address: then the code proves the address, and a person decides.
    subject = " ".join(customer.id for customer in customers)
    try:
        # To the address of the account, because an address that only looks alike may be another person's mailbox.
        to = next((customer.email for customer in customers if customer.email), arguments.email)
        await _verification(context).start(context.conversation, to, subject or None, context.language, context.effect)
    except TooManyCodes as error:
        raise ToolError("too many codes were asked for. Say so, and that they can try again in an hour") from error
    return _SENT


async def _with_address(context: ToolContext, email: str) -> list[Customer]:
    """Customers with this address. Stripe's list is case-sensitive, so the lower-case address is asked for too."""
    stripe = billing_of(context).stripe
    found = {
        customer.id: customer
        for name in dict.fromkeys((email, email.lower()))
        for customer in await stripe.customers_by_email(name)
    }
    return list(found.values())


@tool(VerificationCode)
async def confirm_code(arguments: VerificationCode, context: ToolContext) -> str:
    """Check the code that the customer typed, and link this contact to the account if it is right."""
    verification, links = _verification(context), billing_of(context).customers
    proved = await verification.check(context.conversation, arguments.code)
    if proved is None:
        raise ToolError(_WRONG)
    customer, *others = proved.split()
    why: Code | None = "several_proved" if others else None
    if why is None:
        async with as_tool_errors(context):
            try:
                key = f"recado-link-{masked(context.effect)}"
                linked = await links.link(context.conversation, context.contact, customer, key)
                if linked.email:
                    await links.contacts.set_email(context.conversation, linked.email)
            except BelongsToAnother:
                why = "belongs_to_another"
    # Last, because the code must stay valid while Stripe is unavailable.
    await verification.consume(context.conversation)
    if why is not None:
        return await _a_person_decides(context, why)
    return "Done: the account is linked. Now do what they asked for, with the other tools."


async def _a_person_decides(context: ToolContext, why: Code) -> str:
    await context.services.handoff.call_a_person(context.conversation, HandOffCause(why))
    return "The code is right, but a colleague has to look at this account: one has been called. Say so, and stop."


def _verification(context: ToolContext) -> Verification:
    if context.services.verification is None:  # pragma: no cover - the catalog doesn't offer the tool then
        raise ToolError("there is no e-mail here")
    return context.services.verification
