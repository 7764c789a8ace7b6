"""The latest notifications and Graph calls as they went over the wire, so that the page can show and repeat them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.kept_records import KeptRecords

_MOST_EXCHANGES = 300
_LONGEST_BODY = 256 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer; `status` is 0 where no answer came.

    `about` names the content, `ids` are the messages, and `people` the phones and BSUIDs in it.
    """

    id: int
    kind: Literal["webhook", "graph"]
    at: str
    line: str
    request: str
    status: int
    answer: str
    about: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@dataclass
class WireLog:
    """Keeps the latest exchanges, those of earlier runs too, and calls `on_change` after each."""

    kept: KeptRecords = field(default_factory=lambda: KeptRecords("exchange"), repr=False)
    on_change: Callable[[], None] = lambda: None
    exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=_MOST_EXCHANGES))
    _last: int = 0

    def __post_init__(self) -> None:
        self.exchanges.extend(_exchange(record) for record in self.kept.all())
        self._last = self.exchanges[-1].id if self.exchanges else 0

    def notified(self, url: str, body: bytes, status: int, answer: str) -> None:
        """A notification that was posted to the webhook."""
        self._add("webhook", f"POST {url}", body, status, answer)

    def called(self, line: str, body: bytes, status: int, answer: bytes) -> None:
        """A call of the Graph API."""
        self._add("graph", line, body, status, answer.decode("utf-8", "replace"))

    def find(self, number: int) -> Exchange | None:
        return next((exchange for exchange in self.exchanges if exchange.id == number), None)

    def as_json(self) -> list[dict[str, Any]]:
        """List the exchanges without their bodies, the newest first."""
        return [asdict(replace(exchange, request="", answer="")) for exchange in reversed(self.exchanges)]

    def _add(self, kind: Literal["webhook", "graph"], line: str, body: bytes, status: int, answer: str) -> None:
        self._last += 1
        values = [*_values(body), *_values(answer.encode())]
        exchange = Exchange(
            id=self._last,
            kind=kind,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            line=line,
            request=body[:_LONGEST_BODY].decode("utf-8", "replace"),
            status=status,
            answer=answer[:_LONGEST_BODY],
            about=tuple(dict.fromkeys(_about(body))),
            ids=tuple(dict.fromkeys(value for name, value in values if name in {"id", "message_id"})),
            people=tuple(dict.fromkeys(value for name, value in values if name in _PEOPLE)),
        )
        self.exchanges.append(exchange)
        self.kept.put(exchange.id, asdict(exchange))
        self.on_change()


def _exchange(record: dict[str, Any]) -> Exchange:
    """A kept exchange; JSON knows no tuples."""
    return Exchange(**record | {name: tuple(record[name]) for name in ("about", "ids", "people")})


_PEOPLE = {"from", "from_user_id", "recipient_id", "recipient_user_id", "to", "to_user_id", "recipient", "user_id"}


def _about(body: bytes) -> Iterator[str]:
    """Types of the messages, words of the statuses, or the names of other fields."""
    try:
        whole = json.loads(body)
        changes = [change for entry in whole.get("entry", ()) for change in entry["changes"]]
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return
    for change in changes:
        value = change["value"]
        yield from (message["type"] for message in value.get("messages", ()))
        yield from (status["status"] for status in value.get("statuses", ()))
        if change["field"] != "messages":
            yield change["field"]
    if not changes:
        yield from (str(whole[name]) for name in ("status", "type") if name in whole)


def _values(body: bytes) -> list[tuple[str, str]]:
    try:
        return list(_texts(json.loads(body)))
    except (ValueError, RecursionError):
        return []


def _texts(node: Any) -> Iterator[tuple[str, str]]:
    """Every text in this JSON with the name of its field."""
    if isinstance(node, dict):
        for name, value in node.items():
            if isinstance(value, str):
                yield name, value.removeprefix("+")
            else:
                yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
