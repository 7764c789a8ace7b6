"""`python -m bench.replay`: what becomes of recorded bodies, without a server and without words of people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.replay import main, replay
from tests.notifications import FOLDER
from tests.rows import each

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIXTURES: dict[str, tuple[list[str], list[str]]] = {
    "text": (["message text: starts a turn"], []),
    "group": ([], ["message text: ignored: group"]),
    "standby_echo": ([], ["message text by the business: ignored: standby, remembered"]),
    "media_lost": (["message unsupported of the type 'image', Meta's error 131052: starts a turn"], []),
    "call_missed": (
        ["message unsupported of the type 'call': starts a turn", "field calls: counted, nothing to do"],
        [],
    ),
    "user_actions": (["field user_actions: marketing_messages_link_click; landing_page_view"], []),
    "user_preferences_stop": (["field user_preferences: marketing refused"], []),
    "user_id_update": (["field user_id_update: a new BSUID"], []),
    "messaging_handovers": (["field messaging_handovers: control_passed to escalation, ours now"], []),
    "account_update_tier": (["field account_update: counted, nothing to do"], []),
    "business_username_updates_revoked": (["field business_username_updates: alert approved revoked"], []),
}


@each("name", FIXTURES)
def test_each_body_is_told_as_it_is_understood(name: str) -> None:
    replayed = replay((FOLDER / f"{name}.json").read_bytes(), NOW)
    assert (replayed.status, replayed.understood, replayed.aside) == (200, *FIXTURES[name])
    assert replayed.strange == []


def body(**change: object) -> bytes:
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}).encode()


@each(
    ("raw", "status", "reason"),
    [
        (b"hola", 400, "the body is not JSON"),
        (b"", 400, "the body is not JSON"),
        (b" " * (4 * 1024 * 1024 + 1), 413, "bytes"),
        (b"{}", 200, "`object` is not"),
        (body(value={}), 200, "names no field"),
        (body(field="telepathy", value={}), 200, "nothing reads it"),
        (body(field="messages", value={"messages": [{}]}), 200, "without an id"),
        (body(field="messages", value={"statuses": [{}]}), 200, "a status without an id"),
        (body(field="smb_message_echoes", value={"message_echoes": [{}]}), 200, "a copy without an id"),
    ],
)
def test_what_is_not_understood_has_its_reason(raw: bytes, status: int, reason: str) -> None:
    replayed = replay(raw, NOW)
    assert replayed.status == status
    assert [reason in line for line in replayed.strange] == [True]


def test_a_status_is_told_with_its_error_and_price() -> None:
    told = {
        "id": "w",
        "status": "failed",
        "errors": [{"code": 131047}],
        "pricing": {"type": "regular", "category": "x"},
    }
    replayed = replay(body(field="messages", value={"statuses": [told]}), NOW)
    assert replayed.understood == ["status failed, error 131047, regular x: without a callback, so of another sender"]


@given(st.binary(max_size=200))
def test_any_bytes_are_told(raw: bytes) -> None:
    assert replay(raw, NOW).status in (200, 400)


def test_a_folder_is_told_file_by_file_and_without_words_of_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.json").write_bytes((FOLDER / "text.json").read_bytes())
    assert main([str(tmp_path)]) == 0
    (tmp_path / "b.json").write_bytes(b"{")
    assert main([str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "200  day/a.json\n     message text: starts a turn\n1 bodies, 0 not understood in full\n" in printed
    assert "400  b.json\n     set aside: the body is not JSON\n" in printed
    assert "5215512345678" not in printed


def test_all_fixtures_are_understood_but_those_of_next_year() -> None:
    strange = {path.stem for path in FOLDER.glob("*.json") if replay(path.read_bytes(), NOW).strange}
    assert strange == {"field_of_next_year"}


def test_no_folder_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / "none")])
    assert caught.value.code == 2
