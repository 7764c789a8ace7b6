"""The history on SQLite and on PostgreSQL: entries go in, lists, conversations and searches come out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.database.engine import Database
from bot.history.cursors import WrongCursor
from bot.history.entries import (
    ConversationMerged,
    Entry,
    HandOver,
    HandOverAction,
    LabelsChanged,
    MessageRead,
    MessageReceived,
    NoteAdded,
    PartSent,
    ReplyQueued,
    StatusNoted,
    TurnClosed,
    TurnTraced,
)
from bot.history.reader import HistoryReader
from bot.history.writer import HistoryWriter
from bot.messages.inbound import Content, Edit, Inbound, Photo, Reaction, Revoke, Text, Voice
from bot.messages.outbound import Buttons, Choice, Reply, Say

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ANA, LEO = "c_00000000000000000001", "c_00000000000000000002"
TURN = "t_0123456789ab"


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def wrote(name: str, content: Content | str, at: float = 0, *, conversation: str = ANA, **facts: Any) -> Entry:
    who = {"phone": "5215512345678", "name": "Ana Núñez"} if conversation == ANA else {"phone": "5215587654321"}
    said = Text(body=content) if isinstance(content, str) else content
    message = Inbound(id=name, sent_at=minutes(at), received_at=minutes(at), content=said, **(who | facts))
    return MessageReceived(id=name, conversation=conversation, at=minutes(at), message=message)


def replied(text: str, at: float = 1, *, turn: str = TURN, operator: str | None = None) -> Entry:
    reply = Reply(id=turn, parts=(Say(body=text),), phone="5215512345678", operator=operator)
    return ReplyQueued(id=turn, conversation=ANA, at=minutes(at), reply=reply)


def hand_over(action: HandOverAction, at: float, operator: str | None = None, *, conversation: str = ANA) -> Entry:
    id_ = f"{action}-{at}"
    return HandOver(id=id_, conversation=conversation, at=minutes(at), action=action, operator=operator)


def status(name: str, wamid: str, at: float, error: int | None = None, *, part: str = f"{TURN}.0") -> Entry:
    return StatusNoted(id=part, conversation=ANA, at=minutes(at), wamid=wamid, status=name, error=error)


@pytest.fixture
def writer(database: Database) -> HistoryWriter:
    return HistoryWriter(database)


@pytest.fixture
def reader(database: Database) -> HistoryReader:
    return HistoryReader(database)


async def listed(reader: HistoryReader, **filters: Any) -> list[str]:
    return [conversation.id for conversation in (await reader.conversations(**filters)).conversations]


async def only(reader: HistoryReader, conversation: str = ANA) -> dict[str, Any]:
    found = await reader.conversation(conversation)
    assert found is not None
    return found.as_json()


async def texts(reader: HistoryReader, conversation: str = ANA) -> list[Any]:
    return [message["text"] for message in (await reader.messages(conversation)).as_json()["messages"]]


async def test_a_conversation_is_listed_with_its_person_and_its_last_words(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    await writer.write([wrote("wamid.1", "¿A qué hora abren?"), replied("A las nueve.")])
    assert await only(reader) == {
        "id": ANA,
        "contact": {"name": "Ana Núñez", "phone": "5215512345678", "bsuid": None},
        "state": "bot",
        "assigned_to": None,
        "unread": 0,
        "last_message": {
            "id": f"{TURN}.0",
            "at": minutes(1).isoformat(),
            "author": "assistant",
            "kind": "say",
            "text": "A las nueve.",
        },
        "waiting_since": None,
        "window_closes_at": (NOON + timedelta(hours=24)).isoformat(),
        "labels": [],
    }


DAY = [
    wrote("wamid.1", "Quiero hablar con alguien"),
    hand_over("asked", 0.5),
    replied("Ahora te escriben."),
    PartSent(id=f"{TURN}.0", conversation=ANA, at=minutes(1), wamid="wamid.out"),
    status("sent", "wamid.out", 1.1),
    status("delivered", "wamid.out", 1.2),
    status("read", "wamid.out", 1.3),
    TurnClosed(
        id=TURN, turn=TURN, conversation=ANA, at=minutes(1), messages={"wamid.1": MessageRead(state="handed_off")}
    ),
    wrote("wamid.2", "¿Hola?", 3),
    wrote("wamid.3", Reaction(message_id="wamid.out", emoji="👍"), 3.5),
    hand_over("taken", 4, "eva@example.com"),
    replied("Soy Eva.", 5, turn="o_1", operator="eva@example.com"),
    NoteAdded(id="n1", conversation=ANA, at=minutes(5), author="eva@example.com", text="VIP"),
    LabelsChanged(id="l1", conversation=ANA, at=minutes(5), add=("ventas",)),
    wrote("wamid.4", "Gracias", 6, quoted="wamid.out"),
]


async def test_ids_that_are_too_long_cost_neither_the_message_nor_its_state(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    name, bsuid = f"wamid.{'x' * 500}", f"MX.{'1' * 500}"
    reply = Reply(id=TURN, parts=(Say(body="Hola, Ana", quote=name),), phone="5215512345678")
    await writer.write(
        [
            wrote(name, "hola", bsuid=bsuid, quoted=name),
            ReplyQueued(id=TURN, conversation=ANA, at=minutes(1), reply=reply),
            PartSent(id=f"{TURN}.0", conversation=ANA, at=minutes(1), wamid=name),
            status("read", name, 1.3),
            TurnClosed(
                id=TURN, turn=TURN, conversation=ANA, at=minutes(1), messages={name: MessageRead(state="answered")}
            ),
        ]
    )
    asked, answered = (await reader.messages(ANA)).messages
    assert (asked.row["body"], asked.row["state"], asked.row["turn"]) == ("hola", "answered", TURN)
    assert answered.row["body"] == "Hola, Ana"


async def test_signs_that_no_database_keeps_cost_no_message(writer: HistoryWriter, reader: HistoryReader) -> None:
    odd = {"turn": "t_0123456789ab", "words": "a\0b \\u0000 \ud800 ñ"}
    await writer.write(
        [
            wrote("wamid.1", "leche\0 entera"),
            NoteAdded(id="n1", conversation=ANA, at=minutes(1), author="eva@example.com", text="V\0IP"),
            TurnTraced.model_construct(
                id="t_0123456789ab", conversation=ANA, at=minutes(1), trace=odd, release="", asked=None
            ),
        ]
    )
    assert await texts(reader) == ["leche entera"]
    assert await listed(reader, q="leche\0 entera") == [ANA]
    assert [note["text"] for note in await reader.notes(ANA)] == ["VIP"]
    [trace] = await reader.traces(ANA, 1)
    assert trace["words"] == "ab \\u0000 ? ñ"


@pytest.mark.parametrize("way", ["in order", "twice", "backwards", "one by one"])
async def test_entries_may_come_twice_and_in_any_order(way: str, writer: HistoryWriter, reader: HistoryReader) -> None:
    match way:
        case "twice":
            await writer.write(DAY)
            await writer.write(DAY)
        case "backwards":
            await writer.write(DAY[::-1])
        case "one by one":
            for entry in DAY[::-1]:
                await writer.write([entry])
        case _:
            await writer.write(DAY)
    found = await only(reader)
    assert (found["state"], found["assigned_to"], found["labels"]) == ("person", "eva@example.com", ["ventas"])
    assert (found["unread"], found["last_message"]["text"]) == (1, "Gracias")
    messages = (await reader.messages(ANA)).as_json()["messages"]
    assert [message["text"] for message in messages] == [
        "Quiero hablar con alguien", "Ahora te escriben.", "¿Hola?", "Soy Eva.", "Gracias",
    ]  # fmt: skip
    assert [message["author"] for message in messages] == ["customer", "assistant", "customer", "operator", "customer"]
    first, reply, _, eva, last = messages
    assert (first["state"], first["turn"]) == ("handed_off", TURN)
    assert (reply["status"], reply["statuses"].keys(), reply["turn"]) == ("read", {"sent", "delivered", "read"}, TURN)
    assert [reaction["emoji"] for reaction in reply["reactions"]] == ["👍"]
    assert (eva["author_name"], eva["status"]) == ("eva@example.com", "queued")
    assert last["quoted"]["text"] == "Ahora te escriben."
    assert [note["text"] for note in await reader.notes(ANA)] == ["VIP"]
    assert [handover["action"] for handover in await reader.handovers(ANA)] == ["asked", "taken"]


async def test_waiting_conversations_come_first_who_waits_longest(writer: HistoryWriter, reader: HistoryReader) -> None:
    await writer.write([wrote("wamid.1", "hola", 0), wrote("wamid.2", "hola", 1, conversation=LEO)])
    assert await listed(reader) == [LEO, ANA]
    assert await listed(reader, state="waiting") == []
    await writer.write([hand_over("asked", 2), hand_over("asked", 3, conversation=LEO)])
    assert await listed(reader, state="waiting") == [ANA, LEO]
    assert await listed(reader, state="unassigned") == [LEO, ANA]
    await writer.write([hand_over("taken", 4, "eva@example.com")])
    assert await listed(reader, state="mine", me="eva@example.com") == [ANA]
    assert (await only(reader))["waiting_since"] == minutes(2).isoformat()
    await writer.write([hand_over("closed", 5)])
    assert await listed(reader, state="closed") == [ANA]
    assert (await only(reader))["waiting_since"] is None
    await writer.write([wrote("wamid.3", "otra cosa", 6)])
    assert (await only(reader))["state"] == "bot"


async def test_a_colleague_in_the_app_is_a_person_until_the_assistant_answers_again(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    await writer.write([wrote("wamid.1", "hola", 0), wrote("wamid.2", "te atiendo", 2, author="business")])
    assert await listed(reader, state="person") == await listed(reader, state="unassigned") == [ANA]
    await writer.write([replied("tarde", 1), wrote("wamid.3", "gracias", 3)])
    assert await listed(reader, state="person") == [ANA], "an answer from before changes nothing"
    await writer.write([replied("¿algo más?", 90, turn="t_0123456789cd")])
    assert await listed(reader, state="bot") == [ANA]
    await writer.write([hand_over("taken", 91, "eva@example.com"), wrote("wamid.4", "sigo yo", 92, author="business")])
    assert await listed(reader, state="mine", me="eva@example.com") == [ANA]


async def test_pages_of_a_list_and_of_messages_miss_nothing(writer: HistoryWriter, reader: HistoryReader) -> None:
    names = [f"c_{index:020x}" for index in range(1, 8)]
    await writer.write([wrote(f"wamid.{name}", "hola", 0, conversation=name) for name in names])
    found, after = [], None
    while True:
        page = await reader.conversations(limit=3, after=after)
        found += [conversation.id for conversation in page.conversations]
        if (after := page.next) is None:
            break
    assert found == names[::-1]
    await writer.write([wrote(f"wamid.{index}", f"{index}", index // 3) for index in range(20)])
    said: list[Any] = []
    before = None
    while True:
        messages = await reader.messages(ANA, limit=6, before=before)
        said = [message.row["body"] for message in messages.messages if message.row["body"] != "hola"] + said
        if (before := messages.before) is None:
            break
    assert said == [str(index) for index in range(20)]
    with pytest.raises(WrongCursor):
        await reader.conversations(after="nothing")


async def test_words_are_found_without_accents_and_while_they_are_typed(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    heard = MessageRead(state="answered", text="<voice_note><heard>quisiera una cotización</heard></voice_note>")
    await writer.write(
        [
            wrote("wamid.1", "Necesito mi FACTURA electrónica"),
            wrote("wamid.2", Voice(media_id="m1"), 1, conversation=LEO),
            TurnClosed(id=TURN, turn=TURN, conversation=LEO, at=minutes(2), messages={"wamid.2": heard}),
            ReplyQueued(
                id="t_1", conversation=LEO, at=minutes(3),
                reply=Reply(id="t_1", parts=(Buttons(body="¿Qué día?", choices=(Choice(id="1", title="Hoy"),)),)),
            ),
        ]
    )  # fmt: skip

    async def hits(q: str) -> list[Any]:
        return [hit.message.row["name"] for hit in await reader.search(q)]

    assert await hits("electronica factu") == ["wamid.1"]
    assert await hits("cotizacion") == ["wamid.2"]
    assert await hits("que dia") == ["t_1.0"]
    assert await hits("\"'); DROP TABLE messages; --") == []
    assert await hits("*") == []
    assert await listed(reader, q="nunez") == [ANA]
    assert await listed(reader, q="8765") == [LEO]
    assert await listed(reader, q="+52 1 55 1234-5678") == [ANA]
    assert await listed(reader, q="cotización") == [LEO]
    assert await listed(reader, q="cotización", labels=["ventas"]) == []


@pytest.mark.parametrize("early", [False, True], ids=["after its message", "before its message"])
async def test_an_edit_shows_both_texts_and_a_deletion_none(
    writer: HistoryWriter, reader: HistoryReader, *, early: bool
) -> None:
    said = [wrote("wamid.1", "a las 8"), wrote("wamid.2", "mi clave es 1234", 1)]
    changes = [
        wrote("wamid.e", Edit(message_id="wamid.1", body="a las 9"), 2),
        wrote("wamid.r", Revoke(message_id="wamid.2"), 3),
    ]
    for entries in (changes, said) if early else (said, changes):
        await writer.write(entries)
    first, second = (await reader.messages(ANA)).as_json()["messages"]
    assert (first["text"], first["edits"]) == ("a las 9", [{"at": minutes(2).isoformat(), "before": "a las 8"}])
    assert (second["text"], second["deleted_at"]) == (None, minutes(3).isoformat())
    assert await reader.search("clave") == []
    assert (await only(reader))["last_message"]["text"] is None


async def test_a_deleted_message_leaves_no_words_in_the_turn_that_answered_it(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    trace = TurnTraced(id=TURN, conversation=ANA, at=minutes(1), trace={"messages": ["wamid.1"], "reply": ["secreto"]})
    closed = TurnClosed(
        id=TURN, turn=TURN, conversation=ANA, at=minutes(1), messages={"wamid.1": MessageRead(state="answered")}
    )
    await writer.write([wrote("wamid.1", "secreto"), closed, trace])
    turn = await reader.turn(TURN)
    assert turn is not None
    assert turn.trace is not None
    await writer.write([wrote("wamid.r", Revoke(message_id="wamid.1"), 3)])
    turn = await reader.turn(TURN)
    assert turn is not None
    assert turn.trace is None


async def test_a_failed_message_tells_its_cause_and_its_remedy(writer: HistoryWriter, reader: HistoryReader) -> None:
    await writer.write([replied("hola"), status("sent", "wamid.out", 1), status("failed", "wamid.out", 2, 131061)])
    (message,) = (await reader.messages(ANA)).as_json()["messages"]
    assert message["status"] == "failed"
    assert message["error"]["code"] == 131061
    assert "maximum price" in message["error"]["remedy"]
    why = "not sent: an operator or a colleague has the conversation"
    withdrawn = PartSent(id="t_02.0", conversation=ANA, at=minutes(3), part=Say(body="tarde"), why=why)
    await writer.write([withdrawn])
    error = next(
        message["error"] for message in (await reader.messages(ANA)).as_json()["messages"] if message["text"] == "tarde"
    )
    assert (error["reason"], error["why"]) == ("taken", why)
    await writer.write([withdrawn.model_copy(update={"id": "t_03.0", "part": Say(body="más tarde")})])
    shown = (await reader.messages(ANA)).as_json()["messages"]
    assert [message["text"] for message in shown] == ["hola", "tarde", "más tarde"], (
        "Meta named neither of the last two"
    )


async def test_the_file_of_a_message_keeps_its_place_in_the_storage(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    read = MessageRead(state="answered", text="<photo>una etiqueta</photo>", file="media/c/2026-12-01/m1")
    await writer.write(
        [
            wrote("wamid.1", Photo(media_id="m1", mime="image/jpeg", caption="mira")),
            TurnClosed(id=TURN, turn=TURN, conversation=ANA, at=minutes(1), messages={"wamid.1": read}),
        ]
    )
    (message,) = (await reader.messages(ANA)).as_json()["messages"]
    assert message["media"] == {
        "key": "media/c/2026-12-01/m1", "mime": "image/jpeg", "filename": None, "media_id": "m1",
    }  # fmt: skip
    assert (message["text"], message["transcript"]) == ("mira", "una etiqueta")


async def test_two_conversations_of_one_person_become_one(writer: HistoryWriter, reader: HistoryReader) -> None:
    await writer.write([*DAY, wrote("wamid.9", "soy yo", 9, conversation=LEO)])
    await writer.write([ConversationMerged(id=f"{ANA}+{LEO}", conversation=LEO, at=minutes(10), source=ANA)])
    late = [wrote("wamid.10", "tarde", 11), status("played", "wamid.out", 12)]
    await writer.write(late)
    assert await listed(reader) == [LEO]
    assert (await texts(reader, LEO))[-2:] == ["soy yo", "tarde"]
    assert await texts(reader, ANA) == await texts(reader, LEO)
    found = await only(reader, ANA)
    assert (found["id"], found["state"], found["labels"]) == (LEO, "person", ["ventas"])
    assert found["contact"]["name"] == "Ana Núñez"
