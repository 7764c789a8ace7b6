"""Releases in Redis: each the whole folder, immutable, named by its hash; one of them is the current one for everybody.

The pointer to it is one key, read at the start of every turn: all processes switch together. Old ones go when they are
beyond the history and no turn in hand has them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.prompting.prompts import name_of
from bot.redis import answer

# How many switches are remembered, and so the releases that can be gone back to.
HISTORY = 100
_SHORTEST = 4
# One hash tag, so that the scripts work on a Redis Cluster too.
_CURRENT, _LOG, _ALL, _CONTENT = (f"recado:{{prompts}}:{name}" for name in ("current", "history", "all", "release"))

# Content and pointer at once. KEYS 1 content, 2 all, 3 history, 4 current. ARGV 1 release, 2 texts, 3 entry, 4 length
# of the history, 5 whether the texts must be there ("1" or ""). Gives 0 when it is the current one, -1 when unknown.
_SWITCH = """
if ARGV[5] == '1' and redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('GET', KEYS[4]) == ARGV[1] and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if ARGV[5] == '' then redis.call('SET', KEYS[1], ARGV[2], 'NX') end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[3], ARGV[3])
redis.call('LTRIM', KEYS[3], 0, ARGV[4] - 1)
redis.call('SET', KEYS[4], ARGV[1])
return 1
"""

# What is neither current, nor in the history, nor in use. KEYS 1 all, 2 history, 3 current, 4 … content of those that
# may go, in the order of ARGV.
_PRUNE = """
local kept = {[redis.call('GET', KEYS[3]) or ''] = true}
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do kept[cjson.decode(entry).release] = true end
for index, name in ipairs(ARGV) do
  if not kept[name] then redis.call('DEL', KEYS[3 + index]) redis.call('SREM', KEYS[1], name) end
end
"""

InUse = Callable[[], Awaitable[Collection[str]]]


class UnknownRelease(Exception):
    """There is no such release, or not one alone; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A switch to a release: who, when (UTC), with which note; `how` is `release`, `rollback`, `watch` or `start`."""

    release: str
    author: str
    at: datetime
    note: str
    how: str


async def current_release(redis: Redis) -> str | None:
    """The name of the release that turns begin with now; None before the first."""
    name: str | None = await answer(redis.get(_CURRENT))
    return name


class Releases:
    """`in_use` gives the releases of turns in hand."""

    def __init__(self, redis: Redis, in_use: InUse) -> None:
        self._redis = redis
        self._in_use = in_use

    async def current(self) -> str | None:
        return await current_release(self._redis)

    async def texts(self, release: str) -> dict[str, str] | None:
        """The files of a release; None when there is no such one (any more)."""
        found = await answer(self._redis.get(_content(release)))
        return json.loads(found) if found else None

    async def release(self, texts: Mapping[str, str], *, author: str, note: str = "", how: str = "release") -> bool:
        """Make these files the current release; False when they are already."""
        name = name_of(texts)
        whole = json.dumps(dict(sorted(texts.items())), ensure_ascii=False)
        done = await self._switch(name, whole, Entry(name, author, datetime.now(UTC), note, how)) > 0
        if done:
            await self._prune()
        return done

    async def roll_back(self, name: str, *, author: str, note: str = "") -> None:
        """Make a release that is kept the current one. Raises UnknownRelease."""
        if await self._switch(name, None, Entry(name, author, datetime.now(UTC), note, "rollback")) < 0:
            raise UnknownRelease(f"{name} isn't kept any more; see `recado prompts list`")

    async def history(self) -> list[Entry]:
        """The last switches, the newest first."""
        return [_entry(json.loads(raw)) for raw in await answer(self._redis.lrange(_LOG, 0, -1))]

    async def find(self, prefix: str) -> str:
        """The release whose name begins so; `current` is the current one. Raises UnknownRelease."""
        if prefix == "current":
            if (now := await self.current()) is None:
                raise UnknownRelease("nothing is released yet; see `recado prompts release`")
            return now
        found = [name for name in await answer(self._redis.smembers(_ALL)) if name.startswith(prefix)]
        if len(prefix) < _SHORTEST or len(found) != 1:
            many = "several releases begin" if len(found) > 1 and len(prefix) >= _SHORTEST else "no release begins"
            raise UnknownRelease(f"{many} with {prefix!r}; see `recado prompts list`")
        return str(found[0])

    async def before(self, prefix: str | None = None) -> str:
        """The release that this names, or the one that was current before the current one. Raises UnknownRelease."""
        if prefix:
            return await self.find(prefix)
        now = await self.current()
        names = (entry.release for entry in await self.history())
        name = next((name for name in names if name != now), None)
        if name is None:
            raise UnknownRelease("there is no release before this one; see `recado prompts list`")
        return name

    async def _switch(self, name: str, texts: str | None, entry: Entry) -> int:
        keys = (_content(name), _ALL, _LOG, _CURRENT)
        values = (name, texts or "", _raw(entry), str(HISTORY), "1" if texts is None else "")
        return int(await answer(self._redis.eval(_SWITCH, len(keys), *keys, *values)))

    async def _prune(self) -> None:
        everything: set[str] = await answer(self._redis.smembers(_ALL))
        if len(everything) <= HISTORY:
            return
        old = sorted(everything - {entry.release for entry in await self.history()} - set(await self._in_use()))
        if old:
            keys = (_ALL, _LOG, _CURRENT, *map(_content, old))
            await answer(self._redis.eval(_PRUNE, len(keys), *keys, *old))


def _content(release: str) -> str:
    return f"{_CONTENT}:{release}"


def _raw(entry: Entry) -> str:
    shown: dict[str, Any] = {name: getattr(entry, name) for name in ("release", "author", "note", "how")}
    return json.dumps(shown | {"at": entry.at.isoformat()}, ensure_ascii=False)


def _entry(raw: dict[str, str]) -> Entry:
    return Entry(raw["release"], raw["author"], datetime.fromisoformat(raw["at"]), raw["note"], raw["how"])
