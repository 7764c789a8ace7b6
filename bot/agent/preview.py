"""What the model would get, without asking it: the messages of a prompt, their tokens and price."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.agent.prompt import dialogue, values_for, values_of_summary
from bot.agent.tools.catalog import TABLE, may_use
from bot.ai.chat import Line, ToolOffer, tokens
from bot.ai.chat_completions import message, most, price
from bot.conversations import identity
from bot.conversations.contacts import Contacts, Role
from bot.conversations.identity import is_conversation
from bot.conversations.memory import History, Memory
from bot.messages.language import Language, language_from
from bot.prompting.prompts import Prompts
from bot.settings import Settings
from bot.whatsapp.phone_numbers import address_of, variants


class NotThere(Exception):
    """There is no such prompt, conversation or file, or it can't be read; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class PromptValues:
    """What a prompt is rendered with: who writes, and what was said before. `values` stand in the place of ours."""

    name: str | None = None
    language: Language = "es"
    role: Role = "customer"
    before: History = field(default_factory=History)
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """`messages` are those of the wire; the tokens are guessed; the cost is that of the first model that is asked."""

    name: str
    release: str
    messages: tuple[dict[str, Any], ...]
    model: str
    prompt_tokens: int
    tool_tokens: int
    cost_usd: Decimal
    most_usd: Decimal

    @property
    def text(self) -> str:
        return "\n".join(f"--- {one['role']}\n{one['content']}" for one in self.messages) + "\n"

    def diff(self, other: Preview) -> str:
        """How this differs from another, as a unified diff; nothing where it is the same."""
        return unified(other.text, self.text, other.release, self.release)


def render(prompts: Prompts, name: str, scenery: PromptValues, settings: Settings) -> Preview:
    """The messages of a prompt as a turn, or a summary, would begin with them. Raises NotThere, PromptsWrong."""
    if name not in prompts or name.startswith("_"):
        raise NotThere(f"there is no prompt {name!r}; expected the name of a file of PROMPTS_DIR without .md")
    summary = scenery.before.summary
    values = values_for(
        prompts,
        name=scenery.name,
        language=scenery.language,
        now=datetime.now(settings.service.zone),
        summary=summary,
    )
    values = values_of_summary(prompts, summary) if name == "summary" else values
    rendered = prompts.render(name, values | dict(scenery.values or {}))
    said: list[Line] = [] if name == "summary" else dialogue(scenery.before)
    messages = [message(line, sees=False) for line in (*rendered.lines, *said)]
    offers = [row.tool.offer for row in TABLE if may_use(row, scenery.role)] if name == "assistant" else []
    tools = [_tool(one) for one in offers if rendered.tools is None or one.name in rendered.tools]
    model = (*rendered.model.ids, *settings.llm.models)[0]
    prompt = sum(tokens(one["content"] or "") for one in messages)
    own = rendered.model.options.max_tokens or settings.llm.max_tokens
    body = {"messages": messages, "tools": tools, "max_tokens": min(own, settings.llm.max_tokens)}
    spent_on_tools = tokens(json.dumps(tools)) if tools else 0
    cost = price(model) * (prompt + spent_on_tools) / 1_000_000
    return Preview(name, prompts.release, tuple(messages), model, prompt, spent_on_tools, cost, most(model, body))


async def of_conversation(
    asked: str, contacts: Contacts, memory: Memory, redis: Any, default: Language
) -> PromptValues:
    """What is known of a conversation, however it is asked for. Raises NotThere."""
    name = await home(asked, contacts, redis)
    contact, before = await contacts.get(name), await memory.recall(name)
    language = language_from(contact.language, default)
    return PromptValues(contact.name, language, contact.role, before)


async def home(asked: str, contacts: Contacts, redis: Any) -> str:
    """The conversation that `c_…`, or a person's phone or BSUID, stands for. Raises NotThere."""
    name = asked if is_conversation(asked) else None
    if name is None:
        phone, bsuid = address_of(asked)
        for spelling in variants(phone) if phone else (None,):
            name = name or await identity.find(redis, spelling, bsuid)
    if name is None or not await contacts.known(name):
        raise NotThere("nothing is known of this conversation; expected c_…, a phone, a BSUID, or a file of values")
    return await identity.home_of(redis, name)


def unified(old: str, new: str, old_name: str, new_name: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)


def changes(old: Mapping[str, str], new: Mapping[str, str], old_name: str, new_name: str) -> str:
    """How the files of two releases differ."""
    found = (
        unified(old.get(name, ""), new.get(name, ""), f"{old_name}/{name}", f"{new_name}/{name}")
        for name in sorted({*old, *new})
    )
    return "\n".join(one for one in found if one)


def _tool(offer: ToolOffer) -> dict[str, Any]:
    function = {"name": offer.name, "description": offer.description, "parameters": offer.parameters}
    return {"type": "function", "function": function}
