"""Errors of Meta's answers, named by the code alone."""

import json
from typing import Any

import pytest

from bot.whatsapp.errors import GraphError, MetaUnavailable, Remedy, error_from, fix_for, needs_operator, remedy_for
from tests.rows import each

RETRY = (1, 2, 4, 17, 32, 613, 80007, 130429, 131000, 131016, 131056, 131057, 133004, 134101, 2494100)
FIX = (0, 3, 10, 33, 190, 200, 299, 368, 131005, 131031, 131037, 131042, 131044, 131045, 133010)
OF_THE_PERSON = (130472, 131021, 131026, 131049, 131050, 131051, 131052, 131053, 131062, 131070, 137000)
OPERATORS = (
    100, 130497, 131008, 131009, 131030, 131048, 131055, 131061, 131063, 131064, 131065, 132000, 132001, 132005,
    132007, 132008,
    132012, 132015, 132016, 132018, 132068, 132069, 133005, 133015, 133016, 134011, 134100, 135000, 138038, 2494191,
    999999,
)  # fmt: skip
NEVER = (*OF_THE_PERSON, *OPERATORS)


@each(
    ("code", "remedy"),
    [
        *((code, Remedy.RETRY) for code in RETRY),
        *((code, Remedy.FIX_SETTINGS) for code in FIX),
        *((code, Remedy.GIVE_UP) for code in NEVER),
        (131047, Remedy.WAIT_FOR_PERSON),
    ],
)
def test_the_code_decides_and_the_http_status_does_not(code: int, remedy: Remedy) -> None:
    for status in (400, 401, 403, 404, 500, 503):
        error = error_from(status, json.dumps({"error": {"code": code, "message": "x"}}).encode())
        assert isinstance(error, GraphError), status
        assert (error.code, error.remedy) == (code, remedy), status


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(999999, Remedy.RETRY), (190, Remedy.FIX_SETTINGS), (131047, Remedy.WAIT_FOR_PERSON)],
    ids=["unknown code", "token", "window"],
)
def test_what_meta_calls_transient_is_tried_again_unless_we_know_better(code: int, remedy: Remedy) -> None:
    assert remedy_for(code, transient=True) is remedy
    error = error_from(400, json.dumps({"error": {"code": code, "is_transient": True}}).encode())
    assert isinstance(error, GraphError)
    assert error.remedy is remedy


@each(
    ("error", "details"),
    [
        ({"code": 100, "message": "m", "error_data": {"details": "The details"}}, "The details"),
        ({"code": 100, "message": "m", "error_data": "The details"}, "The details"),
        ({"code": 100, "message": "m", "error_data": {}}, "m"),
        ({"code": 100, "message": "m", "error_data": None}, "m"),
        ({"code": 100, "message": {"a": 1}}, "no details"),
        ({"code": "100"}, "no details"),
    ],
)
def test_details_are_taken_from_where_they_are(error: dict[str, Any], details: str) -> None:
    assert str(error_from(400, json.dumps({"error": error}).encode())) == f"Meta's error 100: {details}"


@each(
    "body",
    [
        b"",
        b"<html><h1>502 Bad Gateway</h1></html>",
        b"null",
        b"[]",
        b'"error"',
        b'{"error": "gone"}',
        b'{"error": {"code": "many"}}',
        b'{"error": {"code": true}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=["empty", "html", "null", "list", "text", "error text", "odd code", "true", "binary", "too deep"],
)
@each(("status", "in_doubt"), [(400, False), (404, False), (302, False), (500, True), (502, True)])
def test_without_metas_envelope_nobody_knows_what_happened(body: bytes, status: int, in_doubt: object) -> None:
    error = error_from(status, body)
    assert isinstance(error, MetaUnavailable)
    assert error.in_doubt is in_doubt


@each(
    ("code", "theirs"),
    [*((code, False) for code in (*RETRY, *FIX, *OF_THE_PERSON, 131047)), *((code, True) for code in OPERATORS)],
)
def test_operators_hear_of_what_is_no_fault_of_the_person(code: int, theirs: object) -> None:
    assert needs_operator(code) is theirs


@each(
    ("code", "fix"),
    [
        (131061, "maximum price"),
        (131062, "send this template to a phone"),
        (131065, "read the details"),
        (131070, "templates may leave"),
        (138038, "primary one for calls"),
        (2494191, "escalation partner"),
        (131008, "look the code up"),
    ],
)
def test_each_error_tells_operators_what_to_do(code: int, fix: str) -> None:
    assert fix in fix_for(code)
