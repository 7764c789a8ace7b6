"""Lists that the page shows over a restart: e-mails, pushes, events and exchanges, in the file of the chats."""

from __future__ import annotations

import json
from typing import Any, Protocol


class RecordStore(Protocol):
    """A file of records: each has a kind and, within it, a key."""

    def put_record(self, kind: str, key: str, record: str) -> None: ...
    def records(self, kind: str) -> list[str]: ...


class KeptRecords:
    """Records of one kind as JSON; without a store none is kept."""

    def __init__(self, kind: str, store: RecordStore | None = None) -> None:
        self._kind, self._store = kind, store

    def put(self, key: object, record: dict[str, Any]) -> None:
        """Keep a record, in place of an earlier one with this key."""
        if self._store:
            self._store.put_record(self._kind, str(key), json.dumps(record, ensure_ascii=False))

    def all(self) -> list[dict[str, Any]]:
        """The kept records, the oldest first."""
        return [json.loads(record) for record in (self._store.records(self._kind) if self._store else ())]
