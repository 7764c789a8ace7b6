"""`recado prompts render`: messages that a model would get, and their price."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import yaml
from redis.asyncio import Redis

from bot.agent.preview import NotThere, Preview, PromptValues, values_of_conversation
from bot.agent.preview import render as preview
from bot.cli.prompts.session import run, show_diagnostics
from bot.cli.prompts.words import say
from bot.cli.terminal import Format, show, terminal_language
from bot.conversations.contacts import Contacts
from bot.conversations.memory import Memory
from bot.infra import plain_yaml
from bot.prompting.library import Library
from bot.settings import Settings


def render(
    name: Annotated[str, typer.Argument(help="A prompt's name: assistant is assistant.md.")],
    conversation: Annotated[
        str, typer.Option(help="c_…, a phone or a BSUID; or a YAML or JSON file of values such as customer_name.")
    ],
    output: Format = "text",
) -> None:
    """The messages that a model would get from the folder, their tokens and price, and the diff to the release.

    It shows what was said in the conversation to whoever runs it, and logs none of it.
    """

    async def work(settings: Settings, redis: Redis, library: Library) -> bool:
        checked = await library.check()
        if checked.prompts is None:
            show_diagnostics(checked.diagnostics, output, terminal_language(settings))
            return False
        values = await _values(conversation, settings, redis)
        rendered = preview(checked.prompts, name, values, settings)
        current = await library.at(await library.releases.current() or "")
        released = preview(current, name, values, settings) if current and name in current else None
        (_show_json if output == "json" else _show_text)(rendered, released)
        return True

    run(work, output)


def _show_json(rendered: Preview, released: Preview | None) -> None:
    costs = {"cost_usd": f"{rendered.cost_usd:f}", "most_usd": f"{rendered.most_usd:f}"}
    show(asdict(rendered) | costs | {"diff": rendered.diff(released) if released else None})


def _show_text(rendered: Preview, released: Preview | None) -> None:
    show(rendered.text)
    tokens = {"prompt": rendered.prompt_tokens, "tools": rendered.tool_tokens, "model": rendered.model}
    show(say("tokens", **tokens, cost=f"{rendered.cost_usd:.6f}", most=f"{rendered.most_usd:.6f}"))
    if released is None:
        show(say("none released"))
        return
    against, diff = say("against current", release=released.release), rendered.diff(released)
    show(f"{against}\n{diff}" if diff else f"{against} {say('the same')}")


async def _values(asked: str, settings: Settings, redis: Redis) -> PromptValues:
    """Values of a conversation, or of a file that the operator wrote. Raises NotThere."""
    default, path = settings.service.default_language, Path(asked)
    if not await asyncio.to_thread(path.is_file):
        contacts, memory = Contacts(redis, settings.channel.staff_contacts), Memory(redis, settings.memory)
        return await values_of_conversation(asked, contacts, memory, redis, default)
    try:
        _, values = plain_yaml.read(await asyncio.to_thread(path.read_text, "utf-8-sig"))
    except (yaml.YAMLError, ValueError) as error:
        raise NotThere(
            en=f"{path}: is neither YAML nor JSON in UTF-8", es=f"{path}: no es YAML ni JSON en UTF-8"
        ) from error
    if not isinstance(values, dict):
        raise NotThere(
            en=f"{path}: expected values such as `customer_name: Ana`",
            es=f"{path}: se esperan valores como `customer_name: Ana`",
        )
    return PromptValues(
        language=default,
        values={str(key): None if plain_yaml.is_nothing(value) else value for key, value in values.items()},
    )
