"""A person's files, sent by them or made for them: stored, listed, erased, and linked for a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from redis.asyncio import Redis

from bot.infra.redis import answer, key
from bot.infra.signed_tokens import SignedTokens, TokenWrong
from bot.settings import Settings
from bot.storage import file_index
from bot.storage.factory import storage_of
from bot.storage.file_index import KEEP_SECONDS, KeptFile
from bot.storage.local import LocalStorage
from bot.storage.storage import NotStored, Storage, Stored

# Received files lie below conversation and day, made ones below the conversation.
_FOLDERS = ("media", "made")
_SECRET = "recado:secret:files"  # noqa: S105 - the name of the key that holds it
# Limit of keys in one error text.
_SHOWN = 5


class NoLink(Exception):
    """No link can be made: files lie on a disk and PUBLIC_URL isn't set."""


class LinkWrong(Exception):
    """The token was changed, has expired, or names a missing file. The response doesn't tell which."""


class FileMissing(LinkWrong):
    """The link is valid and the index names the file, but this process's storage lacks it: an operator's matter."""


class FilesLost(Exception):
    """The index names files that this storage lacks; `places` are their keys."""

    def __init__(self, places: list[str]) -> None:
        self.places, self.some = places, ", ".join(places[:_SHOWN])
        super().__init__(f"{len(places)} files are not in this storage: {self.some}")


class Files:
    """`public_url` is the address of `serve`; buckets make links of their own."""

    def __init__(self, redis: Redis, storage: Storage, *, link_minutes: float, public_url: str | None = None) -> None:
        self._redis = redis
        self._storage = storage
        self._seconds = link_minutes * 60
        self._public_url = public_url
        self._tokens = SignedTokens(redis, _SECRET)

    @property
    def link_minutes(self) -> int:
        return max(1, round(self._seconds / 60))

    async def keep(self, conversation: str, filename: str, mime: str, data: bytes) -> str:
        """Store a document made for a person, and give its key. The same document is stored once.

        Raises StorageFailed, TooLarge.
        """
        name = file_index.safe_name(filename)
        digest = hashlib.sha256(name.encode() + b"\0" + data).hexdigest()[:32]
        file_key = f"made/{conversation}/{digest}"
        await self._storage.put(file_key, data, mime, name)
        file = file_index.made(file_key, name, mime, len(data))
        for dropped in await file_index.add(self._redis, conversation, file):
            await file_index.forget(self._redis, self._storage, dropped)
        return file_key

    async def of(self, conversation: str, earlier: Iterable[str] = ()) -> list[KeptFile]:
        """A person's files, newest first, with those of merged conversations."""
        found = await file_index.entries(self._redis, (conversation, *earlier))
        return sorted(found, key=lambda file: (-file.kept, file.key))

    async def stored(self, conversation: str) -> list[Stored]:
        """The files of a conversation in the storage, indexed or not; raises StorageFailed."""
        return [file for folder in _FOLDERS for file in await self._storage.files(f"{folder}/{conversation}")]

    async def missing(self, conversation: str) -> list[str]:
        """Keys that the index names and the storage lacks: another process may use another storage.

        Empty while an interrupted erasure explains the difference. Raises StorageFailed.
        """
        if await self._redis.exists(_erasing(conversation)):
            return []
        # The index is read first: a file that arrives meanwhile is in the storage.
        named = {file.key for file in await self.of(conversation)}
        return sorted(named - {file.key for file in await self.stored(conversation)}) if named else []

    async def read(self, file_key: str) -> bytes:
        """Raises NotStored, StorageFailed."""
        return await self._storage.get(file_key)

    async def erase(self, conversation: str) -> int:
        """Erase all files of a conversation and its index; gives their number. Raises StorageFailed."""
        there = await self.stored(conversation)
        # From here on the storage may lack indexed files. After a crash, this mark explains the difference.
        await answer(self._redis.set(_erasing(conversation), "1", ex=KEEP_SECONDS))
        for folder in _FOLDERS:
            await self._storage.delete(f"{folder}/{conversation}")
        await file_index.clear(self._redis, conversation, [file.key for file in there])
        return len(there)

    async def link(self, conversation: str, file_key: str) -> str:
        """An address of this file, valid until it expires.

        Raises NoLink, and NotStored for a file outside the conversation's index.
        """
        file = await file_index.entry(self._redis, conversation, file_key)
        url = await self._storage.link(file.key, self._seconds)
        if url is not None:
            return url
        if self._public_url is None:
            raise NoLink
        token = await self._tokens.sign(conversation, file_key, seconds=self._seconds)
        return f"{self._public_url.rstrip('/')}/files/{token}"

    async def open(self, token: str) -> tuple[KeptFile, Path]:
        """The file of a link and its path on the disk; raises LinkWrong, FileMissing, StorageFailed."""
        try:
            conversation, file_key = await self._tokens.read(token)
            file = await file_index.entry(self._redis, conversation, file_key)
        except (TokenWrong, NotStored) as error:
            raise LinkWrong from error
        if not isinstance(self._storage, LocalStorage):
            raise FileMissing
        try:
            return file, await self._storage.path(file_key)
        except NotStored as error:
            raise FileMissing from error


def files_of(redis: Redis, settings: Settings) -> Files:
    return Files(
        redis,
        storage_of(settings.storage),
        link_minutes=settings.storage.link_minutes,
        public_url=settings.service.public_url,
    )


def _erasing(conversation: str) -> str:
    return key(conversation, "files", "erasing")
