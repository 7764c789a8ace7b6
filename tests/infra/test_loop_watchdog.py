"""Whatever holds the event loop is named in the log and counted; a machine that is busy or asleep holds nothing."""

import asyncio
import json
import os
import re
import runpy
import signal
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from bench.prepared_process import begin_with, prepared, write_to
from tests.processes import eventually
from tests.waiting import PATIENCE

# As `serve`, `worker` and `sandbox` run: in the command's own loop. Each way to hold a loop is a function of its own.
PROGRAM = """
import asyncio, json, re, sys, time
from bot.cli import process
from bot.infra import logs
from bot.infra.metrics import REGISTRY

def computing():
    until = time.thread_time() + 0.6
    while time.thread_time() < until:
        pass

def waiting():
    time.sleep(0.6)

def scanning():
    # Holds the interpreter too: no other thread runs meanwhile.
    began, length = time.thread_time(), 4000
    while time.thread_time() < began + 0.6:
        began, length = time.thread_time(), length * 2
        re.search(r"\\\\s+$", " " * length + ".")

async def nothing():
    print("running", flush=True)
    await asyncio.sleep(600)

async def held():
    for _ in range(10):
        await asyncio.sleep(0.02)
    globals()[sys.argv[1]]()
    await asyncio.sleep(0.5)
    print(json.dumps({name: REGISTRY.get_sample_value(name) for name in
                      ("recado_loop_blocked_total", "recado_loop_blocked_seconds_total")}))

logs.configure("info", sys.argv[2])
process.run_loop(held() if sys.argv[1] != "nothing" else nothing(), 0.1)
"""


@dataclass(frozen=True)
class Run:
    """A run of the program, and the files of its output."""

    process: ForkServerProcess
    out: Path
    err: Path

    async def ended(self) -> int | None:
        await asyncio.to_thread(self.process.join, PATIENCE)
        return self.process.exitcode


async def started(what: str, tmp_path: Path, log_format: str = "json") -> Run:
    program, out, err = (tmp_path / name for name in ("program.py", "out", "err"))
    program.write_text(PROGRAM)
    process = prepared(_run, str(program), [what, log_format], dict(os.environ), str(out), str(err))
    await asyncio.to_thread(process.start)
    return Run(process, out, err)


def _run(program: str, arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    begin_with(environment, str(Path(program).parent))
    write_to(out, 1)
    write_to(err, 2)
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


def blocked(errors: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in errors.splitlines()]
    return [line for line in lines if line["event"] == "loop_blocked"]


@pytest.mark.parametrize("what", ["computing", "waiting", "scanning"])
async def test_what_holds_the_loop_is_named_and_counted(what: str, tmp_path: Path) -> None:
    run = await started(what, tmp_path)
    code, out, errors = await run.ended(), run.out.read_text(), run.err.read_text()
    assert code == 0, errors
    (line,) = [line for line in blocked(errors) if any(frame.endswith(f" {what}") for frame in line["stack"])]
    assert line["level"] == "warning"
    assert line["milliseconds"] > 250
    assert line["ended"] is True
    # Files and functions alone, innermost first: no words, no values.
    assert all(len(frame.split()) == 2 and ".py:" in frame for frame in line["stack"])
    assert [frame.split()[1] for frame in line["stack"]][-2:] == [what, "held"]
    counted = json.loads(out)
    assert counted["recado_loop_blocked_total"] >= 1
    assert counted["recado_loop_blocked_seconds_total"] * 1000 >= line["milliseconds"] - 1


async def test_it_is_told_to_people_on_a_terminal_too(tmp_path: Path) -> None:
    run = await started("waiting", tmp_path, "console")
    code, errors = await run.ended(), run.err.read_text()
    assert (code, "Traceback" in errors) == (0, False), errors
    assert "loop_blocked" in errors
    assert re.search(r"program.py:\d+ waiting\n", errors)


async def test_a_process_that_stood_as_a_whole_is_not_reported(tmp_path: Path) -> None:
    run = await started("nothing", tmp_path)

    async def is_running() -> bool:
        return run.out.exists() and run.out.read_text() == "running\n"

    await eventually(is_running)
    assert run.process.pid
    for _ in range(2):
        await asyncio.sleep(0.2)
        os.kill(run.process.pid, signal.SIGSTOP)
        await asyncio.sleep(0.7)
        os.kill(run.process.pid, signal.SIGCONT)
    await asyncio.sleep(0.3)
    run.process.terminate()
    code, errors = await run.ended(), run.err.read_text()
    assert code == 0, errors
    assert blocked(errors) == []
