"""The one door to stored files, so that nobody who keeps a file knows where it lies."""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

_SEGMENT = re.compile(r"^[A-Za-z0-9_=@+-][A-Za-z0-9._=@+-]{0,199}$")


class NotStored(Exception):
    """There is nothing under this key."""


class StorageFailed(Exception):
    """The storage can't be read or written now: full, not allowed, or away."""


class WrongKey(ValueError):
    """A key that no storage takes: it would lead elsewhere."""


class Storage(Protocol):
    """Files by key, such as `media/c_1f…/2026-11-24/9001`. Each call raises StorageFailed when it can't be done."""

    async def put(self, key: str, data: bytes, mime: str) -> None:
        """Keep a file, whole or not at all; the same key again takes its place."""

    async def get(self, key: str) -> bytes:
        """The file's bytes; raises NotStored."""

    async def mime(self, key: str) -> str:
        """The content type that came with the file; raises NotStored."""

    async def delete(self, prefix: str) -> None:
        """Erase the file of this key and all below it; `media/c_1` does not touch `media/c_12`."""


def checked(key: str) -> str:
    """The key, if all its segments are plain names; nothing hidden, no way up, nothing a file system reads otherwise.

    Raises WrongKey.
    """
    if not all(_SEGMENT.match(segment) for segment in key.split("/")):
        raise WrongKey(f"{key[:100]!r} is no key: expected names of letters, digits and ._=@+- between slashes")
    return key


def segment(value: str) -> str:
    """A string from outside as one segment of a key: itself where it is a plain name, else its digest."""
    return value if _SEGMENT.match(value) else hashlib.sha256(value.encode()).hexdigest()
