"""People who want no marketing, to look through: the newest objections first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.conversations import opt_outs
from bot.conversations.identity import contact_key
from bot.messages.folding import folded

_FIELDS = ("name", "phone", "bsuid", "marketing_opt_out", "marketing_at")
_MOST_READ = 5000
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class OptedOutContacts:
    """Contacts whose person was erased are not among them: only digests of their names are left."""

    redis: Redis

    async def listed(self, words: str) -> dict[str, Any]:
        """Those whose name, phone or BSUID has these words, and how many there are in all."""
        names = await opt_outs.listed(self.redis, _MOST_READ)
        records = await self._records(names)
        left = [name for name, record in records.items() if record["marketing_opt_out"] != "1"]
        await opt_outs.unlist(self.redis, left)
        found = [_shown(name, record) for name, record in records.items() if name not in set(left)]
        wanted = folded(words).split()
        matching = [contact for contact in found if all(word in _searched(contact) for word in wanted)]
        return {"opt_outs": matching[:_MOST_SHOWN], "count": len(found)}

    async def _records(self, names: list[str]) -> dict[str, dict[str, str | None]]:
        pipeline = self.redis.pipeline(transaction=False)
        for name in names:
            pipeline.hmget(contact_key(name), list(_FIELDS))
        found = await pipeline.execute() if names else []
        return {name: dict(zip(_FIELDS, values, strict=True)) for name, values in zip(names, found, strict=True)}


def _shown(name: str, record: Mapping[str, str | None]) -> dict[str, Any]:
    at = record["marketing_at"]
    return {
        "conversation": name,
        "contact": {field: record[field] or None for field in ("name", "phone", "bsuid")},
        # Objections that outlived an erasure have no time.
        "at": datetime.fromtimestamp(float(at), UTC).isoformat() if at else None,
    }


def _searched(contact: Mapping[str, Any]) -> str:
    return folded(" ".join(filter(None, contact["contact"].values())))
