"""Preview of a model request: the messages of a prompt, their tokens and price."""

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
    """The prompt, conversation or file is missing or unreadable; the message says so, `said` in both languages."""

    def __init__(self, *, en: str, es: str) -> None:
        super().__init__(en)
        self.said: dict[Language, str] = {"en": en, "es": es}


@dataclass(frozen=True, slots=True)
class PromptValues:
    """Values of a prompt: the contact and the history. `values` override computed ones."""

    name: str | None = None
    language: Language = "es"
    role: Role = "customer"
    history: History = field(default_factory=History)
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """`messages` are those that are sent; tokens are an estimate; the cost is that of the first model."""

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
        return "\n".join(f"--- {message['role']}\n{message['content']}" for message in self.messages) + "\n"

    def diff(self, other: Preview) -> str:
        """A unified diff from another preview to this one; empty if they are equal."""
        return unified(other.text, self.text, other.release, self.release)


def render(prompts: Prompts, name: str, prompt_values: PromptValues, settings: Settings) -> Preview:
    """Render the first messages of a turn, or of a summary. Raises NotThere, PromptsWrong."""
    if name not in prompts or name.startswith("_"):
        raise NotThere(
            en=f"there is no prompt {name!r}; expected the name of a file of PROMPTS_DIR without .md",
            es=f"no hay un prompt {name!r}; se espera el nombre de un archivo de PROMPTS_DIR sin .md",
        )
    summary = prompt_values.history.summary
    values = values_for(
        prompts,
        name=prompt_values.name,
        language=prompt_values.language,
        now=datetime.now(settings.service.zone),
        summary=summary,
    )
    values = values_of_summary(prompts, summary) if name == "summary" else values
    rendered = prompts.render(name, values | dict(prompt_values.values or {}))
    history_lines: list[Line] = [] if name == "summary" else dialogue(prompt_values.history)
    messages = [message(line, sees=False) for line in (*rendered.lines, *history_lines)]
    offers = [row.tool.offer for row in TABLE if may_use(row, prompt_values.role)] if name == "assistant" else []
    tools = [_tool(offer) for offer in offers if rendered.tools is None or offer.name in rendered.tools]
    model = (*rendered.model.ids, *settings.llm.models)[0]
    prompt = sum(tokens(message["content"] or "") for message in messages)
    own = rendered.model.options.max_tokens or settings.llm.max_tokens
    body = {"messages": messages, "tools": tools, "max_tokens": min(own, settings.llm.max_tokens)}
    tool_tokens = tokens(json.dumps(tools)) if tools else 0
    cost = price(model) * (prompt + tool_tokens) / 1_000_000
    return Preview(name, prompts.release, tuple(messages), model, prompt, tool_tokens, cost, most(model, body))


async def values_of_conversation(
    contact_or_conversation: str, contacts: Contacts, memory: Memory, redis: Any, default: Language
) -> PromptValues:
    """Values of a conversation, given by its name, a phone or a BSUID. Raises NotThere."""
    name = await conversation_of(contact_or_conversation, contacts, redis)
    contact, history = await contacts.get(name), await memory.recall(name)
    language = language_from(contact.language, default)
    return PromptValues(contact.name, language, contact.role, history)


async def conversation_of(contact_or_conversation: str, contacts: Contacts, redis: Any) -> str:
    """The conversation of a name `c_…`, a phone or a BSUID. Raises NotThere."""
    name = contact_or_conversation if is_conversation(contact_or_conversation) else None
    if name is None:
        phone, bsuid = address_of(contact_or_conversation)
        for spelling in variants(phone) if phone else (None,):
            name = name or await identity.find(redis, spelling, bsuid)
    if name is None or not await contacts.exists(name):
        raise NotThere(
            en="nothing is known of this conversation; expected c_…, a phone, a BSUID, or a file of values",
            es="no se sabe nada de esta conversación; se espera c_…, un teléfono, un BSUID, o un archivo de valores",
        )
    return await identity.current_name(redis, name)


def unified(old: str, new: str, old_name: str, new_name: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)


def changes(old: Mapping[str, str], new: Mapping[str, str], old_name: str, new_name: str) -> str:
    """A unified diff of the files of two releases."""
    found = (
        unified(old.get(name, ""), new.get(name, ""), f"{old_name}/{name}", f"{new_name}/{name}")
        for name in sorted({*old, *new})
    )
    return "\n".join(part for part in found if part)


def _tool(offer: ToolOffer) -> dict[str, Any]:
    function = {"name": offer.name, "description": offer.description, "parameters": offer.parameters}
    return {"type": "function", "function": function}
