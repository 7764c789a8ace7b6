"""`python -m bench.replay DIR`: reads recorded webhook bodies as the service does, and says what becomes of each.

Nothing is stored or sent, and no word or number of a person is printed. Exit 1 where something was not understood.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.conversations.inbox import why_ignored, why_unanswered
from bot.messages.inbound import Inbound, Status, Unsupported
from bot.web.whatsapp import BODY_LIMIT
from bot.web.whatsapp_events import FIELDS
from bot.whatsapp import account_alerts
from bot.whatsapp.account_updates import actions, handover, new_bsuids, preferences
from bot.whatsapp.payload import AccountChange, Notification, NotJSON, parse

_REASONS = {
    "object": "`object` is not whatsapp_business_account",
    "change": "the change names no field",
    "message": "a message without an id, without a sender, or by our own number",
    "echo": "a copy without an id or without a recipient",
    "call": "a call without an id or without a caller",
    "status": "a status without an id or a state, or of something other than a message",
}


@dataclass(slots=True)
class Replayed:
    """The answer to a body. `aside` and `strange` have reasons; `strange` is what Recado doesn't understand."""

    status: int
    understood: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    def lines(self, name: str) -> Iterator[str]:
        yield f"{self.status}  {name}"
        yield from (f"     {line}" for line in self.understood)
        yield from (f"     set aside: {line}" for line in (*self.aside, *self.strange))


def replay(body: bytes, now: datetime) -> Replayed:
    """Read a body as the webhook does once its signature is right."""
    if len(body) > BODY_LIMIT:
        return Replayed(413, strange=[f"{len(body)} bytes; {BODY_LIMIT} are taken"])
    try:
        found = parse(body, now)
    except NotJSON as error:
        return Replayed(400, strange=[str(error)])
    replayed = Replayed(200)
    for message in found.messages:
        _message(message, replayed)
    for status in found.statuses:
        replayed.understood.append(_status(status))
    for change in found.changes:
        _change(change, replayed)
    replayed.strange += [_REASONS.get(name, name) for name in found.unknown]
    if not _holds_anything(found):
        replayed.aside.append("nothing in it: no message, no status, no change")
    return replayed


def _holds_anything(found: Notification) -> bool:
    return bool(found.messages or found.statuses or found.changes or found.unknown)


def _message(message: Inbound, replayed: Replayed) -> None:
    content = message.content
    of_what = f" of the type {content.type!r}" if isinstance(content, Unsupported) else ""
    error = f", Meta's error {content.error}" if isinstance(content, Unsupported) and content.error else ""
    whose = "" if message.author == "person" else " by the business"
    name = f"message {content.kind}{of_what}{whose}{error}"
    reason = why_ignored(message) or why_unanswered(message)
    (replayed.aside if reason else replayed.understood).append(f"{name}: {reason or 'starts a turn'}")


def _status(status: Status) -> str:
    error = f", error {status.error}" if status.error is not None else ""
    price = f", {status.pricing[0]} {status.pricing[1]}" if status.pricing else ""
    ours = "" if status.callback else ": without a callback, so of another sender"
    return f"status {status.status}{error}{price}{ours}"


def _change(change: AccountChange, replayed: Replayed) -> None:
    if change.field not in FIELDS:
        replayed.strange.append(f"field {change.field}: nothing reads it")
        return
    facts = list(_facts(change))
    replayed.understood.append(f"field {change.field}: {'; '.join(facts) or 'counted, nothing to do'}")


def _facts(change: AccountChange) -> Iterator[str]:
    match change.field:
        case "user_preferences":
            for choice in preferences(change.value, change.received_at):
                yield f"marketing {'wanted' if choice.wanted else 'refused'}"
        case "user_id_update":
            yield from ("a new BSUID" for _ in new_bsuids(change.value))
        case "user_actions":
            yield from actions(change.value)
        case "messaging_handovers":
            moved = handover(change.value, change.received_at)
            whose = {True: "ours now", False: "another app's now", None: "owner unknown"}[moved.ours]
            yield f"{moved.move or 'an unknown move'} to {moved.to}, {whose}"
        case name if name in account_alerts.FIELDS:
            yield from (f"alert {alarm.what}" for alarm in account_alerts.alarms_of(name, change.value))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder of webhook bodies, one a file")
    folder: Path = parser.parse_args(arguments).folder
    if not folder.is_dir():
        parser.error(f"{folder} is no folder")
    strange = 0
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    for path in files:
        replayed = replay(path.read_bytes(), datetime.now(UTC))
        strange += bool(replayed.strange)
        print("\n".join(replayed.lines(str(path.relative_to(folder)))))
    print(f"{len(files)} bodies, {strange} not understood in full")
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
