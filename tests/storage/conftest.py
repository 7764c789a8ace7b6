"""A real S3 server that checks signatures: rclone's. Each test has a bucket of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.storage.local import LocalStorage
from bot.storage.s3 import BucketLocation, S3Storage, S3Timeouts
from bot.storage.storage import Storage
from sandbox.ports import free_port
from tests.waiting import PATIENCE

# For tests that wait for a failure.
BRIEF = S3Timeouts(connect=0.3, answer=0.3, in_all=0.5, retries=1)
# All folders exist when the server starts, because it looks for new ones only every few minutes.
BUCKETS = tuple(f"files-{number}" for number in range(300))
# Reads until our end of the pipe closes, also when this process is killed, and then stops the server.
_KEEPER = '"$@" & child=$!; read -r _; kill "$child"; wait "$child"'


@dataclass(frozen=True)
class S3:
    """The server: a bucket is a folder below `root`."""

    endpoint: str
    root: Path
    key_id: str = "AKIDOFTHETESTS"
    secret: str = "secret-of-the-tests"

    def place(self, bucket: str, *, secret: str | None = None) -> BucketLocation:
        return BucketLocation(bucket, self.endpoint, "us-east-1", self.key_id, secret or self.secret)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3]:
    root = tmp_path_factory.mktemp("s3")
    for name in BUCKETS:
        (root / name).mkdir()
    port = free_port()
    server = S3(f"http://127.0.0.1:{port}", root)
    # Found beside the interpreter, because the environment's programs need not be on PATH.
    program = Path(sys.executable).with_name("rclone")
    command = (
        str(program),
        "serve",
        "s3",
        "--auth-key",
        f"{server.key_id},{server.secret}",
        "--addr",
        f"127.0.0.1:{port}",
    )
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", _KEEPER, "keeper", *command, "--config", "/dev/null", str(root),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _listens(port)
        yield server
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _listens(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@pytest.fixture(scope="session")
def bucket_names() -> Iterator[str]:
    return iter(BUCKETS)


@pytest.fixture
def bucket_name(bucket_names: Iterator[str]) -> str:
    """A bucket that no other test has."""
    return next(bucket_names)


@pytest.fixture
def bucket(s3: S3, bucket_name: str) -> S3Storage:
    return S3Storage(s3.place(bucket_name))


@pytest.fixture(params=["disk", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each kind of storage."""
    makers: dict[str, Callable[[], Storage]] = {
        "disk": lambda: LocalStorage(tmp_path / "files"),
        "bucket": lambda: request.getfixturevalue("bucket"),
    }
    return makers[request.param]()
