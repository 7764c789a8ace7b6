"""Offering notifications in the customer's browser."""

from __future__ import annotations

from bot.agent.tool import NoArguments, ToolContext, ToolError, tool
from bot.messages.outbound import LinkButton
from bot.messages.phrases import phrase


@tool(NoArguments)
async def notify_me(_: NoArguments, context: ToolContext) -> str:
    """Offer notifications in the customer's browser: shows a button that leads to the page where they are turned on
    or off. Call it when the customer wants to be notified of payments, orders or reminders outside this chat, or no
    longer wants to be.
    """
    if context.services.push is None:
        raise ToolError("browser notifications are not set up here; say so")
    context.parts.append(
        LinkButton(
            body=phrase("notify_me", context.language),
            label=phrase("notify_me_label", context.language),
            url=await context.services.push.link(context.conversation),
        )
    )
    return "Shown with your answer: a button to the page. The link is valid for a day, for this customer alone. Stop."
