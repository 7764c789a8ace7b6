"""Sending one of the company's e-mails: staff's to anybody; a customer's to their own address, and without figures."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.agent.tool import Arguments, ToolContext, ToolError, tool
from bot.infra.queues import JobRejected


class SendEmail(Arguments):
    # No verify_email and password_reset, because a model must never send codes or access links.
    template: Literal["welcome", "invoice_paid", "trial_ending"] = Field(description="Which e-mail to send")
    data: dict[str, Any] = Field(
        description="The e-mail's values. welcome: name. invoice_paid: name, number, amount (799.00), currency, "
        "date (2026-11-24). trial_ending: name, date"
    )
    to: str | None = Field(None, description="Only staff may name an address; a customer's e-mail goes to their own")
    language: Literal["es", "en"] | None = Field(None, description="Left out, it is the person's own")


@tool(SendEmail, acts=True)
async def send_email(arguments: SendEmail, context: ToolContext) -> str:
    """Send one of the company's e-mails to the address that is linked to this person: welcome. Staff may also send
    invoice_paid (a paid invoice) and trial_ending. For a customer's own invoice use send_invoice.
    """
    if context.services.email is None:  # pragma: no cover - the catalog offers it only where there is mail
        raise ToolError("e-mail is not configured")
    staff = context.contact.role == "staff"
    own = await context.services.email.email_of(context.contact)
    to = arguments.to or own
    if to is None:
        raise ToolError(
            "no e-mail address is linked to this person yet, so nothing was sent; the address has to be verified first"
        )
    if not staff and to.casefold() != (own or "").casefold():
        raise ToolError("nothing was sent: a customer's e-mail goes only to the address linked to them; leave out `to`")
    if not staff and arguments.template != "welcome":
        # Otherwise a customer could talk the model into a receipt over any sum, signed by the company.
        raise ToolError(
            "nothing was sent: this e-mail's figures come from the books and not from a chat; "
            "`send_invoice` sends an invoice by e-mail, and payments are told by e-mail when they come in"
        )
    if not staff and "url" in arguments.data:
        # A text or a photo may have injected the link, so it must not come from the company's address.
        raise ToolError("nothing was sent: leave `url` out of data, links are added by the company's systems")
    language = arguments.language or context.language
    job = {"to": to, "template": arguments.template, "data": arguments.data}
    try:
        await context.services.email.order(job | ({"language": language} if language else {}), f"tool-{context.effect}")
    except JobRejected as error:
        raise ToolError(f"nothing was sent: {error}") from error
    return f"Done: the e-mail {arguments.template} is on its way to {to if staff else 'the address linked to them'}."
