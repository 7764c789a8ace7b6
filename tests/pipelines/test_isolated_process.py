"""Work in an isolated process can hang or crash without harm."""

import asyncio
import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest

from pipelines.errors import FileProblem, FileRefused
from pipelines.isolated_process import IsolatedProcess
from tests.waiting import PATIENCE

MEMORY = 1024 * 1024 * 1024


def process_id() -> int:
    return os.getpid()


def hang() -> None:
    time.sleep(600)


def spin() -> None:
    while True:
        pass


def crash() -> None:
    os.abort()


def refuse() -> None:
    raise FileRefused(FileProblem.ENCRYPTED, "a password is needed")


async def test_work_is_done_in_one_other_process() -> None:
    process = IsolatedProcess(memory=MEMORY)
    first, second = [await process.run(process_id, seconds=30) for _ in range(2)]
    await process.close()
    assert first == second != os.getpid()


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (hang, FileProblem.TOO_SLOW),
        (spin, FileProblem.TOO_SLOW),
        (crash, FileProblem.DAMAGED),
        (refuse, FileProblem.ENCRYPTED),
    ],
)
async def test_what_goes_wrong_is_a_refusal_and_work_goes_on(work: object, reason: FileProblem) -> None:
    process = IsolatedProcess(memory=MEMORY)
    with pytest.raises(FileRefused) as refused:
        await process.run(work, seconds=0.3)  # type: ignore[arg-type] # any function of a module
    assert refused.value.reason is reason
    assert await process.run(process_id, seconds=30) != os.getpid()
    await process.close()


async def test_closing_ends_the_process_also_while_it_works() -> None:
    # The engine that reads photos for other tests of this process may be there.
    before = set(multiprocessing.active_children())
    process = IsolatedProcess(memory=MEMORY)
    with pytest.raises(FileRefused):
        await process.run(hang, seconds=0.3)
    await process.close()
    assert set(multiprocessing.active_children()) <= before


async def test_work_that_hangs_ends_when_the_parent_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import asyncio, os, time\n"
        "from pipelines.isolated_process import IsolatedProcess\n"
        "async def main():\n"
        "    process = IsolatedProcess(memory=2**30)\n"
        "    await process.run(os.getpid, seconds=60)\n"
        "    hung = asyncio.ensure_future(process.run(time.sleep, 600, seconds=600))\n"
        "    await asyncio.sleep(0.2)\n"
        "    print('hung', flush=True)\n"
        "    await hung\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, str(program), stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"hung\n"
    parent.kill()
    async with asyncio.timeout(PATIENCE):
        # Because the isolated process inherited the pipe, the pipe ends with it.
        assert await parent.stdout.read() == b""
    await parent.wait()


async def test_a_process_that_nobody_closed_keeps_no_interpreter(tmp_path: Path) -> None:
    program = tmp_path / "forgetful.py"
    program.write_text(
        "import asyncio, multiprocessing, os\n"
        "from pipelines.isolated_process import IsolatedProcess\n"
        "def work():\n"
        "    asyncio.run(IsolatedProcess(memory=2**30).run(os.getpid, seconds=60))\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('spawn').Process(target=work)\n"
        "    process.start()\n"
        "    process.join()\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, str(program))
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == 0
