"""Calling a colleague into the conversation."""

from __future__ import annotations

from pydantic import Field

from bot.agent.tool import Arguments, ToolContext, tool
from bot.conversations.handoff_cause import HandOffCause


class HandoffReason(Arguments):
    reason: str = Field(
        description="Why a person is needed and what the customer wants, in one sentence", min_length=3, max_length=500
    )


@tool(HandoffReason)
async def talk_to_a_person(arguments: HandoffReason, context: ToolContext) -> str:
    """Hand this conversation to a colleague of the team. Call it when the customer asks for a person, is upset, or
    needs something that no tool can do. Afterwards tell the customer that somebody will write here.
    """
    await context.services.handoff.call_a_person(
        context.conversation, HandOffCause("asked", {"words": arguments.reason})
    )
    return "Done: a colleague has been called and will write in this chat. Say so, and stop."
