"""Statuses, copies and account changes of Meta's webhooks, read leniently."""

import json
from typing import Any

import pytest

from bot.messages.inbound import (
    Status,
)
from bot.whatsapp.payload import NotJSON, parse
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


@pytest.mark.parametrize(
    "status", [None, {}, {"id": "w"}, {"status": "sent"}, {"id": "w", "status": "captured", "type": "payment"}]
)
def test_a_status_of_something_else_is_counted(status: Any) -> None:
    found = notification({"statuses": [status, {"id": "wamid.1", "status": "sent"}]})
    assert [status.wamid for status in found.statuses] == ["wamid.1"]
    assert found.unknown == ["status"]


@pytest.mark.parametrize("field", ["history", "message_template_status_update", "account_update", "telepathy"])
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"7", b'"hola"', b'[{"object": 1}]'])
def test_json_that_is_no_notification_is_taken_and_counted(body: bytes) -> None:
    assert parse(body, NOW).unknown == ["object"]


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"hola", b"{", b"\xff\xfe", b'{"object": "\xff"}', b"object=1", b"[" * 100_000],
    ids=["empty", "blank", "text", "half", "binary", "not UTF-8", "a form", "too deep"],
)
def test_what_is_not_json_is_told(body: bytes) -> None:
    with pytest.raises(NotJSON):
        parse(body, NOW)
