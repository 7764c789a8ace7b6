"""Chats of the sandbox outlive a restart: whoever has a new number too, and within a limit."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sandbox.meta.chat_store import ChatStore
from sandbox.meta.chats import Chats
from sandbox.meta.parties import Person

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
OLD = Person("5215512345678", "MX.1", "Ana")
NEW = Person("5215500000000", "MX.2", "Ana")


def message(wamid: str) -> dict[str, object]:
    return {"id": wamid, "type": "text", "text": {"body": wamid}}


def test_a_chat_follows_its_person_to_a_new_number_and_over_a_restart(tmp_path: Path) -> None:
    with closing(ChatStore(tmp_path / "chats.db")) as store:
        chats = Chats(lambda: NOW, store)
        chats.received(OLD, message("in"), NOW)
        chats.sent(OLD, "out", message("out"), NOW)
        chats.change_identity(OLD, NEW)
        chats.status("out", "delivered")
    with closing(ChatStore(tmp_path / "chats.db")) as store:
        again = Chats(lambda: NOW, store)
        assert again.people == [NEW]
        assert [(event["wamid"], event["person"]) for event in again.of(NEW).events] == [
            ("in", "MX.2"),
            ("out", "MX.2"),
        ]
        assert again.status_of("out") == "delivered"
        assert again.window_is_open(NEW)
        assert again.knows("in", NEW, "in")
        assert again.find(phone=NEW.phone) == NEW


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "chats.db").write_text("no database, " * 1000)
    with closing(ChatStore(tmp_path / "chats.db")) as store:
        Chats(lambda: NOW, store).sent(OLD, "out", message("out"), NOW)
        assert [chat.person for chat in store.chats()] == [OLD]
    assert (tmp_path / "chats.db.broken").read_text().startswith("no database")


def test_the_oldest_messages_make_room(tmp_path: Path) -> None:
    with closing(ChatStore(tmp_path / "chats.db")) as store:
        chats = Chats(lambda: NOW, store)
        for number in range(520):
            chats.sent(OLD, str(number), message(str(number)), NOW)
    with closing(ChatStore(tmp_path / "chats.db")) as store:
        kept = [event["wamid"] for event in Chats(lambda: NOW, store).of(OLD).events]
    assert kept == [str(number) for number in range(20, 520)]
