"""Releases in Redis: each the whole folder, immutable, named by its hash; one of them is the current one for everybody.

The pointer to it is one key, read at the start of every turn together with that to a candidate: all processes switch
together. Old ones go when they are beyond the history and no turn in hand has them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from redis.asyncio import Redis

from bot.infra.queries import Query, ask
from bot.infra.redis import answer
from bot.prompting.canary import Canary, CurrentRelease
from bot.prompting.canary_metrics import CANDIDATE, KEYS
from bot.prompting.prompts import name_of

# How many switches are remembered, and so the releases that can be gone back to.
HISTORY = 100
_SHORTEST = 4
# One hash tag, so that the scripts work on a Redis Cluster too.
_CURRENT, _LOG, _ALL, _CONTENT = (f"recado:{{prompts}}:{name}" for name in ("current", "history", "all", "release"))

# Of all that changes what turns begin with. KEYS 1 content, 2 all, 3 history, 4 current, 5 candidate, 6 … what else
# goes with a candidate. ARGV 1 release, 2 entry, 3 length of the history.
_CHANGES = """
local function end_canary() for index = 5, #KEYS do redis.call('DEL', KEYS[index]) end end
local function note()
  redis.call('LPUSH', KEYS[3], ARGV[2])
  redis.call('LTRIM', KEYS[3], 0, ARGV[3] - 1)
end
local function switch()
  end_canary()
  redis.call('SET', KEYS[4], ARGV[1])
  note()
  return 1
end
local function keep(texts)
  redis.call('SET', KEYS[1], texts, 'NX')
  redis.call('SADD', KEYS[2], ARGV[1])
end
"""

# Content and pointer at once. ARGV 4 texts. Gives 0 when it is the current one of everybody.
_RELEASE = f"""{_CHANGES}
local is_current = redis.call('GET', KEYS[4]) == ARGV[1] and redis.call('EXISTS', KEYS[1]) == 1
if is_current and redis.call('EXISTS', KEYS[5]) == 0 then return 0 end
keep(ARGV[4])
return switch()
"""

# Gives 0 when it isn't kept, 2 when it is the current one of everybody.
_ROLL_BACK = f"""{_CHANGES}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('GET', KEYS[4]) == ARGV[1] and redis.call('EXISTS', KEYS[5]) == 0 then return 2 end
return switch()
"""

# ARGV 4 texts, 5 canary. Gives 0 when it is the current one by now, or a candidate for this share already.
_TRY_OUT = f"""{_CHANGES}
local kept = redis.call('GET', KEYS[5])
local before, now = kept and cjson.decode(kept) or {{}}, cjson.decode(ARGV[5])
local stands = before.release == now.release and before.percent == now.percent
if stands and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('GET', KEYS[4]) == ARGV[1] then return 0 end
end_canary()
keep(ARGV[4])
redis.call('SET', KEYS[5], ARGV[5])
note()
return 1
"""

# The end of a canary, once: by whoever comes first. ARGV 4 canary, 5 "1" to make the candidate current. Gives 0 when
# this canary is over already.
_END = f"""{_CHANGES}
if redis.call('GET', KEYS[5]) ~= ARGV[4] then return 0 end
if ARGV[5] == '1' then return switch() end
end_canary()
note()
return 1
"""

# What is neither current, nor in the history, nor in use; a candidate is the newest in the history, as whatever comes
# after it ends it. KEYS 1 all, 2 history, 3 current, 4 … content of those that may go, in the order of ARGV.
_PRUNE = """
local kept = {[redis.call('GET', KEYS[3]) or ''] = true}
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do kept[cjson.decode(entry).release] = true end
for index, name in ipairs(ARGV) do
  if not kept[name] then redis.call('DEL', KEYS[3 + index]) redis.call('SREM', KEYS[1], name) end
end
"""

InUse = Callable[[], Awaitable[Collection[str]]]


How = Literal["release", "rollback", "watch", "start", "canary", "promote", "drop"]
# Entries of what did not become current.
_BESIDE = ("canary", "drop")


class UnknownRelease(Exception):
    """There is no such release, or not one alone; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """What was done with a release: by whom, when (UTC), with which note; a `canary` begins, and ends by a `promote`,
    a `drop`, or whatever else makes another release current.
    """

    release: str
    author: str
    at: datetime
    note: str
    how: How


async def standing(redis: Redis) -> CurrentRelease:
    """What turns begin with now."""
    return await ask(redis, current_release())


def current_release() -> Query[CurrentRelease]:
    """What turns begin with now."""

    def read(found: Sequence[Any]) -> CurrentRelease:
        current, canary = found[0]
        return CurrentRelease(current, Canary.read(canary) if canary else None)

    return Query((("MGET", _CURRENT, CANDIDATE),), read)


class Releases:
    """`in_use` gives the releases of turns in hand."""

    def __init__(self, redis: Redis, in_use: InUse) -> None:
        self._redis = redis
        self._in_use = in_use

    async def standing(self) -> CurrentRelease:
        return await standing(self._redis)

    async def current(self) -> str | None:
        return (await self.standing()).current

    async def canary(self) -> Canary:
        """Raises UnknownRelease where there is none."""
        if (found := (await self.standing()).canary) is None:
            raise UnknownRelease("there is no candidate; see `recado prompts release --canary`")
        return found

    async def keeps(self, release: str) -> bool:
        """Whether its files are there."""
        return bool(await self._redis.exists(_content(release)))

    async def texts(self, release: str) -> dict[str, str] | None:
        """The files of a release; None when there is no such one (any more)."""
        found = await answer(self._redis.get(_content(release)))
        return json.loads(found) if found else None

    async def release(self, texts: Mapping[str, str], *, author: str, note: str = "", how: How = "release") -> bool:
        """Make these files the current release of everybody; False when they are already."""
        done = await self._change(_RELEASE, name_of(texts), author, note, how, _whole(texts))
        if done:
            await self._prune()
        return done

    async def try_out(self, texts: Mapping[str, str], *, percent: int, author: str, note: str = "") -> bool:
        """Make these files the candidate; False when they are, for this share, or are the current release.

        A candidate before it is over, and what was counted of it is gone. There has to be a current release.
        """
        canary = Canary.now(name_of(texts), percent)
        done = await self._change(_TRY_OUT, canary.release, author, note, "canary", _whole(texts), canary.raw)
        if done:
            await self._prune()
        return done

    async def end(self, canary: Canary, *, promote: bool, author: str, note: str = "") -> bool:
        """Make a candidate current, or drop it; False when that canary is over already."""
        how: How = "promote" if promote else "drop"
        return await self._change(_END, canary.release, author, note, how, canary.raw, "1" if promote else "")

    async def roll_back(self, name: str, *, author: str, note: str = "") -> None:
        """Make a release that is kept the current one. Raises UnknownRelease."""
        if not await self._change(_ROLL_BACK, name, author, note, "rollback"):
            raise UnknownRelease(f"{name} isn't kept any more; see `recado prompts list`")

    async def history(self) -> list[ReleaseEntry]:
        """The last switches, the newest first."""
        return [_entry(json.loads(raw)) for raw in await answer(self._redis.lrange(_LOG, 0, -1))]

    async def find(self, prefix: str) -> str:
        """The release whose name begins so; or `current`, or `candidate`. Raises UnknownRelease."""
        if prefix == "candidate":
            return (await self.canary()).release
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
        names = (entry.release for entry in await self.history() if entry.how not in _BESIDE)
        name = next((name for name in names if name != now), None)
        if name is None:
            raise UnknownRelease("there is no release before this one; see `recado prompts list`")
        return name

    async def was_dropped(self, release: str) -> bool:
        """Whether the last that was done with any release was to drop this one."""
        newest = await answer(self._redis.lindex(_LOG, 0))
        entry = _entry(json.loads(newest)) if newest else None
        return entry is not None and (entry.how, entry.release) == ("drop", release)

    async def _change(self, script: str, name: str, author: str, note: str, how: How, *more: str) -> bool:
        keys = (_content(name), _ALL, _LOG, _CURRENT, *KEYS)
        entry = _raw(ReleaseEntry(name, author, datetime.now(UTC), note, how))
        return bool(await answer(self._redis.eval(script, len(keys), *keys, name, entry, str(HISTORY), *more)))

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


def _whole(texts: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(texts.items())), ensure_ascii=False)


def _raw(entry: ReleaseEntry) -> str:
    shown: dict[str, Any] = {name: getattr(entry, name) for name in ("release", "author", "note", "how")}
    return json.dumps(shown | {"at": entry.at.isoformat()}, ensure_ascii=False)


def _entry(raw: dict[str, Any]) -> ReleaseEntry:
    return ReleaseEntry(raw["release"], raw["author"], datetime.fromisoformat(raw["at"]), raw["note"], raw["how"])
