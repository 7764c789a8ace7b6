"""Index of a person's files: their names, sizes, quota and retention, apart from the bytes."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime
from redis.asyncio import Redis

from bot.infra.redis import answer, key
from bot.messages.outbound import StoredFile
from bot.messages.record import Record
from bot.settings import StorageSettings
from bot.storage.storage import NotStored, Storage, safe_mime

# Limit of files for one person; the oldest makes room.
_MOST = 200
KEEP_SECONDS = 365 * 24 * 3600
_NAME_LENGTH = 120
# Limit of scans, a thousand keys each, for a check of some files.
_SCANS = 20
# Refused in names: ways to other folders, line breaks, and signs that reverse the direction of reading.
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\<>:\"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

# Storing times of all files: expired ones are found without reading every index.
_KEPT = "recado:files"
_DAY_SECONDS = 24 * 3600
_AT_ONCE = 100
_MEGABYTE = 1024 * 1024
_UNLIMITED = 2**53

# Adds a file, or renames the one of this key, unless the quota is used up. Drops the oldest beyond the limit and
# returns its key. KEYS 1 index. ARGV 1 key, 2 file, 3 seconds to keep the index, 4 limit, 5 start of the day, 6 bytes
# of a day, 7 bytes in all.
_ADD = """
local new, day, all, oldest, at = cjson.decode(ARGV[2]), 0, 0, nil, nil
local index = redis.call('HGETALL', KEYS[1])
for place = 1, #index, 2 do
  local file = cjson.decode(index[place + 1])
  if index[place] ~= ARGV[1] then
    if file.by == 'customer' then
      all = all + file.size
      if file.kept > tonumber(ARGV[5]) then day = day + file.size end
    end
    if at == nil or file.kept < at then oldest, at = index[place], file.kept end
  end
end
if day + new.size > tonumber(ARGV[6]) then return {'day'} end
if all + new.size > tonumber(ARGV[7]) then return {'all'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if redis.call('HLEN', KEYS[1]) <= tonumber(ARGV[4]) then return {''} end
redis.call('HDEL', KEYS[1], oldest)
return {'', oldest}
"""


class NoSpace(Exception):
    """The person's quota is used up; `why` is `day` or `all`."""

    def __init__(self, why: str) -> None:
        super().__init__(f"one person's bytes of files: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Quota:
    """Limit in bytes of a person's own files: of the last 24 hours, and in all."""

    day: int = _UNLIMITED
    all: int = _UNLIMITED


class KeptFile(Record):
    """A file of a person. `by` is its origin; `size` is in bytes; `kept` is the time of storing, in Unix seconds."""

    key: str
    name: str
    mime: str
    size: int
    by: Literal["customer", "company"]
    kept: float

    @property
    def id(self) -> str:
        """A short name for lists, stable for a file; it means nothing outside its person's files."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:6]

    @property
    def at(self) -> AwareDatetime:
        return datetime.fromtimestamp(self.kept, UTC)

    @property
    def stored(self) -> StoredFile:
        return StoredFile(key=self.key, mime=self.mime, filename=self.name)


async def entries(redis: Redis, conversations: Iterable[str]) -> list[KeptFile]:
    """The indexed files of these conversations."""
    pipeline = redis.pipeline(transaction=False)
    for conversation in conversations:
        pipeline.hvals(_key(conversation))
    return [KeptFile.model_validate_json(raw) for files in await pipeline.execute() for raw in files]


async def entry(redis: Redis, conversation: str, file_key: str) -> KeptFile:
    """The indexed file of this key; raises NotStored."""
    raw: str | None = await answer(redis.hget(_key(conversation), file_key))
    if raw is None:
        raise NotStored(file_key)
    return KeptFile.model_validate_json(raw)


async def clear(redis: Redis, conversation: str, file_keys: Iterable[str]) -> None:
    """Delete a conversation's index, and the storing times of these files."""
    if keys := list(file_keys):
        await answer(redis.zrem(_KEPT, *keys))
    await answer(redis.delete(_key(conversation)))


async def conversations_with_files(redis: Redis) -> list[str]:
    """For a sandbox: it scans all keys, too slow for a server with millions of them."""
    return sorted([name.split("{")[1].partition("}")[0] async for name in redis.scan_iter(_key("c_*"), count=1000)])


async def count_lost(redis: Redis, storage: Storage, most: int) -> tuple[int, int]:
    """Check the newest files of at most so many people; gives how many are missing and how many were checked.

    Raises StorageFailed.
    """
    lost, looked, cursor = 0, 0, 0
    for _ in range(_SCANS):
        cursor, names = await redis.scan(cursor, match=_key("c_*"), count=1000)
        for name in names[: most - looked]:
            files = [KeptFile.model_validate_json(raw) for raw in await answer(redis.hvals(name))]
            newest = max(files, key=lambda file: file.kept, default=None)
            if newest is not None:
                looked += 1
                lost += not await storage.files(newest.key)
        if not cursor or looked >= most:
            break
    return lost, looked


async def add(redis: Redis, conversation: str, file: KeptFile, quota: Quota | None = None) -> list[str]:
    """Put a file into its person's index, and give the keys that it pushed out, for the caller to delete.

    Raises NoSpace when the quota is used up; a file that is indexed already counts once.
    """
    quota, since = quota or Quota(), file.kept - _DAY_SECONDS
    texts = (file.key, file.model_dump_json(), KEEP_SECONDS, _MOST, since, quota.day, quota.all)
    added: Any = await answer(redis.eval(_ADD, 1, _key(conversation), *map(str, texts)))
    full, dropped = str(added[0]), [str(key) for key in added[1:]]
    if full:
        raise NoSpace(full)
    await record_time(redis, file.key, file.kept)
    return dropped


async def record_time(redis: Redis, file_key: str, at: float | None = None) -> None:
    """Record the start of a file's retention, in Unix seconds."""
    await answer(redis.zadd(_KEPT, {file_key: time.time() if at is None else at}))


async def remove(redis: Redis, conversation: str, file_key: str) -> None:
    """Take a file that could not be stored out of the index."""
    await answer(redis.hdel(_key(conversation), file_key))
    await answer(redis.zrem(_KEPT, file_key))


async def forget(redis: Redis, storage: Storage, file_key: str) -> None:
    """Delete one file and its entries; raises StorageFailed."""
    await storage.delete(file_key)
    await remove(redis, file_key.split("/")[1], file_key)


async def expire(redis: Redis, storage: Storage, days: float) -> int:
    """Delete up to a hundred files older than so many days; gives their number. Raises StorageFailed."""
    over = time.time() - days * _DAY_SECONDS
    places: list[str] = await answer(redis.zrangebyscore(_KEPT, "-inf", over, start=0, num=_AT_ONCE))
    for file_key in places:
        await forget(redis, storage, file_key)
    return len(places)


def received(file_key: str, name: str, mime: str, size: int) -> KeptFile:
    """A file that the person sent."""
    return _new_file(file_key, safe_name(name), mime, size, "customer")


def made(file_key: str, name: str, mime: str, size: int) -> KeptFile:
    """A file that was made for the person."""
    return _new_file(file_key, name, mime, size, "company")


def safe_name(claim: str) -> str:
    """A given file name without signs that mean something to a system; its ending stays."""
    name = " ".join(_NOT_IN_NAMES.sub(" ", claim).split()).lstrip(". ") or "file"
    stem, dot, ending = name.rpartition(".")
    if len(name) <= _NAME_LENGTH:
        return name
    ending = f"{dot}{ending[:10]}" if stem else ""
    return name[: _NAME_LENGTH - len(ending)] + ending


def _new_file(file_key: str, name: str, mime: str, size: int, by: Literal["customer", "company"]) -> KeptFile:
    return KeptFile(key=file_key, name=name, mime=safe_mime(mime), size=size, by=by, kept=time.time())


def quota_of(settings: StorageSettings) -> Quota:
    return Quota(day=round(settings.contact_mb_day * _MEGABYTE), all=round(settings.contact_mb * _MEGABYTE))


def _key(conversation: str) -> str:
    return key(conversation, "files")
