"""Commands on a terminal, in a pipe and in a file: colours, bars, logs, closed pipes, odd locales."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from bench.prepared_process import prepared
from bot.cli.main import cli
from tests.cli.test_main import META
from tests.processes import Ended, recado, recado_without
from tests.terminals import on_terminal
from tests.waiting import PATIENCE
from tests.world import Start

ESCAPE = "\x1b["


async def test_the_version_is_shown() -> None:
    ended = await recado("--version")
    assert (ended.code, bool(re.fullmatch(r"recado \d+\.\d+\.\d+\n", ended.out)), ended.err) == (0, True, "")


@pytest.mark.parametrize(
    "command", [(), *((name,) for name in sorted(cli.commands)), ("queues", "retry"), ("prompts", "eval")], ids=" ".join
)
async def test_h_is_help_everywhere(command: tuple[str, ...]) -> None:
    ended = await recado(*command, "-h")
    assert (ended.code, " ".join(("Usage: recado", *command)) in ended.out) == (0, True)


async def piped(command: str, **environment: str) -> tuple[int, str, str]:
    """Run a shell's pipe with `recado`; gives the exit code of `recado`, and what the pipe prints."""
    line = f'{command.replace("recado", f"{sys.executable} -m bot", 1)}; exit "${{PIPESTATUS[0]}}"'
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", line, env=os.environ | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pack's prompts with one quick case."""
    own = tmp_path / "own"
    shutil.copytree(os.environ["PROMPTS_DIR"], own, ignore=shutil.ignore_patterns("evals"))
    (own / "evals").mkdir()
    (own / "evals" / "own.yaml").write_text("- {name: hello, turns: [{text: Hola}]}\n")
    monkeypatch.setenv("PROMPTS_DIR", str(own))
    return own


async def test_a_reader_who_leaves_early_is_no_error() -> None:
    assert await piped("recado -h | true") == (0, "", "")


@pytest.mark.parametrize(
    ("command", "code"), [(("doctor", "--tools"), 0), (("prompts", "eval"), 0), (("prompts", "check"), 1)], ids=str
)
async def test_a_command_goes_on_to_its_own_end_when_its_reader_has_left(
    command: tuple[str, ...], code: int, folder: Path
) -> None:
    (folder / "assistant.md").write_text("{{ nothing") if code else None
    assert await recado_without("a reader", *command) == Ended(code, "", "")


@pytest.mark.parametrize("closed", [">&-", "<&-"])
async def test_a_stream_that_is_closed_brings_no_traceback(closed: str) -> None:
    code, _, err = await piped(f"recado keys vapid {closed}")
    assert (code, err) == (0, "")


async def test_bars_on_a_stream_that_is_closed_bring_no_traceback(folder: Path) -> None:
    assert folder
    ended = await recado_without("standard error", "prompts", "eval")
    assert (ended.code, ended.err) == (0, "")


async def test_output_that_is_full_brings_no_traceback() -> None:
    code, _, err = await piped("recado keys vapid >/dev/full")
    assert (code, err) == (1, "the output can't be written: No space left on device\n")


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "es_MX.UTF-8"}], ids=str)
async def test_no_locale_makes_a_command_fail(locale: dict[str, str]) -> None:
    for command in (("doctor",), ("-h",), ("prompts", "render", "assistant", "--conversation", "nobody")):
        ended = await recado(*command, REDIS_URL="redis://127.0.0.1:9", **locale)
        assert ended.code in (0, 1)
        assert "Traceback" not in ended.err
    # Because a prepared process has its streams' encoding already, a new one shows it.
    code, out, err = await piped("recado -h", DEFAULT_LANGUAGE="es", **locale)
    # A machine may lack the Mexican locale, and Python then writes ASCII.
    shown = r"versi\?n" if "PYTHONIOENCODING" in locale else r"versi[ó?]n"
    assert (code, bool(re.search(shown, out)), "Traceback" in err) == (0, True, False)


async def test_the_doctor_has_colours_on_a_terminal_alone() -> None:
    away = {"REDIS_URL": "redis://127.0.0.1:9"}
    shown = await on_terminal("doctor", **away)
    assert shown.code == 1
    assert f"{ESCAPE}31m✗ Redis" in shown.text
    assert ESCAPE not in (await recado("doctor", **away)).out
    for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert ESCAPE not in (await on_terminal("doctor", **away, **plain)).text


async def test_eval_has_a_bar_on_a_terminal_beside_text_alone(folder: Path) -> None:
    assert folder
    shown = await on_terminal("prompts", "eval", "--record")
    assert shown.code == 0
    assert "recording cases" in shown.text
    assert "playing cases" in shown.text
    assert "1 passed" in shown.text
    as_json = await on_terminal("prompts", "eval", "--format", "json")
    assert json.loads(as_json.text)["passed"] == 1
    ended = await recado("prompts", "eval")
    assert "playing" not in ended.out + ended.err


async def test_the_log_is_for_people_on_a_terminal_and_for_machines_elsewhere() -> None:
    wrong = META | {"WHATSAPP_APP_SECRET": ""}
    assert "WHATSAPP_APP_SECRET: is not set" in (await on_terminal("serve", **wrong)).text
    assert '"event"' not in (await on_terminal("serve", **wrong)).text
    assert '"event"' in (await on_terminal("serve", LOG_FORMAT="json", **wrong)).text
    assert json.loads((await recado("serve", **wrong)).err)["event"] == "can_not_start"
    assert ESCAPE in (await on_terminal("serve", **wrong)).text
    assert ESCAPE not in (await recado("serve", LOG_FORMAT="console", **wrong)).err


async def test_releases_are_told_in_the_operators_language(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es_MX.UTF-8")
    await start(workers=0)
    assert (await recado("prompts", "release")).out.startswith("publicada: ")
    listed = (await recado("prompts", "list")).out
    assert listed.split()[:5] == ["versión", "cuándo", "(UTC)", "cómo", "autor"]
    assert "Volver: recado prompts rollback VERSIÓN" in listed
    assert "no hay diferencias" in (await recado("prompts", "diff")).out
    unknown = await recado("prompts", "rollback", "nada")
    assert (unknown.code, unknown.err.startswith("ninguna versión empieza con 'nada'")) == (1, True)
    assert (await recado("prompts", "canary")).err.startswith("no hay candidata")


async def test_lists_have_a_header_and_say_what_to_do(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    await start(workers=0)
    queues = (await recado("queues")).out
    assert queues.startswith("queue ")
    assert "Nothing failed" in queues
    assert "recado prompts release" in (await recado("prompts", "list")).out
    assert (await recado("prompts", "release", "--note", "first")).code == 0
    releases = (await recado("prompts", "list")).out.splitlines()
    assert releases[0].split() == ["release", "when", "(UTC)", "how", "author", "note"]
    assert releases[1].startswith("* ")
    assert "recado prompts rollback RELEASE" in releases[-1]
    assert all(len(line) <= 80 for line in (*queues.splitlines(), *releases[:2]))


async def test_an_equal_diff_says_so(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    await start(workers=0)
    assert (await recado("prompts", "release")).code == 0
    ended = await recado("prompts", "diff")
    assert (ended.code, "no difference: " in ended.out) == (0, True)
    assert json.loads((await recado("prompts", "diff", "--format", "json")).out)["diff"] == ""


def _loads_bars() -> None:
    for name in [name for name in sys.modules if name.startswith(("bot.cli.", "rich.progress"))]:
        del sys.modules[name]
    for name in ("serve", "queues", "doctor.command"):
        importlib.import_module(f"bot.cli.{name}")
    sys.exit("rich.progress" in sys.modules)


async def test_bars_are_loaded_only_where_they_are_shown() -> None:
    process = prepared(_loads_bars)
    process.start()
    await asyncio.to_thread(process.join, PATIENCE)
    assert process.exitcode == 0
