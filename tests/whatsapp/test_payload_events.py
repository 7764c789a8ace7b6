"""Statuses, copies and account changes of Meta's webhooks, read leniently."""

import json
from typing import Any

import pytest

from bot.messages.inbound import Status, System, Unsupported
from bot.whatsapp.account_updates import handover
from bot.whatsapp.payload import NotJSON, parse
from tests.rows import each
from tests.whatsapp.webhook_values import FROM_ANA, METADATA, NOW, notification, value


def test_statuses_say_what_became_of_our_messages() -> None:
    statuses = [
        {"id": "wamid.1", "status": "sent", "timestamp": "1764000000", "biz_opaque_callback_data": "c_1.t_1.0"},
        {"id": "wamid.2", "status": "failed", "errors": [{"code": 131047, "title": "Re-engagement message"}]},
        {"id": "wamid.3", "status": "failed", "errors": [{"code": "many"}]},
        {"id": "wamid.4", "status": "read", "type": "message"},
    ]
    found = notification({"metadata": METADATA, "statuses": statuses})
    number = METADATA["phone_number_id"]
    assert found.statuses == [
        Status(wamid="wamid.1", status="sent", callback="c_1.t_1.0", phone_number_id=number),
        Status(wamid="wamid.2", status="failed", error=131047, phone_number_id=number),
        Status(wamid="wamid.3", status="failed", phone_number_id=number),
        Status(wamid="wamid.4", status="read", phone_number_id=number),
    ]
    assert found.messages == []


@each("status", [None, {}, {"id": "w"}, {"status": "sent"}, {"id": "w", "status": "captured", "type": "payment"}])
def test_a_status_of_something_else_is_counted(status: Any) -> None:
    found = notification({"statuses": [status, {"id": "wamid.1", "status": "sent"}]})
    assert [status.wamid for status in found.statuses] == ["wamid.1"]
    assert found.unknown == ["status"]


@each("field", ["history", "message_template_status_update", "account_update", "telepathy"])
def test_messages_of_other_fields_start_nothing(field: str) -> None:
    found = notification(value(FROM_ANA | {"type": "text", "text": {"body": "Hola"}}), field=field)
    assert (found.messages, found.statuses, [change.field for change in found.changes]) == ([], [], [field])


def test_what_the_business_wrote_from_its_app_is_told_as_its_own() -> None:
    echo = {"from": "525500001111", "to": "5215512345678", "to_user_id": "MX.8801", "id": "wamid.2"}
    text = {"type": "text", "text": {"body": "Hola"}, "timestamp": "1764000000"}
    found = notification({"metadata": METADATA, "message_echoes": [echo | text, {}]}, field="smb_message_echoes")
    (message,) = found.messages
    assert (message.aside, message.author, message.phone, message.bsuid) == (
        "echo", "business", "5215512345678", "MX.8801",
    )  # fmt: skip
    assert found.unknown == ["echo"]


def test_what_another_bot_minds_is_told_as_an_aside() -> None:
    standby = {"messages": [FROM_ANA], "message_echoes": [{"id": "wamid.2", "message": {"to": "5215512345678"}}]}
    found = notification({"metadata": METADATA, "standby": standby}, field="standby")
    assert [(message.aside, message.author) for message in found.messages] == [
        ("standby", "person"), ("standby", "business"),
    ]  # fmt: skip


def test_trouble_at_metas_end_is_a_change_of_its_own() -> None:
    (change,) = notification({"errors": [{"code": 130429}]}).changes
    assert (change.field, change.value) == ("errors", {"errors": [{"code": 130429}]})


def test_the_same_news_has_the_same_digest_and_other_news_another() -> None:
    first, again, other = (
        notification({"event": event}, field="account_update").changes[0].digest for event in ("A", "A", "B")
    )
    assert first == again != other


@each(
    "around",
    [
        {"object": "page"},
        {"object": None},
        {"entry": None},
        {"entry": {"changes": []}},
        {"entry": [None, "x", {"changes": None}, {"changes": [None, 7, {"value": None}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": "hola"}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"messages": {}, "statuses": 3, "contacts": "x"}}]}]},
    ],
    ids=json.dumps,
)
def test_shapes_that_are_not_metas_hold_nothing(around: dict[str, Any]) -> None:
    found = notification(**around)
    assert (found.messages, found.statuses) == ([], [])


@each("body", [b"{}", b"[]", b"null", b"7", b'"hola"', b'[{"object": 1}]'])
def test_json_that_is_no_notification_is_taken_and_counted(body: bytes) -> None:
    assert parse(body, NOW).unknown == ["object"]


@each(
    "body",
    [b"", b" ", b"hola", b"{", b"\xff\xfe", b'{"object": "\xff"}', b"object=1", b"[" * 100_000],
    ids=["empty", "blank", "text", "half", "binary", "not UTF-8", "a form", "too deep"],
)
def test_what_is_not_json_is_told(body: bytes) -> None:
    with pytest.raises(NotJSON):
        parse(body, NOW)


CONTEXT = {"conversation_context": {"type": "summary", "summary": {"text": "She wants a refund"}}}
SAID = [{"role": "user", "text": {"body": "Hi"}}, {"role": "ai_agent", "text": "Hello!"}, {"text": "Bye"}, {"a": 1}]
HISTORY = {"conversation_context": {"type": "history", "history": SAID}}
# Of a long history the end counts.
MANY = [{"role": "user", "text": str(number)} for number in range(40)] + [{"text": "x" * 1991}]
LONG_HISTORY = {"conversation_context": {"type": "history", "history": {"messages": MANY}}}
PASS, TAKE = "control_passed", "control_taken"
PASSED = {"new_owner_role": "escalation", "previous_owner_role": "ai_agent"}


@each(
    ("told", "move", "to", "ours", "reason", "summary"),
    [
        ({"type": PASS, PASS: PASSED | {"metadata": "why"}}, PASS, "escalation", True, "why", None),
        ({"type": PASS, "metadata": "why", PASS: PASSED}, PASS, "escalation", True, "why", None),
        ({"type": PASS, "new_owner_app_role": "escalation"}, PASS, "escalation", True, None, None),
        ({PASS: {"new_owner_app_role": "marketing"}}, PASS, "marketing", True, None, None),
        ({"type": PASS, PASS: {"new_owner_role": "mba"}}, PASS, "mba", False, None, None),
        ({"type": PASS, PASS: PASSED | CONTEXT}, PASS, "escalation", True, None, "She wants a refund"),
        ({"type": PASS, **CONTEXT}, PASS, "unknown", True, None, "She wants a refund"),
        ({"type": PASS, PASS: PASSED | HISTORY}, PASS, "escalation", True, None, "user: Hi\nai_agent: Hello!\nBye"),
        ({"type": PASS, PASS: PASSED | LONG_HISTORY}, PASS, "escalation", True, None, "user: 39\n" + "x" * 1991),
        ({"type": TAKE, TAKE: {"new_owner_role": "ai_agent"}}, TAKE, "ai_agent", False, None, None),
        ({"type": TAKE, TAKE: {"new_owner_role": "escalation"}}, TAKE, "escalation", False, None, None),
        ({"type": TAKE, TAKE: PASSED}, TAKE, "escalation", True, None, None),
        ({"type": TAKE, TAKE: "now", "metadata": {"a": 1}}, TAKE, "unknown", False, None, None),
        ({"type": "control_lent", "control_lent": PASSED}, None, "escalation", None, None, None),
        ({"conversation_context": "x"}, None, "unknown", None, None, None),
    ],
)
def test_hand_overs_are_read_in_all_shapes(
    told: dict[str, Any], move: str | None, to: str, ours: object, reason: str | None, summary: str | None
) -> None:
    found = handover({"sender": {"phone_number": "+52 1 55 1234 5678"}, "timestamp": "1764000000"} | told, NOW)
    assert (found.move, found.to, found.ours, found.reason, found.summary) == (move, to, ours, reason, summary)
    assert (found.phone, found.at.timestamp()) == ("5215512345678", 1764000000)


@pytest.mark.parametrize("user_id", ["MX.2", {"previous": "MX.8801", "current": "MX.2"}])
def test_a_new_bsuid_is_read_from_a_system_message_in_both_shapes(user_id: Any) -> None:
    told = FROM_ANA | {"type": "system", "system": {"type": "user_changed_user_id", "user_id": user_id}}
    (message,) = notification(value(told)).messages
    assert (message.bsuid, message.content) == ("MX.8801", System(event="user_changed_user_id", bsuid="MX.2"))


def test_a_summary_around_messages_is_of_each() -> None:
    told = FROM_ANA | {"type": "text", "text": {"body": "Hola"}}
    (message,) = notification(value(told, **CONTEXT)).messages
    assert message.before == "She wants a refund"


@each(
    ("call", "kept"),
    [
        ({"event": "terminate", "direction": "USER_INITIATED"}, True),
        ({"event": "terminate", "direction": "USER_INITIATED", "status": "FAILED", "duration": 0}, True),
        ({"event": "terminate", "direction": "USER_INITIATED", "duration": 12}, False),
        ({"event": "terminate", "direction": "USER_INITIATED", "start_time": "1764000000"}, False),
        ({"event": "terminate", "direction": "USER_INITIATED", "status": "COMPLETED"}, False),
        ({"event": "terminate", "direction": "BUSINESS_INITIATED"}, False),
        ({"event": "connect", "direction": "USER_INITIATED"}, False),
        ({"event": {}, "direction": 7}, False),
    ],
)
def test_a_call_that_nobody_took_is_a_message(call: dict[str, Any], kept: object) -> None:
    found = notification(value(calls=[FROM_ANA | {"id": "wacid.1"} | call, 7, None]), field="calls")
    assert [message.content for message in found.messages] == ([Unsupported(type="call")] if kept else [])
    assert [change.field for change in found.changes] == ["calls"]


def test_a_call_without_a_caller_is_counted() -> None:
    call = {"id": "wacid.1", "event": "terminate", "direction": "USER_INITIATED"}
    assert notification({"calls": [call]}, field="calls").unknown == ["call"]
