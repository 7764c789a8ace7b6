"""Lua scripts that work on a batch of items in one call, so that many requests cost one round trip."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

# Redis answers nobody else while a script runs: so many items take it a millisecond or two.
_MOST_ITEMS = 100

# With the first line, Redis refuses the whole script where it may not write, and never stops in the middle for it.
_AROUND = """#!lua
{shared}
local function work(first_key, first_argument)
{item}
{body}
end
local results, first_argument = {{}}, {shared_arguments} + 1
for first_key = {shared_keys} + 1, #KEYS, {item_keys} do
  local fine, result = pcall(work, first_key, first_argument)
  if fine and not result then break end
  if not fine and type(result) == 'string' then result = redis.error_reply(result) end
  results[#results + 1] = result
  first_argument = first_argument + {item_arguments}
end
return results
"""


@dataclass(frozen=True, slots=True)
class Item:
    """An item's keys and arguments, in the order in which the script names them."""

    keys: Sequence[str]
    arguments: Sequence[str]


class BatchScript:
    """A script whose `body` is Lua for one item; the names are local variables in it.

    The body returns the item's result. An item that raises an error fails alone. An item without a result ends the
    batch: neither it nor a later one is done.
    """

    def __init__(
        self,
        body: str,
        *,
        keys: Sequence[str],
        arguments: Sequence[str],
        shared_keys: Sequence[str] = (),
        shared_arguments: Sequence[str] = (),
    ) -> None:
        self._lua = _AROUND.format(
            shared=_named("KEYS", "1", shared_keys) + _named("ARGV", "1", shared_arguments),
            item=_named("KEYS", "first_key", keys) + _named("ARGV", "first_argument", arguments),
            body=body,
            shared_keys=len(shared_keys),
            shared_arguments=len(shared_arguments),
            item_keys=len(keys),
            item_arguments=len(arguments),
        )
        self._sha = hashlib.sha1(self._lua.encode(), usedforsecurity=False).hexdigest()

    async def run(
        self, redis: Redis, items: Sequence[Item], *, keys: Sequence[str] = (), arguments: Sequence[str] = ()
    ) -> list[Any]:
        """Results or errors of the items, in order; fewer than items where one of them ended the batch."""
        results: list[Any] = []
        for start in range(0, len(items), _MOST_ITEMS):
            part = items[start : start + _MOST_ITEMS]
            results += await self._run(redis, part, keys, arguments)
            if len(results) < start + len(part):
                break
        return results

    async def _run(
        self, redis: Redis, items: Sequence[Item], keys: Sequence[str], arguments: Sequence[str]
    ) -> list[Any]:
        all_keys, all_arguments = list(keys), list(arguments)
        for item in items:
            all_keys += item.keys
            all_arguments += item.arguments
        try:
            return await self._evaluated(redis, all_keys, all_arguments)
        except NoScriptError:
            # A Redis that was restarted or replaced has forgotten the script, and done nothing.
            await redis.script_load(self._lua)
            return await self._evaluated(redis, all_keys, all_arguments)

    async def _evaluated(self, redis: Redis, keys: list[str], arguments: list[str]) -> list[Any]:
        # redis-py says that scripts give strings.
        command = cast("Awaitable[list[Any]]", redis.evalsha(self._sha, len(keys), *keys, *arguments))
        return await command


def _named(values: str, first: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"local {', '.join(names)} = unpack({values}, {first}, {first} + {len(names) - 1})\n"
