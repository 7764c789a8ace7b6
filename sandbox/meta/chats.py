"""The messages of every chat: Meta checks replies and windows with them, and the page redraws them."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.broadcast import Broadcast, Event
from sandbox.meta.chat_store import ChatStore, StoredChat
from sandbox.meta.parties import Person

_WINDOW = timedelta(hours=24)
_LONGEST_HISTORY = 500
_RANK = {"sent": 1, "delivered": 2, "read": 3, "played": 4, "failed": 5}


@dataclass(slots=True)
class Chat:
    """A person's chat with the business; `open` says whether the person has it on the screen."""

    person: Person
    open: bool = True
    last_inbound: datetime | None = None
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=_LONGEST_HISTORY))


class Chats:
    """The chats, and the stream of their events; `store` keeps them over a restart."""

    def __init__(self, clock: Callable[[], datetime], store: ChatStore | None = None) -> None:
        self._clock = clock
        self._store = store
        self._chats: dict[str, Chat] = {}
        self._by_phone: dict[str, str] = {}
        self._by_wamid: dict[str, tuple[str, Event]] = {}
        self.broadcast = Broadcast()
        for stored in store.chats() if store else ():
            self._restore(stored)

    @property
    def people(self) -> list[Person]:
        return [chat.person for chat in self._chats.values()]

    def of(self, person: Person) -> Chat:
        """The person's chat; a known BSUID's new name or username replaces the old one."""
        chat = self._chats.get(person.bsuid)
        if chat is None or chat.person != person:
            chat = self._chats.setdefault(person.bsuid, Chat(person))
            chat.person = person
            self._save_person(chat)
        if person.phone:
            self._by_phone[person.phone] = person.bsuid
        return chat

    def is_open(self, person: Person) -> bool:
        """Whether the person has the chat on the screen."""
        return person.bsuid in self._chats and self._chats[person.bsuid].open

    def find(self, *, phone: str | None = None, bsuid: str | None = None) -> Person | None:
        chat = self._chats.get(bsuid or self._by_phone.get(phone or "", ""))
        return chat.person if chat else None

    def window_is_open(self, person: Person) -> bool:
        """Whether the person wrote in the last 24 hours, so that free text may be sent, not only templates."""
        last = self.of(person).last_inbound
        return last is not None and self._clock() - last < _WINDOW

    def knows(self, wamid: str, person: Person | None, direction: Literal["in", "out"] | None = None) -> bool:
        """Whether the message belongs to this chat (without a person: to any chat)."""
        bsuid, event = self._by_wamid.get(wamid, ("", {}))
        return bool(event) and (person is None or bsuid == person.bsuid) and direction in (None, event["direction"])

    def owner(self, wamid: str) -> Person:
        return self._chats[self._by_wamid[wamid][0]].person

    def received(self, person: Person, message: dict[str, Any], at: datetime) -> None:
        """Record a message of the person; its time may lie in the past."""
        chat = self.of(person)
        if message["type"] != "system" and "group_id" not in message:
            chat.last_inbound = max(at, chat.last_inbound or at)
            self._save_person(chat)
        self._add(person, "in", message["id"], message, at)

    def called(self, person: Person, at: datetime) -> None:
        """Open the window of a person who called, taken or not."""
        chat = self.of(person)
        chat.last_inbound = max(at, chat.last_inbound or at)
        self._save_person(chat)

    def sent(self, person: Person, wamid: str, message: dict[str, Any], at: datetime) -> None:
        self._add(person, "out", wamid, message, at)

    def status_of(self, wamid: str) -> str:
        """The latest status of the message; empty before the first one."""
        return str(self._by_wamid[wamid][1].get("status", "")) if wamid in self._by_wamid else ""

    def status(self, wamid: str, status: str, errors: list[dict[str, Any]] | None = None) -> None:
        """Set the status of a message; a lower rank than the present one changes nothing."""
        bsuid, event = self._by_wamid[wamid]
        if _RANK[status] <= _RANK.get(event.get("status", ""), 0):
            return
        change = {"status": status} | ({"errors": errors} if errors else {})
        event.update(change)
        self._save(event)
        self.broadcast.send({"type": "status", "person": bsuid, "wamid": wamid} | change)

    def acknowledge(self, wamid: Any) -> None:
        """Mark a person's message as delivered, because the business's webhook has taken it."""
        if wamid in self._by_wamid:
            self.status(wamid, "delivered")

    def report_failed_call(self, person: Person | None, kind: str, code: int = 0, title: str = "") -> None:
        """Announce a failed call of the business; `person` is its recipient if known."""
        bsuid = person.bsuid if person else None
        self.broadcast.send({"type": "mishap", "person": bsuid, "kind": kind, "code": code, "title": title})

    def change_identity(self, old: Person, new: Person) -> None:
        """Move the chat to the person's new number and BSUID."""
        chat = self._chats.pop(old.bsuid)
        self._chats[new.bsuid] = chat
        for event in chat.events:
            event["person"] = new.bsuid
            self._by_wamid[event["wamid"]] = (new.bsuid, event)
            self._save(event)
        if self._store:
            self._store.delete_person(old.bsuid)
        self.of(new)

    def read_up_to(self, wamid: str) -> None:
        """Mark this message of a person and all earlier ones as read by the business."""
        bsuid, last = self._by_wamid[wamid]
        for event in self._chats[bsuid].events:
            if event["direction"] == "in" and event.get("status") != "read":
                event["status"] = "read"
                self._save(event)
            if event is last:
                break
        self.broadcast.send({"type": "read", "person": bsuid, "wamid": wamid})

    def typing(self, person: Person, *, on: bool) -> None:
        self.broadcast.send({"type": "typing", "person": person.bsuid, "on": on})

    def _add(self, person: Person, direction: str, wamid: str, message: dict[str, Any], at: datetime) -> None:
        event: Event = {
            "type": "message",
            "person": person.bsuid,
            "direction": direction,
            "wamid": wamid,
            "message": message,
            "at": at.isoformat(timespec="milliseconds"),
        }
        self.of(person).events.append(event)
        self._by_wamid[wamid] = (person.bsuid, event)
        self._save(event)
        self.broadcast.send(dict(event))

    def _save(self, event: Event) -> None:
        if self._store:
            self._store.put_message(event)

    def _save_person(self, chat: Chat) -> None:
        if self._store:
            self._store.put_person(chat.person, chat.last_inbound)

    def _restore(self, stored: StoredChat) -> None:
        """Take up a chat of an earlier run; what was on its way then has no further status."""
        chat = Chat(stored.person, last_inbound=stored.last_inbound)
        chat.events.extend(stored.messages)
        self._chats[stored.person.bsuid] = chat
        if stored.person.phone:
            self._by_phone[stored.person.phone] = stored.person.bsuid
        self._by_wamid |= {event["wamid"]: (stored.person.bsuid, event) for event in stored.messages}
