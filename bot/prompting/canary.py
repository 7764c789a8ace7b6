"""Canary: a candidate release for a fixed share of the contacts, always the same ones."""

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
    """`percent` (1 to 99) of the contacts get the candidate `release`, from `since` (UTC) on."""

    release: str
    percent: int
    since: datetime

    @classmethod
    def now(cls, release: str, percent: int) -> Canary:
        return cls(release, percent, datetime.now(UTC))

    @classmethod
    def read(cls, raw: str) -> Canary:
        stored = json.loads(raw)
        return cls(stored["release"], stored["percent"], datetime.fromisoformat(stored["since"]))

    @property
    def raw(self) -> str:
        """Stored form. Because it includes the start, equal texts mean the same canary."""
        return json.dumps({"release": self.release, "percent": self.percent, "since": self.since.isoformat()})

    def arm_of(self, conversation: str) -> Arm:
        """Choose by a hash, so that a contact keeps its arm, and the next candidate goes to other contacts.

        If the share of a candidate grows, its contacts keep it.
        """
        digest = hashlib.sha256(f"{self.release}\0{conversation}".encode()).digest()
        place = int.from_bytes(digest[:4], "big")
        return "candidate" if place * 100 < self.percent * _WHOLE else "current"


@dataclass(frozen=True, slots=True)
class CurrentRelease:
    """Releases that turns begin with: the current one (None before the first), and a candidate if there is one."""

    current: str | None = None
    canary: Canary | None = None

    def arm_of(self, conversation: str) -> Arm:
        return self.canary.arm_of(conversation) if self.canary else "current"

    def release_of(self, arm: Arm) -> str | None:
        return self.canary.release if self.canary and arm == "candidate" else self.current
