"""Tallies of the candidate's and the current release's turns, in Redis while there is a candidate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from redis.asyncio import Redis

from bot.infra.redis import answer
from bot.prompting.canary import Arm, Canary

CANDIDATE, _TALLY, _DOWN, _COUNTED = (
    f"recado:{{prompts}}:{name}" for name in ("candidate", "tally", "down", "counted")
)
_DOWNS: dict[Arm, str] = {"current": f"{_DOWN}:current", "candidate": f"{_DOWN}:candidate"}
# Keys that are deleted together with a candidate.
KEYS = (CANDIDATE, _TALLY, *_DOWNS.values())
# Messages of each arm, far more than the comparison needs.
_MOST_DOWN = 10_000
# Because a broken connection is retried, a turn is remembered longer than the retries take.
_REMEMBER_SECONDS = 60

# Counts a turn once, and only while the canary is still this one. KEYS 1 candidate, 2 tally, 3 and 4 thumbs-down of
# current and candidate, 5 thumbs-down of this arm, 6 mark of the counted turn. ARGV 1 canary, 2 arm, 3 the turn:
# {sums, down, up}.
_COUNT = f"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('SET', KEYS[6], '1', 'NX', 'EX', {_REMEMBER_SECONDS}) then
  local turn = cjson.decode(ARGV[3])
  for name, value in pairs(turn.sums) do redis.call('HINCRBY', KEYS[2], ARGV[2] .. ':' .. name, value) end
  for _, message in ipairs(turn.down) do
    if redis.call('SCARD', KEYS[5]) < {_MOST_DOWN} then redis.call('SADD', KEYS[5], message) end
  end
  for _, message in ipairs(turn.up) do redis.call('SREM', KEYS[5], message) end
end
return {{redis.call('HGETALL', KEYS[2]), redis.call('SCARD', KEYS[3]), redis.call('SCARD', KEYS[4])}}
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over turns. Cost is in millionths of a US dollar, length in characters; `…_squares` sum their squares.

    `thumbs_down` are messages of ours that now have such a reaction.
    """

    turns: int = 0
    errors: int = 0
    hand_overs: int = 0
    thumbs_down: int = 0
    cost: int = 0
    cost_squares: int = 0
    length: int = 0
    length_squares: int = 0


@dataclass(frozen=True, slots=True)
class Tallies:
    """Tallies of both arms since the canary's start."""

    current: Tally = Tally()
    candidate: Tally = Tally()


def sums_of_turn(*, failed: bool, handed_over: bool, cost: int, length: int) -> dict[str, int]:
    """Sums that one turn adds to its arm's tally."""
    squares = {"cost_squares": cost * cost, "length_squares": length * length}
    return {"turns": 1, "errors": int(failed), "hand_overs": int(handed_over), "cost": cost, "length": length} | squares


class TallyStore:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def count(  # noqa: PLR0913 - facts of one turn
        self,
        canary: Canary,
        arm: Arm,
        turn: str,
        sums: Mapping[str, int],
        *,
        down: Collection[str] = (),
        up: Collection[str] = (),
    ) -> Tallies | None:
        """Count a turn; gives None if this canary is over. `down` and `up` are ids of our messages.

        Within a minute the same turn counts once.
        """
        keys = (*KEYS, _DOWNS[arm], f"{_COUNTED}:{turn}")
        turn_counts: dict[str, Any] = {"sums": {name: str(value) for name, value in sums.items() if value}}
        turn_counts |= {"down": [_digest(message) for message in down], "up": [_digest(message) for message in up]}
        found = await answer(self._redis.eval(_COUNT, len(keys), *keys, canary.raw, arm, json.dumps(turn_counts)))
        return _tallies(*found) if found else None

    async def read(self) -> Tallies:
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hgetall(_TALLY)
        for name in _DOWNS.values():
            pipeline.scard(name)
        sums, *downs = await pipeline.execute()
        return _tallies([part for pair in sums.items() for part in pair], *downs)


def _tallies(flat: list[str], current: int, candidate: int) -> Tallies:
    sums = {name: int(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return Tallies(_tally("current", sums, current), _tally("candidate", sums, candidate))


def _tally(arm: Arm, sums: Mapping[str, int], down: int) -> Tally:
    found = {field.name: sums.get(f"{arm}:{field.name}", 0) for field in fields(Tally)}
    return Tally(**(found | {"thumbs_down": down}))


def _digest(message: str) -> str:
    """Digest of a message id, because the id itself holds a phone number."""
    return hashlib.sha256(message.encode()).hexdigest()[:16]
