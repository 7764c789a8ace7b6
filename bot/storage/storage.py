"""The one door to stored files, so that nobody who keeps a file knows where it lies."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

_SEGMENT = re.compile(r"[A-Za-z0-9_=@+-][A-Za-z0-9._=@+-]{0,199}")
# The largest document that WhatsApp carries: nothing larger comes in, nothing larger goes out.
LARGEST_BYTES = 100 * 1024 * 1024
PLAIN = "application/octet-stream"
_MIME = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$")
# What a browser would run when a link opens it; XML may be SVG.
_RUNS = re.compile(r"html|xml|svg|script|flash|java")
_OFFICE = "application/vnd.openxmlformats-officedocument."


class NotStored(Exception):
    """There is nothing under this key."""


class StorageFailed(Exception):
    """The storage can't be read or written now: full, not allowed, or away."""


class WrongKey(ValueError):
    """A key that no storage takes: it would lead elsewhere."""


class TooLarge(ValueError):
    """A file that no storage takes, because nobody could be sent it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is there; `size` in bytes."""

    key: str
    size: int


class Storage(Protocol):
    """Files by key, such as `media/c_1f…/2026-11-24/9001`. Each call raises StorageFailed when it can't be done."""

    async def put(self, key: str, data: bytes, mime: str, filename: str | None = None) -> None:
        """Keep a file, whole or not at all; the same key again takes its place. Raises TooLarge.

        `filename` is what a browser calls it when a link is opened; `mime` is kept as `safe_mime` has it.
        """

    async def get(self, key: str) -> bytes:
        """The file's bytes; raises NotStored."""

    async def mime(self, key: str) -> str:
        """The content type of the file; raises NotStored."""

    async def files(self, prefix: str) -> list[Stored]:
        """The file of this key and all below it, by key; empty where there is nothing."""

    async def delete(self, prefix: str) -> None:
        """Erase the file of this key and all below it; `media/c_1` does not touch `media/c_12`."""

    async def link(self, key: str, seconds: float) -> str | None:
        """An address at which anybody may fetch the file for so long; None where the storage gives out none."""


def checked_key(key: str) -> str:
    """The key, if all its segments are plain names; nothing hidden, no way up, nothing a file system reads otherwise.

    Raises WrongKey.
    """
    if not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise WrongKey(f"{key[:100]!r} is no key: expected names of letters, digits and ._=@+- between slashes")
    return key


def segment(value: str) -> str:
    """A string from outside as one segment of a key: itself where it is a plain name, else its digest."""
    return value if _SEGMENT.fullmatch(value) else hashlib.sha256(value.encode()).hexdigest()


def within_limit(data: bytes) -> bytes:
    """The data, if a storage takes so much; raises TooLarge."""
    if len(data) > LARGEST_BYTES:
        raise TooLarge(f"a file of {len(data)} bytes; {LARGEST_BYTES} may be kept")
    return data


def safe_mime(claim: str) -> str:
    """A content type to keep and to serve: what somebody claimed, unless it is none or a browser would run it."""
    mime = claim.partition(";")[0].strip().lower()
    runs = _RUNS.search(mime) and not mime.startswith(_OFFICE)
    return mime if _MIME.match(mime) and not runs else PLAIN


def disposition(filename: str | None) -> str:
    """A Content-Disposition that saves and never shows; RFC 5987's spelling lets no name break out of it."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}" if filename else "attachment"
