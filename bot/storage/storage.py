"""Interface of all storages, and the rules for keys, sizes and content types."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

_SEGMENT = re.compile(r"[A-Za-z0-9_=@+-][A-Za-z0-9._=@+-]{0,199}")
# The largest document that WhatsApp carries, in both directions.
LARGEST_BYTES = 100 * 1024 * 1024
PLAIN = "application/octet-stream"
_MIME = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$")
# Types that a browser would run; XML may be SVG.
_RUNS = re.compile(r"html|xml|svg|script|flash|java")
_OFFICE = "application/vnd.openxmlformats-officedocument."


class NotStored(Exception):
    """No file has this key."""


class StorageFailed(Exception):
    """The storage can't be read or written now: full, forbidden, or unreachable."""


class WrongKey(ValueError):
    """No storage accepts this key, because it would lead elsewhere."""


class TooLarge(ValueError):
    """No storage accepts this file, because it could be sent to nobody."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored file; `size` in bytes."""

    key: str
    size: int


class Storage(Protocol):
    """Files by key, such as `media/c_1f…/2026-11-24/9001`. Each call raises StorageFailed when it fails."""

    async def put(self, key: str, data: bytes, mime: str, filename: str | None = None) -> None:
        """Store a file, all or nothing, in place of an earlier one with this key. Raises TooLarge.

        A browser that opens a link saves it as `filename`; `mime` is stored as `safe_mime` returns it.
        """

    async def get(self, key: str) -> bytes:
        """The file's bytes; raises NotStored."""

    async def mime(self, key: str) -> str:
        """The content type of the file; raises NotStored."""

    async def files(self, prefix: str) -> list[Stored]:
        """The file of this key and all below it, sorted by key."""

    async def delete(self, prefix: str) -> None:
        """Erase the file of this key and all below it; `media/c_1` does not touch `media/c_12`."""

    async def link(self, key: str, seconds: float) -> str | None:
        """An address of the file, open to everybody for so long; None when the storage makes none."""


def checked_key(key: str) -> str:
    """The key, if all its segments are plain names: nothing hidden, no way up, no special names.

    Raises WrongKey.
    """
    if not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise WrongKey(f"{key[:100]!r} is no key: expected names of letters, digits and ._=@+- between slashes")
    return key


def segment(value: str) -> str:
    """A foreign string as one segment of a key: itself if it is a plain name, else its digest."""
    return value if _SEGMENT.fullmatch(value) else hashlib.sha256(value.encode()).hexdigest()


def within_limit(data: bytes) -> bytes:
    """The data; raises TooLarge."""
    if len(data) > LARGEST_BYTES:
        raise TooLarge(f"a file of {len(data)} bytes; {LARGEST_BYTES} may be kept")
    return data


def safe_mime(claim: str) -> str:
    """A content type to store and serve: the claimed one, unless it is invalid or a browser would run it."""
    mime = claim.partition(";")[0].strip().lower()
    runs = _RUNS.search(mime) and not mime.startswith(_OFFICE)
    return mime if _MIME.match(mime) and not runs else PLAIN


def disposition(filename: str | None) -> str:
    """A Content-Disposition that saves and never shows. RFC 5987's encoding keeps names from breaking out."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}" if filename else "attachment"
