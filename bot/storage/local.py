"""Files on the local disk, for a company that has no object storage."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bot.storage.storage import NotStored, StorageFailed, Stored, checked_key, safe_mime, within_limit

# Hidden: no segment of a key may begin with a dot.
_TYPES = ".types"
_PART = ".part-"
_ANY = "any"
# Reserve for other users of this disk, such as Redis, which must write the messages that Meta was told are safe.
_LEFT_FREE = 256 * 1024 * 1024
T = TypeVar("T")


class LocalStorage:
    """A Storage below one folder. Content types lie in a tree of their own beside the files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    async def put(self, key: str, data: bytes, mime: str, filename: str | None = None) -> None:  # noqa: ARG002 - links are made elsewhere
        def write() -> None:
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(path.parent).free < len(data) + _LEFT_FREE:
                raise StorageFailed(f"less than {_LEFT_FREE // 1024**2} MB of the disk are free")
            # The type is written first: an existing file always has one.
            _write(self._path(key, _TYPES), safe_mime(mime).encode())
            _write(path, within_limit(data))

        await _in_thread(write)

    async def get(self, key: str) -> bytes:
        return await _in_thread(lambda: _read(self._path(key), key))

    async def mime(self, key: str) -> str:
        return (await _in_thread(lambda: _read(self._path(key, _TYPES), key))).decode()

    async def files(self, prefix: str) -> list[Stored]:
        def walk() -> list[Stored]:
            root, top = self._path(_ANY).parent, self._path(prefix)
            paths = (top, *top.rglob("*")) if top.is_dir() else (top,)
            whole = (path for path in paths if path.is_file() and not path.name.startswith("."))
            return [Stored(path.relative_to(root).as_posix(), path.stat().st_size) for path in sorted(whole)]

        return await _in_thread(walk)

    async def link(self, key: str, seconds: float) -> str | None:  # noqa: ARG002 - a disk has no address of its own
        return None

    async def path(self, key: str) -> Path:
        """The file's path, for a server that streams it; raises NotStored."""

        def find() -> Path:
            path = self._path(key)
            if not path.is_file():
                raise NotStored(key)
            return path

        return await _in_thread(find)

    async def delete(self, prefix: str) -> None:
        def erase() -> None:
            for path in (self._path(prefix), self._path(prefix, _TYPES)):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

        await _in_thread(erase)

    def _path(self, key: str, *tree: str) -> Path:
        """The path of a key. Symbolic links could lead out of the folder, and are refused."""
        root = Path(os.path.realpath(self._folder)).joinpath(*tree)
        path = root / checked_key(key)
        if os.path.realpath(path) != str(path):
            raise StorageFailed("a link stands where a file or a folder should be")
        return path


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise StorageFailed(error.strerror or type(error).__name__) from error


def _write(path: Path, data: bytes) -> None:
    """Write all or nothing: a process that dies here leaves the old file, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_PART, dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _read(path: Path, key: str) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotStored(key) from error
