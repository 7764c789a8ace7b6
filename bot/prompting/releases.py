"""Releases in Redis: each is the whole folder, immutable and named by its hash; one is the current release.

Because each turn begins by reading the keys of the current release and the candidate, all processes switch together.
Old releases are deleted once they are beyond the history and no turn uses them.
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
from bot.messages.language import Language
from bot.prompting.canary import Canary, CurrentRelease
from bot.prompting.canary_metrics import CANDIDATE, KEYS
from bot.prompting.release_name import name_of

# Entries of the history, and so releases to roll back to.
HISTORY = 100
_SHORTEST = 4
# Because scripts need all their keys in one slot, the keys share a hash tag.
_CURRENT, _LOG, _ALL, _CONTENT = (f"recado:{{prompts}}:{name}" for name in ("current", "history", "all", "release"))

# Functions of all scripts below. KEYS 1 content, 2 all, 3 history, 4 current, 5 candidate, 6 … further keys of a
# candidate. ARGV 1 release, 2 entry, 3 length of the history.
_FUNCTIONS = """
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

# Stores the files and switches, in one step. ARGV 4 texts. Gives 0 when all contacts have the release already.
_RELEASE = f"""{_FUNCTIONS}
local is_current = redis.call('GET', KEYS[4]) == ARGV[1] and redis.call('EXISTS', KEYS[1]) == 1
if is_current and redis.call('EXISTS', KEYS[5]) == 0 then return 0 end
keep(ARGV[4])
return switch()
"""

# Gives 0 when the release isn't stored, 2 when all contacts have it already.
_ROLL_BACK = f"""{_FUNCTIONS}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('GET', KEYS[4]) == ARGV[1] and redis.call('EXISTS', KEYS[5]) == 0 then return 2 end
return switch()
"""

# ARGV 4 texts, 5 canary. Gives 0 when the release is current, or already a candidate for this share.
_START_CANARY = f"""{_FUNCTIONS}
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

# Ends a canary; the first caller wins. ARGV 4 canary, 5 "1" to make the candidate current. Gives 0 when this canary
# is over already.
_END_CANARY = f"""{_FUNCTIONS}
if redis.call('GET', KEYS[5]) ~= ARGV[4] then return 0 end
if ARGV[5] == '1' then return switch() end
end_canary()
note()
return 1
"""

# Deletes releases that are neither current, nor in the history, nor in use. A candidate is safe, because its entry is
# the newest one. KEYS 1 all, 2 history, 3 current, 4 … content of the releases in ARGV.
_PRUNE = """
local kept = {[redis.call('GET', KEYS[3]) or ''] = true}
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do kept[cjson.decode(entry).release] = true end
for index, name in ipairs(ARGV) do
  if not kept[name] then redis.call('DEL', KEYS[3 + index]) redis.call('SREM', KEYS[1], name) end
end
"""

# Gives the releases of turns under way.
InUse = Callable[[], Awaitable[Collection[str]]]

How = Literal["release", "rollback", "watch", "start", "canary", "promote", "drop"]
# Entries whose release did not become current.
_NOT_CURRENT = ("canary", "drop")


class UnknownRelease(Exception):
    """There is no such release, or more than one; the message names the fix, `said` in both languages."""

    def __init__(self, *, en: str, es: str) -> None:
        super().__init__(en)
        self.said: dict[Language, str] = {"en": en, "es": es}


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """Entry of the history: a release, its author, time (UTC) and note. A `canary` ends by a `promote`, by a `drop`,
    or by another release that becomes current.
    """

    release: str
    author: str
    at: datetime
    note: str
    how: How


async def read_current_release(redis: Redis) -> CurrentRelease:
    """Read the current release and the candidate."""
    return await ask(redis, current_release())


def current_release() -> Query[CurrentRelease]:
    """Read the current release and the candidate, together with what else a turn begins with."""

    def read(found: Sequence[Any]) -> CurrentRelease:
        current, canary = found[0]
        return CurrentRelease(current, Canary.read(canary) if canary else None)

    return Query((("MGET", _CURRENT, CANDIDATE),), read)


class Releases:
    """Stored releases and their history."""

    def __init__(self, redis: Redis, in_use: InUse) -> None:
        self._redis = redis
        self._in_use = in_use

    async def current_release(self) -> CurrentRelease:
        return await read_current_release(self._redis)

    async def current(self) -> str | None:
        return (await self.current_release()).current

    async def canary(self) -> Canary:
        """Canary under way; raises UnknownRelease if there is none."""
        if (found := (await self.current_release()).canary) is None:
            raise UnknownRelease(
                en="there is no candidate; see `recado prompts release --canary`",
                es="no hay candidata; mira `recado prompts release --canary`",
            )
        return found

    async def has_files(self, release: str) -> bool:
        """Whether the files of a release are stored."""
        return bool(await self._redis.exists(_content(release)))

    async def texts(self, release: str) -> dict[str, str] | None:
        """Files of a release; None if they aren't stored."""
        found = await answer(self._redis.get(_content(release)))
        return json.loads(found) if found else None

    async def release(self, texts: Mapping[str, str], *, author: str, note: str = "", how: How = "release") -> bool:
        """Make these files the current release of all contacts; False when they are already."""
        done = await self._change(_RELEASE, name_of(texts), author, note, how, _serialised(texts))
        if done:
            await self._prune()
        return done

    async def start_canary(self, texts: Mapping[str, str], *, percent: int, author: str, note: str = "") -> bool:
        """Make these files the candidate; False when they are for this share, or are the current release.

        An earlier candidate ends, and its tallies are deleted. There has to be a current release.
        """
        canary = Canary.now(name_of(texts), percent)
        done = await self._change(_START_CANARY, canary.release, author, note, "canary", _serialised(texts), canary.raw)
        if done:
            await self._prune()
        return done

    async def end_canary(self, canary: Canary, *, promote: bool, author: str, note: str = "") -> bool:
        """Promote a candidate, or drop it; False when that canary is over already."""
        how: How = "promote" if promote else "drop"
        return await self._change(_END_CANARY, canary.release, author, note, how, canary.raw, "1" if promote else "")

    async def roll_back(self, name: str, *, author: str, note: str = "") -> None:
        """Make a stored release the current one. Raises UnknownRelease."""
        if not await self._change(_ROLL_BACK, name, author, note, "rollback"):
            raise UnknownRelease(
                en=f"{name} isn't kept any more; see `recado prompts list`",
                es=f"{name} ya no se guarda; mira `recado prompts list`",
            )

    async def history(self) -> list[ReleaseEntry]:
        """Entries of the history, the newest first."""
        return [_entry(json.loads(raw)) for raw in await answer(self._redis.lrange(_LOG, 0, -1))]

    async def find(self, prefix: str) -> str:
        """Name of the release with this prefix; `current` and `candidate` work too. Raises UnknownRelease."""
        if prefix == "candidate":
            return (await self.canary()).release
        if prefix == "current":
            if (now := await self.current()) is None:
                raise UnknownRelease(
                    en="nothing is released yet; see `recado prompts release`",
                    es="todavía no hay nada publicado; mira `recado prompts release`",
                )
            return now
        found = [name for name in await answer(self._redis.smembers(_ALL)) if name.startswith(prefix)]
        if len(prefix) < _SHORTEST or len(found) != 1:
            several = len(found) > 1 and len(prefix) >= _SHORTEST
            raise UnknownRelease(
                en=f"{'several releases begin' if several else 'no release begins'} with {prefix!r}; "
                "see `recado prompts list`",
                es=f"{'varias versiones empiezan' if several else 'ninguna versión empieza'} con {prefix!r}; "
                "mira `recado prompts list`",
            )
        return str(found[0])

    async def before(self, prefix: str | None = None) -> str:
        """Name of the release with this prefix; without one, of the release before the current one.

        Raises UnknownRelease.
        """
        if prefix:
            return await self.find(prefix)
        now = await self.current()
        names = (entry.release for entry in await self.history() if entry.how not in _NOT_CURRENT)
        name = next((name for name in names if name != now), None)
        if name is None:
            raise UnknownRelease(
                en="there is no release before this one; see `recado prompts list`",
                es="no hay una versión anterior a ésta; mira `recado prompts list`",
            )
        return name

    async def was_dropped_last(self, release: str) -> bool:
        """Whether the newest entry is the drop of this release."""
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


def _serialised(texts: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(texts.items())), ensure_ascii=False)


def _raw(entry: ReleaseEntry) -> str:
    shown: dict[str, Any] = {name: getattr(entry, name) for name in ("release", "author", "note", "how")}
    return json.dumps(shown | {"at": entry.at.isoformat()}, ensure_ascii=False)


def _entry(raw: dict[str, Any]) -> ReleaseEntry:
    return ReleaseEntry(raw["release"], raw["author"], datetime.fromisoformat(raw["at"]), raw["note"], raw["how"])
