"""Media files at Meta: accepted types, the lifetimes of ids and addresses, and the format of hashes."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from sandbox.meta.errors import GraphRefusal, unknown_object

_KB, _MB = 1024, 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"
# Mime types that Meta accepts for sending, and the largest file of each kind (Meta's "Media" page of 2025-12-11).
MIMES = {
    "image": ("image/jpeg", "image/png"),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "video": ("video/mp4", "video/3gpp"),
    "document": (
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        f"{_OFFICE}.wordprocessingml.document",
        f"{_OFFICE}.spreadsheetml.sheet",
        f"{_OFFICE}.presentationml.presentation",
    ),
    "sticker": ("image/webp",),
}
LARGEST = {"image": 5 * _MB, "audio": 16 * _MB, "video": 16 * _MB, "document": 100 * _MB, "sticker": 500 * _KB}
_URL_LIVES = timedelta(minutes=5)
_UPLOAD_LIVES = timedelta(days=30)
_INBOUND_LIVES = timedelta(days=7)
_MOST_BYTES_KEPT = 512 * _MB


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file; webhooks spell the digest `sha256` in base64, the media call in hexadecimal."""

    id: str
    data: bytes = field(repr=False)
    mime: str
    expires: datetime

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.data).digest()

    @property
    def sha256_base64(self) -> str:
        return base64.b64encode(self.sha256).decode()


class MediaKeeper(Protocol):
    """A place where files outlive a restart."""

    def media(self) -> Iterator[MediaFile]: ...
    def put_media(self, file: MediaFile) -> None: ...
    def delete_media(self, media_id: str) -> None: ...


class MediaStore:
    """The files of one number, in memory; the oldest are dropped when all together exceed 512 MB.

    `store` has them after a restart.
    """

    def __init__(self, clock: Callable[[], datetime], store: MediaKeeper | None = None) -> None:
        self._clock = clock
        self._keeper = store
        self._files: dict[str, MediaFile] = {file.id: file for file in (store.media() if store else ())}
        self._secret = secrets.token_bytes(16)
        self.base_url = ""

    def upload(self, data: bytes, mime: str) -> MediaFile:
        """Store a business's file; raises GraphRefusal for a file that Meta wouldn't send."""
        plain = mime.split(";", maxsplit=1)[0].strip().lower()
        kind = next((kind for kind, mimes in MIMES.items() if plain in mimes), None)
        if kind is None:
            raise GraphRefusal(100, f"Param file must be a file with one of the following types, not {plain or 'none'}")
        if not data or len(data) > LARGEST[kind]:
            raise GraphRefusal(131053, f"{len(data)} bytes; a {kind} has 1 to {LARGEST[kind]}")
        return self._store(data, mime, _UPLOAD_LIVES)

    def receive(self, data: bytes, mime: str, media_id: str | None = None) -> MediaFile:
        """Store a person's file of any type; `media_id` is that of a voicemail, which is no number."""
        return self._store(data, mime, _INBOUND_LIVES, media_id)

    def get(self, media_id: str) -> MediaFile:
        """The file; raises GraphRefusal when the id is unknown or expired."""
        kept = self._files.get(media_id)
        if kept is None or kept.expires <= self._clock():
            raise unknown_object(media_id)
        return kept

    def delete(self, media_id: str) -> None:
        self.get(media_id)
        del self._files[media_id]
        if self._keeper:
            self._keeper.delete_media(media_id)

    def url(self, media_id: str) -> str:
        """An address that works for 5 minutes, with the token."""
        expires = int((self._clock() + _URL_LIVES).timestamp())
        return (
            f"{self.base_url}/whatsapp_business/attachments/"
            f"?mid={quote(media_id, safe='')}&ext={expires}&hash={self._url_signature(media_id, expires)}"
        )

    def by_url(self, media_id: str, expires: str, mark: str) -> MediaFile | None:
        """The file behind an address; None when the address is forged or expired."""
        if not expires.isdecimal() or not hmac.compare_digest(
            mark.encode(), self._url_signature(media_id, expires).encode()
        ):
            return None
        if int(expires) <= self._clock().timestamp():
            return None
        return self._files.get(media_id)

    def _url_signature(self, media_id: str, expires: int | str) -> str:
        return hmac.new(self._secret, f"{media_id} {expires}".encode(), hashlib.sha256).hexdigest()[:32]

    def _store(self, data: bytes, mime: str, life: timedelta, media_id: str | None = None) -> MediaFile:
        kept = MediaFile(media_id or _new_id(), data, mime, self._clock() + life)
        self._files[kept.id] = kept
        if self._keeper:
            self._keeper.put_media(kept)
        while len(self._files) > 1 and sum(len(file.data) for file in self._files.values()) > _MOST_BYTES_KEPT:
            del self._files[next(iter(self._files))]
        return kept


def media_content(file: MediaFile, kind: str, url: str, caption: str | None, filename: str | None) -> dict[str, Any]:
    """The content of a webhook's message with the file."""
    content: dict[str, Any] = {"mime_type": file.mime, "sha256": file.sha256_base64, "id": file.id, "url": url}
    content |= {"caption": caption} if caption else {}
    content |= {"filename": filename} if filename and kind == "document" else {}
    return content | ({"animated": False} if kind == "sticker" else {})


def _new_id() -> str:
    """Meta's ids are numbers of about 16 digits, given as text."""
    return str(secrets.randbelow(9 * 10**15) + 10**15)


def now() -> datetime:
    return datetime.now(UTC)
