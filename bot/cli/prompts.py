"""`recado prompts …`: check the operators' prompt files, see what a model would get, release them and go back."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.agent.preview import PromptValues
    from bot.prompting.canary import CurrentRelease
    from bot.prompting.diagnostics import Diagnostic
    from bot.prompting.library import Library
    from bot.prompting.releases import ReleaseEntry

app = typer.Typer(name="prompts", help="Prompt files: check, render, release, roll back.", no_args_is_help=True)

Format = Annotated[str, typer.Option("--format", help="text or json")]
Author = Annotated[str | None, typer.Option(help="Who does it; left out, this machine's user.")]
Note = Annotated[str, typer.Option(help="Why, in a few words.")]

Work = Callable[["Settings", "Redis", "Library"], Awaitable[bool]]
_FOLDER = "folder"


@app.command()
def check(output: Format = "text") -> None:
    """Look for mistakes in PROMPTS_DIR, one line each: file:line:column code message. Exit 1 when there is an error."""
    settings = _settings(output)
    from bot.agent.vocabulary import vocabulary  # noqa: PLC0415 - as above
    from bot.prompting.linter import check_folder  # noqa: PLC0415 - each command loads only what it runs

    checked = check_folder(settings.service.prompts_dir, vocabulary(settings))
    _findings(checked.findings, output)
    if checked.prompts is not None:
        sys.stderr.write(f"{len(checked.texts)} files are right; they are release {checked.prompts.release}\n")
    raise typer.Exit(0 if checked.prompts else 1)


@app.command()
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
        from bot.agent.preview import render as preview  # noqa: PLC0415 - as above

        checked = await library.check()
        if checked.prompts is None:
            _findings(checked.findings, output)
            return False
        scenery = await _scenery(conversation, settings, redis)
        shown = preview(checked.prompts, name, scenery, settings)
        current = await library.at(await library.releases.current() or "")
        before = preview(current, name, scenery, settings) if current and name in current else None
        diff = shown.diff(before) if before else None
        if output == "json":
            show(asdict(shown) | {"cost_usd": f"{shown.cost_usd:f}", "most_usd": f"{shown.most_usd:f}", "diff": diff})
            return True
        show(shown.text)
        cost = f"{shown.cost_usd:.6f} USD before it answers, {shown.most_usd:.6f} at most"
        show(f"=== about {shown.prompt_tokens} tokens, and {shown.tool_tokens} of tools; {shown.model}: about {cost}")
        against = f"=== against the current release {before.release}:" if before else "=== nothing is released yet"
        show(f"{against}\n{diff}" if diff else f"{against} the same" if before else against)
        return True

    run(work, output)


@app.command()
def release(
    note: Note = "",
    author: Author = None,
    canary: Annotated[
        int | None,
        typer.Option(metavar="PERCENT", min=0, max=99, help="To this share of the contacts first; 0: to all at once."),
    ] = None,
    output: Format = "text",
) -> None:
    """Make PROMPTS_DIR the current release for all processes at once, or a candidate. Exit 1 when it has an error.

    Without --canary, PROMPTS_CANARY_PERCENT holds. With PROMPTS_GATE=offline, the offline evaluation has to pass.
    """

    async def work(settings: Settings, _: Redis, library: Library) -> bool:
        from bot.prompting.diagnostics import PromptsWrong  # noqa: PLC0415 - as above

        checked = await library.check()
        try:
            how = await library.take(checked, how="release", author=author or user(), note=note, percent=canary)
        except PromptsWrong as error:
            _findings(checked.findings if checked.prompts is None else error.findings, output)
            return False
        name = checked.release().release
        percent = settings.service.prompts_canary_percent if canary is None else canary
        words = f"released: {name}" if how else f"{name} is released already"
        words = f"candidate: {name}, for {percent} % of the contacts" if how == "canary" else words
        show({"release": name, "released": how is not None, "how": how} if output == "json" else words)
        return True

    run(work, output)


@app.command()
def rollback(
    which: Annotated[
        str | None, typer.Argument(metavar="HASH", help="Left out, the candidate's end; else the release before this.")
    ] = None,
    note: Note = "",
    author: Author = None,
    output: Format = "text",
) -> None:
    """Go back to an earlier release, for all processes at once; a candidate is dropped in any case."""

    async def work(_: Settings, __: Redis, library: Library) -> bool:
        stands = await library.releases.standing()
        if which is None and stands.canary:
            dropped = await library.end(stands.canary, promote=False, author=author or user(), note=note)
            now, name = (await library.releases.current()), stands.canary.release
            words = f"dropped: {name}; {now} goes on" if dropped else f"{name} is no candidate any more; {now} goes on"
            show({"release": now, "dropped": name} if output == "json" else words)
            return True
        name = await library.go_back(which, author=author or user(), note=note)
        show({"release": name} if output == "json" else f"released: {name}")
        return True

    run(work, output)


@app.command("list")
def list_(output: Format = "text") -> None:
    """What was done with releases, the newest first; * is the current one, ~ a candidate and its share of contacts."""

    async def work(_: Settings, __: Redis, library: Library) -> bool:
        stands, entries = await library.releases.standing(), await library.releases.history()
        marks = {stands.current: "*"}
        if stands.canary:
            marks[stands.canary.release] = f"~ {stands.canary.percent} %"
        if output == "json":
            show([_listed(one, stands) for one in entries])
            return True
        width = max(map(len, marks.values()))
        for one in entries:
            # Of several switches to a release the newest has the mark.
            mark = marks.pop(one.release, "").ljust(width)
            show(f"{mark} {one.release}  {one.at:%Y-%m-%d %H:%M:%S}Z  {one.how:<8} {one.author}  {one.note}".rstrip())
        return True

    run(work, output)


def _listed(entry: ReleaseEntry, stands: CurrentRelease) -> dict[str, Any]:
    percent = stands.canary.percent if stands.canary and stands.canary.release == entry.release else None
    more = {"at": entry.at.isoformat(), "current": entry.release == stands.current, "candidate_percent": percent}
    return asdict(entry) | more


@app.command()
def diff(
    first: Annotated[str | None, typer.Argument(metavar="A", help="Left out, the folder.")] = None,
    second: Annotated[str | None, typer.Argument(metavar="B", help="Left out, A against the current release.")] = None,
    output: Format = "text",
) -> None:
    """What the folder changes of the current release; or release A of the current one; or B of A."""

    async def work(settings: Settings, _: Redis, library: Library) -> bool:
        from bot.agent.preview import changes  # noqa: PLC0415 - as above

        old, new = (first, second) if second else ("current", first or _FOLDER)
        texts = {}
        names = {}
        for one in (str(old), str(new)):
            names[one] = _FOLDER if one == _FOLDER else await library.releases.find(one)
            texts[one] = await _texts(one, names[one], settings, library)
        found = changes(texts[str(old)], texts[str(new)], names[str(old)], names[str(new)])
        if output == "json":
            show({"old": names[str(old)], "new": names[str(new)], "diff": found})
        elif found:
            show(found)
        return True

    run(work, output)


async def _texts(asked: str, name: str, settings: Settings, library: Library) -> dict[str, str]:
    from bot.prompting.files import gather  # noqa: PLC0415 - as above

    if asked == _FOLDER:
        return (await asyncio.to_thread(gather, settings.service.prompts_dir))[0]
    return await library.releases.texts(name) or {}


async def _scenery(asked: str, settings: Settings, redis: Redis) -> PromptValues:
    import yaml  # noqa: PLC0415 - as above

    from bot.agent.preview import NotThere, PromptValues, of_conversation  # noqa: PLC0415 - as above
    from bot.conversations.contacts import Contacts  # noqa: PLC0415 - as above
    from bot.conversations.memory import Memory  # noqa: PLC0415 - as above
    from bot.infra import plain_yaml  # noqa: PLC0415 - as above

    default, path = settings.service.default_language, Path(asked)
    if not await asyncio.to_thread(path.is_file):
        contacts, memory = Contacts(redis, settings.channel.staff_contacts), Memory(redis, settings.memory)
        return await of_conversation(asked, contacts, memory, redis, default)
    try:
        _, values = plain_yaml.read(await asyncio.to_thread(path.read_text, "utf-8-sig"))
    except (yaml.YAMLError, ValueError) as error:
        raise NotThere(f"{path}: is neither YAML nor JSON in UTF-8") from error
    if not isinstance(values, dict):
        raise NotThere(f"{path}: expected values such as `customer_name: Ana`")
    return PromptValues(
        language=default,
        values={str(key): None if plain_yaml.is_nothing(value) else value for key, value in values.items()},
    )


def _findings(findings: Sequence[Diagnostic], output: str) -> None:
    if output == "json":
        show([finding.as_json() for finding in findings])
    for finding in findings if output == "text" else ():
        show(str(finding))


def user() -> str:
    """Who does it, by this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "operator"


def _settings(output: str) -> Settings:
    if output not in ("text", "json"):
        raise typer.BadParameter("expected text or json", param_hint="--format")
    # The answer stands on standard output; what is logged beside it is for trouble.
    logs.configure("warning", "console")
    try:
        return Settings()
    except SettingsWrong as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error


def run(work: Work, output: str) -> None:
    """Exit 0 when it was done, 1 when a problem was found, 2 when the settings or the options are wrong."""
    settings = _settings(output)
    raise typer.Exit(0 if asyncio.run(_well(settings, work)) else 1)


async def _well(settings: Settings, work: Work) -> bool:
    from redis.exceptions import RedisError  # noqa: PLC0415 - as above

    from bot.agent.preview import NotThere  # noqa: PLC0415 - as above
    from bot.agent.vocabulary import library_of  # noqa: PLC0415 - as above
    from bot.infra.redis import connect  # noqa: PLC0415 - as above
    from bot.prompting.diagnostics import PromptsWrong  # noqa: PLC0415 - as above
    from bot.prompting.releases import UnknownRelease  # noqa: PLC0415 - as above

    try:
        async with connect(settings.redis) as redis:
            return await work(settings, redis, library_of(redis, settings))
    except (NotThere, PromptsWrong, UnknownRelease) as error:
        sys.stderr.write(f"{error}\n")
    except RedisError as error:
        sys.stderr.write(f"Redis does not answer ({type(error).__name__}); see REDIS_URL\n")
    except OSError as error:
        sys.stderr.write(f"can't be read: {error.strerror or type(error).__name__}\n")
    return False


def show(what: Any) -> None:
    """Print a text, or anything else as JSON."""
    print(what if isinstance(what, str) else json.dumps(what, ensure_ascii=False, indent=2))  # noqa: T201
