"""Run a command while four processes keep the cores busy: `python -m bench.busy make test`.

A test that fails only here waits for seconds where it should wait for an event.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from contextlib import ExitStack
from multiprocessing.process import BaseProcess

SPINNERS = 4
_WRONG_USE = 2


def main() -> int:
    """Return the exit code of the command."""
    if not sys.argv[1:]:
        print("usage: python -m bench.busy COMMAND [ARGUMENT …]", file=sys.stderr)
        return _WRONG_USE
    with ExitStack() as stack:
        for _ in range(SPINNERS):
            stack.callback(_stop_process, _start_process())
        return subprocess.run(sys.argv[1:], check=False).returncode


def _start_process() -> BaseProcess:
    process = multiprocessing.Process(target=_spin, daemon=True)
    process.start()
    return process


def _stop_process(process: BaseProcess) -> None:
    process.kill()
    process.join()


def _spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    sys.exit(main())
