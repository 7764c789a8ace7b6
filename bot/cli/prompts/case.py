"""`recado prompts case`: past turns of a conversation become a case."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.agent.preview import NotThere, conversation_of
from bot.cli.prompts.words import say
from bot.cli.terminal import complain, read_settings, redis_problem, show, stop, terminal_language
from bot.conversations.contacts import Contacts
from bot.conversations.memory import Memory
from bot.database.opening import SchemaOutdated, open_current
from bot.history.reader import HistoryReader
from bot.history.stream import HistoryStream
from bot.infra.redis import connect
from bot.past_cases.case_maker import CaseMaker, MadeCase, as_yaml
from bot.past_cases.from_history import NoPastTurns
from bot.settings import Settings
from evals.case_file import CaseNotWritten, write
from evals.cases import Case

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


def case(
    conversation: Annotated[str, typer.Argument(help="c_…, a phone or a BSUID.")],
    turns: Annotated[int, typer.Option(help="How many of the last turns.", min=1, max=20)] = 3,
    name: Annotated[str | None, typer.Option(help="The case's name; left out, made of the day.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to; left out, NAME.yaml in PROMPTS_DIR/evals.")] = None,
) -> None:
    """Make a case of what happened in a conversation, without identities.

    Read the file once before you keep it: names of other people are not recognised. Nothing is overwritten.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise typer.BadParameter(say("case name"), param_hint="--name")
    path, made = asyncio.run(_write_case(read_settings("critical"), conversation, turns, name, out))
    show(str(path))
    complain(say("read it once", name=made))


async def _write_case(
    settings: Settings, asked: str, turns: int, name: str | None, out: Path | None
) -> tuple[Path, str]:
    """Path and name of the case that was written."""
    folder = settings.service.prompts_dir
    try:
        async with connect(settings.redis) as redis:
            made = await _case(settings, redis, asked, turns, name)
        path = out or folder / "evals" / f"{made.name}.yaml"
        text = as_yaml(made, settings.service.default_language)
        await asyncio.to_thread(write, path, text, made.name, folder)
    except (NotThere, NoPastTurns, CaseNotWritten) as error:
        stop(error.said[terminal_language(settings)])
    except (RedisError, OSError) as error:
        stop(redis_problem(error))
    return path, made.name


async def _case(settings: Settings, redis: Redis, asked: str, turns: int, name: str | None) -> MadeCase:
    contacts, memory = Contacts(redis, settings.channel.staff_contacts), Memory(redis, settings.memory)
    conversation = await conversation_of(asked, contacts, redis)
    maker = CaseMaker(contacts, memory, settings.service.prompts_dir, settings.service.zone)
    made = await maker.make(conversation, await _traces(settings, redis, conversation, turns), turns, name)
    Case.model_validate(made.case)
    return made


async def _traces(settings: Settings, redis: Redis, conversation: str, turns: int) -> list[dict[str, Any]]:
    """Traces of the last turns, with those that the database doesn't have yet."""
    entries = await HistoryStream(redis).of([conversation])
    waiting = [entry["trace"] for entry in entries if entry["kind"] == "turn"]
    names = {trace["turn"] for trace in waiting}
    return [*(trace for trace in await _stored(settings, conversation, turns) if trace["turn"] not in names), *waiting]


async def _stored(settings: Settings, conversation: str, turns: int) -> list[dict[str, Any]]:
    """Traces in the database."""
    try:
        database = await open_current(settings.database.url.get_secret_value())
    except (SQLAlchemyError, SchemaOutdated, OSError) as error:
        complain(say("memory alone", error=type(error).__name__))
        return []
    try:
        # Some turns asked for no answer.
        return await HistoryReader(database).traces(conversation, 2 * turns)
    finally:
        await database.close()
