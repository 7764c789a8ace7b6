"""A candidate beside the current release: which share of the contacts begins with it, always the same ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Arm = Literal["current", "candidate"]
_WHOLE = 2**32


@dataclass(frozen=True, slots=True)
class Canary:
    """`percent` (1 to 99) of the contacts have the candidate `release` since then (UTC)."""

    release: str
    percent: int
    since: datetime

    @classmethod
    def now(cls, release: str, percent: int) -> Canary:
        return cls(release, percent, datetime.now(UTC))

    @classmethod
    def read(cls, raw: str) -> Canary:
        kept = json.loads(raw)
        return cls(kept["release"], kept["percent"], datetime.fromisoformat(kept["since"]))

    @property
    def raw(self) -> str:
        """As it is kept: the same text is the same canary, whose start is a part of it."""
        return json.dumps({"release": self.release, "percent": self.percent, "since": self.since.isoformat()})

    def arm_of(self, conversation: str) -> Arm:
        """By a hash, so that a contact stays where it is, and the next candidate comes to others.

        With a larger share of the same candidate, whoever had it keeps it.
        """
        digest = hashlib.sha256(f"{self.release}\0{conversation}".encode()).digest()
        place = int.from_bytes(digest[:4], "big")
        return "candidate" if place * 100 < self.percent * _WHOLE else "current"


@dataclass(frozen=True, slots=True)
class CurrentRelease:
    """What turns begin with now: the current release (None before the first), and a candidate where there is one."""

    current: str | None = None
    canary: Canary | None = None

    def arm_of(self, conversation: str) -> Arm:
        return self.canary.arm_of(conversation) if self.canary else "current"

    def release_of(self, arm: Arm) -> str | None:
        return self.canary.release if self.canary and arm == "candidate" else self.current
