"""`recado prompts case`: what happened in a conversation becomes a case."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from evals.from_history import PastConversation

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
        raise typer.BadParameter("expected small letters, digits and -, such as asks-for-invoice", param_hint="--name")
    logs.configure("critical", "console")
    try:
        settings = Settings()
    except SettingsWrong as error:
        _stop(str(error), 2)
    path, made = asyncio.run(_make(settings, conversation, turns, name, out))
    print(path)  # noqa: T201 - the answer
    sys.stderr.write(
        f"read it once: names of other people are still in it; then `recado prompts eval {made} --record`\n"
    )


async def _make(settings: Settings, asked: str, turns: int, name: str | None, out: Path | None) -> tuple[Path, str]:
    from redis.exceptions import RedisError  # noqa: PLC0415 - each command loads only what it runs

    from bot.agent.preview import NotThere  # noqa: PLC0415 - as above
    from bot.infra.redis import connect  # noqa: PLC0415 - as above
    from evals.case_file import CanNotWrite, write, written  # noqa: PLC0415 - as above
    from evals.from_history import NothingHappened  # noqa: PLC0415 - as above

    folder = settings.service.prompts_dir
    try:
        async with connect(settings.redis) as redis:
            made, past = await _case(settings, redis, asked, turns, name)
        path = out or folder / "evals" / f"{made['name']}.yaml"
        text = written(made, past, settings.service.default_language)
        await asyncio.to_thread(write, path, text, made["name"], folder)
    except (NotThere, NothingHappened, CanNotWrite) as error:
        _stop(str(error), 1)
    except (RedisError, OSError) as error:
        _stop(f"Redis does not answer ({type(error).__name__}); see REDIS_URL", 1)
    return path, made["name"]


async def _case(
    settings: Settings, redis: Redis, asked: str, turns: int, name: str | None
) -> tuple[dict[str, Any], PastConversation]:
    from bot.agent.preview import home  # noqa: PLC0415 - as above
    from bot.conversations.contacts import Contacts  # noqa: PLC0415 - as above
    from bot.conversations.memory import Memory  # noqa: PLC0415 - as above
    from bot.prompting.files import gather  # noqa: PLC0415 - as above
    from bot.turns.trace import kept_of  # noqa: PLC0415 - as above
    from evals.cases import Case  # noqa: PLC0415 - as above
    from evals.from_history import case_of, goods_in, past_of  # noqa: PLC0415 - as above
    from evals.redaction import Redaction  # noqa: PLC0415 - as above

    contacts, memory = Contacts(redis, settings.channel.staff_contacts), Memory(redis, settings.memory)
    conversation = await home(asked, contacts, redis)
    contact = await contacts.get(conversation)
    past = past_of(await kept_of(redis, conversation), await memory.recall(conversation), turns)
    files, _ = await asyncio.to_thread(gather, settings.service.prompts_dir)
    redaction = Redaction(filter(None, [contact.name]), public="\n".join(files.values()), goods=goods_in(past))
    begun = past.turns[0].at
    # The same turns have the same name: made twice, it is refused.
    name = name or f"happened-{begun:%Y-%m-%d}-{logs.masked(conversation + begun.isoformat())[:6]}"
    made = case_of(past, contact, redaction, settings.service.zone, name)
    Case.model_validate(made)
    return made, past


def _stop(why: str, code: int) -> NoReturn:
    sys.stderr.write(f"{why}\n")
    raise typer.Exit(code)
