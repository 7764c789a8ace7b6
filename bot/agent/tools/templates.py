"""Sending an approved template to somebody: for staff only."""

from __future__ import annotations

from pydantic import Field

from bot.agent.tool import Arguments, ToolContext, ToolError, tool
from bot.delivery.notifications import template_job
from bot.infra.queues import JobRejected
from bot.whatsapp.templates.registry import TemplateNotSendable


class SendTemplate(Arguments):
    to: str = Field(description="The person's phone with the country's digits, or their BSUID")
    template: str = Field(description="The template's name, such as order_confirmation")
    parameters: dict[str, str] = Field(default_factory=dict, description="The template's values by their names")
    language: str | None = Field(None, description="Such as es_MX; left out, it is the person's own")


@tool(SendTemplate, acts=True)
async def send_template(arguments: SendTemplate, context: ToolContext) -> str:
    """Send one of the company's approved WhatsApp templates to a person: order_confirmation (name, order, total),
    payment_reminder (name, amount, date), shipping_update (name, order, status).
    """
    try:
        await context.services.notifications.enqueue(
            template_job(arguments.model_dump(exclude_none=True)), f"tool-{context.effect}"
        )
    except (TemplateNotSendable, JobRejected) as error:
        raise ToolError(str(error)) from error
    return f"Done: {arguments.template} is on its way."
