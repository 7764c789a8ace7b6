"""The folder of a sandbox's data: one process at a time uses it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK, _SEEDED, _REDIS = "lock", "seeded", "redis.url"


class FolderInUse(OSError):
    """Another sandbox has the folder: two Redis servers would write one append-only file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another sandbox uses {folder}: stop it, or name another folder with --data")


class DataFolder:
    """A locked folder; `redis`, `files`, `chats`, `database` and `stripe` are its parts."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.redis, self.files, self.chats = folder / "redis", folder / "files", folder / "chats.db"
        self.database, self.stripe = (folder / "recado.db").absolute(), folder / "stripe.json"

    @property
    def seeded(self) -> bool:
        """Whether an earlier sandbox has created the demo's customers, and sent the events about them."""
        return (self.path / _SEEDED).exists()

    def mark_seeded(self) -> None:
        (self.path / _SEEDED).touch()

    def note_redis(self, url: str) -> None:
        """Write down where Redis is, for commands beside the sandbox."""
        (self.path / _REDIS).write_text(f"{url}\n", "utf-8")

    def empty(self) -> None:
        """Delete what earlier sandboxes left."""
        for part in (self.redis, self.files):
            shutil.rmtree(part, ignore_errors=True)
        # SQLite keeps its log of writes beside a database.
        databases = (f"{path.name}{suffix}" for path in (self.chats, self.database) for suffix in ("", "-wal", "-shm"))
        for name in (_SEEDED, self.stripe.name, *databases):
            (self.path / name).unlink(missing_ok=True)


@contextmanager
def locked_folder(folder: Path, *, fresh: bool = False) -> Iterator[DataFolder]:
    """Hold the folder for this process; with `fresh` what earlier sandboxes left is deleted. Raises FolderInUse."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            # The system drops the lock of a killed process.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(folder) from error
        held = DataFolder(folder)
        if fresh:
            held.empty()
        yield held
        with suppress(FileNotFoundError):
            (folder / _REDIS).unlink()
    finally:
        os.close(lock)
