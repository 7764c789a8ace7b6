"""Workers of pytest-xdist and their fork servers as forks of one process: it imports once what takes each seconds."""

from __future__ import annotations

import fcntl
import gc
import importlib
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, TextIO

import pytest

from bench.prepared_process import IMPORTED, start_server_by
from tests.paths import ROOT

# Libraries of single tests, and what their helpers need.
_OF_TESTS = ("bench.chaos.kills", "bench.upgraded_file", "docx", "openpyxl", "pywa", "pywa_async", "tests.processes")
_LARGEST_REQUEST = 128 * 1024
_MOST_FILES = 64
_MOST_WAITING = 64
_FREE = 200
# Of the process that forks, and of its forks: a program that stands in for Python, and begins as one more fork.
_program: list[str] = []


def fork_workers(config: pytest.Config, specs: list[Any]) -> None:
    """Let xdist's workers on this machine begin as forks. Elsewhere than on Linux they begin as usual."""
    ours = [spec for spec in specs if spec.popen and not spec.python]
    if not sys.platform.startswith("linux") or not ours:
        return
    folder = tempfile.TemporaryDirectory(prefix="recado-workers-")
    config.add_cleanup(folder.cleanup)
    address, program = Path(folder.name, "socket"), Path(folder.name, "python")
    client = shlex.join([sys.executable, "-I", "-S", str(ROOT / "tests" / "prepared_client.py"), str(address)])
    program.write_text(f'#!/bin/sh\nexec {client} "$@"\n')
    program.chmod(0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(address))
        listener.listen(_MOST_WAITING)
        code = f"from tests.prepared_workers import serve; serve({listener.fileno()}, {str(program)!r})"
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, pass_fds=[listener.fileno()])
    config.add_cleanup(lambda: _end(process))
    for spec in ours:
        spec.python = shlex.quote(str(program))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.communicate()


def prepare_fork_server() -> None:
    """Let the fork server of this process begin as a fork too, if this process is one."""
    if _program:
        start_server_by(_program[0])


def serve(number: int, program: str) -> None:
    """Import, then fork for each client, until our own standard input ends."""
    _program.append(program)
    for name in (*IMPORTED, *_OF_TESTS):
        importlib.import_module(name)
    # pytest would complain that it can't rewrite this one's assertions, which it need not.
    sys.modules["anyio"].__doc__ = f"PYTEST_DONT_REWRITE {sys.modules['anyio'].__doc__}"
    gc.collect()
    gc.freeze()
    threading.Thread(target=_end_with_input, daemon=True).start()
    listener = socket.socket(fileno=number)
    while True:
        connection, _ = listener.accept()
        message, files, _, _ = socket.recv_fds(connection, _LARGEST_REQUEST, _MOST_FILES)
        request = json.loads(message)
        process = os.fork()
        if process == 0:
            listener.close()
            connection.close()
            _become(request, files)
            return
        for file in files:
            os.close(file)
        threading.Thread(target=_tell_end, args=(process, connection), daemon=True).start()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def _tell_end(process: int, connection: socket.socket) -> None:
    _, status = os.waitpid(process, 0)
    with connection:
        connection.send(str(abs(os.waitstatus_to_exitcode(status))).encode())


def _become(request: dict[str, Any], files: list[int]) -> None:
    """Run the code of `python -u -c CODE ARGUMENTS` as if this process had begun with it."""
    # Out of the way first: a number that one of them shall have may be another's.
    high = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _FREE) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(high, request["numbers"], strict=True):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    arguments: list[str] = request["arguments"]
    place = arguments.index("-c")
    sys.argv = ["-c", *arguments[place + 2 :]]
    exec(arguments[place + 1], vars(sys.modules["__main__"]))


def _text(number: int, mode: str) -> TextIO:
    return os.fdopen(number, mode, buffering=1, closefd=False)
