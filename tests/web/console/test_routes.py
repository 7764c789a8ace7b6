"""Every route of the console's API: who may call it, and what it says to unknown ids, wrong bodies and odd paths."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
import yaml

from bot.database.opening import open_current
from bot.history.personal import PersonalHistory
from bot.people.roles import ROLES, Action, may
from evals.cases import Case
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import fails
from tests.console import Browser, add_operator, program
from tests.databases import new_database
from tests.outgoing import acquainted, text
from tests.processes import eventually
from tests.world import Start, World

NOBODY = f"c_{'0' * 20}"
ONE = "conversations/{}"
KEY = {"Idempotency-Key": "k"}

# Method, path, body, the action of the role table, and the status where the role may call it on a known conversation.
ROUTES: list[tuple[str, str, Any, Action, int]] = [
    ("GET", "conversations", None, "read", 200),
    ("GET", ONE, None, "read", 200),
    ("GET", f"{ONE}/messages", None, "read", 200),
    ("GET", f"{ONE}/contact", None, "read", 200),
    ("GET", "operators", None, "read", 200),
    ("GET", "labels", None, "read", 200),
    ("GET", "templates", None, "read", 200),
    ("GET", "canned-replies", None, "read", 200),
    ("GET", "confirmations", None, "read", 200),
    ("GET", "health", None, "read", 200),
    ("GET", "turns/t_none", None, "read", 404),
    ("POST", f"{ONE}/take", {}, "take", 200),
    ("POST", f"{ONE}/messages", {"text": "hola"}, "write", 201),
    ("POST", f"{ONE}/notes", {"text": "nota"}, "note", 201),
    ("POST", f"{ONE}/labels", {"add": ["a"]}, "label", 200),
    ("POST", f"{ONE}/read", {}, "read", 204),
    ("POST", f"{ONE}/typing", {}, "write", 204),
    ("POST", f"{ONE}/assign", {"email": "nobody@example.com"}, "assign", 422),
    ("POST", f"{ONE}/give-back", {}, "take", 200),
    ("POST", f"{ONE}/close", {}, "close", 200),
    ("POST", "canned-replies", {"shortcut": "hola", "text": "Hola {{name}}"}, "edit_canned_replies", 201),
    ("PUT", "canned-replies/r_none", {"shortcut": "x", "text": "y"}, "edit_canned_replies", 404),
    ("DELETE", "canned-replies/r_none", None, "edit_canned_replies", 404),
    ("GET", "product-cards", None, "read", 200),
    ("GET", f"product-cards/{NOBODY}/none/name", None, "read", 404),
    ("GET", "push", None, "read", 200),
    ("GET", "digest", None, "read", 200),
    ("PUT", "digest", {"wanted": True}, "read", 404),
    ("POST", "push/subscribe", {"subscription": {}}, "read", 404),
    ("GET", "reports", None, "read_reports", 200),
    ("GET", "budget", None, "read_reports", 200),
    ("GET", "opt-outs", None, "read_reports", 200),
    ("GET", "audit", None, "read_audit", 200),
    ("GET", "dead-letters", None, "handle_dead_letters", 200),
    ("POST", f"dead-letters/{NOBODY}/retry", {}, "handle_dead_letters", 404),
    ("POST", f"dead-letters/{NOBODY}/drop", {}, "handle_dead_letters", 404),
    ("GET", "documents", None, "review_documents", 200),
    ("GET", "suggestions", None, "review_documents", 200),
    ("POST", "suggestions/none/accept", {"question": "¿Sí?", "answer": "No."}, "review_documents", 404),
    ("POST", "suggestions/none/reject", {}, "review_documents", 404),
    ("POST", "turns/t_none/case", {}, "make_cases", 404),
    ("GET", "releases", None, "replay_turns", 200),
    ("POST", "turns/t_none/replay", {}, "replay_turns", 404),
    ("GET", f"{ONE}/export", None, "export_contact", 200),
    ("POST", f"{ONE}/erase", {}, "erase_contact", 200),
]


async def test_each_role_may_do_what_its_table_says_and_nothing_else(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    for role in ROLES:
        browser = await add_operator(world, role, role)
        for method, path, body, action, status in ROUTES:
            # The last role is the admin, who erases the conversation at the end.
            if may(role, action):
                answer = await browser.ask(
                    method, path.format(conversation), json=body, headers=KEY | {"Idempotency-Key": role}
                )
                expected = 409 if path == "canned-replies" and method == "POST" and role == "admin" else status
                assert answer.status == expected, (role, method, path, answer.body)
            else:
                answer = await browser.ask(method, path.format(conversation), json=body, headers=KEY)
                assert (answer.status, answer.code) == (403, "forbidden"), (role, method, path)
    assert (await program(world).get(f"conversations/{conversation}")).status == 404


async def test_nobody_calls_a_route_without_a_login(start: Start) -> None:
    world = await start(workers=0)
    stranger = Browser(world)
    for method, path, body, _, _ in ROUTES:
        answer = await stranger.ask(method, path.format(NOBODY), json=body)
        assert (answer.status, answer.code) == (401, "login_needed"), (method, path)


@pytest.mark.parametrize(
    "name", [NOBODY, "c_", "x' OR 1=1", "..%2f..%2faudit", "%00", "c_" + "f" * 20 + "\n", "ñ" * 300]
)
async def test_an_unknown_conversation_is_not_found(start: Start, name: str) -> None:
    world = await start(workers=0)
    client = program(world)
    for method, path, body, _, _ in ROUTES:
        if path.startswith(ONE):
            answer = await client.ask(method, path.format(name), json=body, headers=KEY)
            assert answer.status == 404, (method, path, name)
            assert set(answer.body["error"]) >= {"code", "message"}


WRONG: list[tuple[str, str, Any, str]] = [
    ("POST", f"{ONE}/take", {"force": "perhaps"}, "force"),
    ("POST", f"{ONE}/messages", {"template": "x", "parameters": {"1": "a", "\udc00": "b"}}, "parameters.?"),
    ("POST", f"{ONE}/take", {"who": "me"}, "who"),
    ("POST", f"{ONE}/give-back", {"note": 5}, "note"),
    ("POST", f"{ONE}/give-back", {"note": "x" * 5000}, "note"),
    ("POST", f"{ONE}/assign", {}, "email"),
    ("POST", f"{ONE}/notes", {"text": ""}, "text"),
    ("POST", f"{ONE}/notes", {"text": " \n "}, "text"),
    ("POST", f"{ONE}/labels", {"add": "VIP"}, "add"),
    ("POST", f"{ONE}/labels", {"add": [""]}, "add.0"),
    ("POST", f"{ONE}/labels", {"add": ["x" * 65]}, "add.0"),
    ("POST", f"{ONE}/messages", {}, ""),
    ("POST", f"{ONE}/messages", {"text": ""}, "text"),
    ("POST", f"{ONE}/messages", {"text": "  "}, ""),
    ("POST", f"{ONE}/messages", {"text": "a", "template": "b"}, ""),
    ("POST", f"{ONE}/messages", {"text": "x" * 70_000}, "text"),
    ("POST", f"{ONE}/messages", {"template": "No Such"}, "template"),
    ("POST", f"{ONE}/messages", {"template": "a", "parameters": {"x": 1}}, "parameters.x"),
    ("POST", "canned-replies", {"shortcut": "has space", "text": "x"}, "shortcut"),
    ("GET", "conversations?limit=0", None, "limit"),
    ("GET", "conversations?limit=many", None, "limit"),
    ("GET", "conversations?cursor=bm9uc2Vuc2U", None, "cursor"),
    ("GET", "conversations?sort=name", None, "sort"),
    ("GET", f"{ONE}/messages?before=%C3%B1", None, "before"),
    ("GET", "audit?before=0", None, "before"),
    ("GET", "audit?limit=1000", None, "limit"),
    ("GET", "documents?limit=0", None, "limit"),
    ("GET", "documents?after=%00", None, "after"),
    ("POST", "suggestions/none/accept", {"question": "¿Sí?"}, "answer"),
    ("POST", "suggestions/none/accept", {"question": " ", "answer": "No."}, "question"),
    ("POST", "suggestions/none/accept", {"question": "¿Sí?", "answer": "x" * 2001}, "answer"),
    ("POST", "suggestions/none/reject", {"why": "x"}, "why"),
    ("GET", "reports?from=yesterday", None, "from"),
    ("GET", "reports?from=2026-12-02&to=2026-12-01", None, "from"),
    ("GET", "reports?from=2020-01-01&to=2026-12-01", None, "from"),
    ("GET", "reports?to=9999-12-31&from=9999-12-01", None, "to"),
    ("GET", "reports?to=0001-01-01", None, "to"),
    # PostgreSQL keeps no NUL, and no database a half of a sign.
    ("GET", "conversations?q=a%00b", None, "q"),
    ("GET", "conversations?label=%00", None, "label"),
    ("GET", "audit?who=%00", None, "who"),
    ("GET", f"turns/t_none?conversation={'%00'}", None, "conversation"),
    ("POST", f"{ONE}/notes", {"text": "a\0b"}, "text"),
    ("POST", f"{ONE}/messages", {"text": "a\0b"}, "text"),
    ("POST", f"{ONE}/messages", {"template": "a", "parameters": {"x": "\0"}}, "parameters.x"),
    ("POST", f"{ONE}/labels", {"add": ["a", "\ud800"]}, "add.1"),
    ("POST", "canned-replies", {"shortcut": "x", "text": "a\0b"}, "text"),
    ("POST", "session", {"email": "a@example.com\0", "password": "x"}, "email"),
    ("POST", "password", {"token": "\ud800", "password": "una frase larga"}, "token"),
    ("POST", f"{ONE}/take", {"k" * 100_000: 1}, "k" * 64),
]


def _cursor(at: str, last: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, last]).encode()).decode().rstrip("=")


CURSORS = [
    _cursor("2026-12-01T00:00:00+00:00", 10**30),
    _cursor("2026-12-01T00:00:00+00:00", "\ud800"),
    _cursor("2026-12-01T00:00:00+00:00", "\0"),
    _cursor("0001-01-01T00:00:00+23:59", 1),
    _cursor("9999-12-31T23:59:59-23:59", 1),
]


async def test_a_cursor_that_is_not_ours_is_refused_by_every_list(world: World, ana: Person) -> None:
    conversation, client = await acquainted(world, ana), program(world)
    for cursor in CURSORS:
        for path in (f"conversations?cursor={cursor}", f"conversations/{conversation}/messages?before={cursor}"):
            answer = await client.get(path)
            assert answer.status == 422, (cursor, path)


async def test_a_name_that_can_be_nobodys_is_not_found(world: World, ana: Person) -> None:
    conversation, client = await acquainted(world, ana), program(world)
    for method, path in (
        ("GET", "turns/%00"),
        ("GET", f"{ONE}/media/%00"),
        ("GET", f"{ONE}/files/%00"),
        ("DELETE", "canned-replies/%00"),
        ("POST", "suggestions/%00/reject"),
        ("GET", f"../static/{'a' * 300}.js"),
    ):
        assert (await client.ask(method, path.format(conversation))).status == 404, path


async def test_a_wrong_body_or_query_is_told_by_its_field(world: World, ana: Person) -> None:
    conversation, client = await acquainted(world, ana), program(world)
    for method, path, body, field in WRONG:
        answer = await client.ask(method, path.format(conversation), json=body, headers=KEY | {"Accept-Language": "en"})
        assert (answer.status, answer.body["error"].get("field")) == (422, field), (path, body, answer.body)
        spanish = await client.ask(
            method, path.format(conversation), json=body, headers=KEY | {"Accept-Language": "es"}
        )
        told = answer.body["error"]["message"], spanish.body["error"]["message"]
        assert not re.search("Input|should|Value error|what is expected here", told[0]), (path, body, told)
        english = r"\b(it|is|or|the|expected|should|signs|there)\b|campo  no"
        assert not re.search(english, told[1]), (path, body, told)
    deep = {"subscription": {"x": json.loads("[" * 800 + "]" * 800)}}
    assert (await client.post("push/subscribe", deep)).status == 404  # ROUTES has the same for a flat one
    without = await client.post(f"conversations/{conversation}/messages", {"text": "hola"})
    assert (without.status, without.code) == (422, "key_needed")
    headers_of_parts = (b"A: " + b"b" * 100_000, b"A: b\r\n" * 5000, b'Content-Disposition: form-data; name="\0"')
    odd_parts = [b"--x\r\n" + headers_of_part + b"\r\n\r\n1\r\n--x--" for headers_of_part in headers_of_parts]
    odd_parts.append(b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\n1\r\n--x--")
    for data in (*odd_parts, b"--x\r\n", b"no form at all"):
        headers = KEY | {"Content-Type": "multipart/form-data; boundary=x"}
        await client.post(f"conversations/{conversation}/take")
        answer = await client.ask("POST", f"conversations/{conversation}/messages", data=data, headers=headers)
        assert answer.status == 422, data


@pytest.mark.xdist_group("postgresql")
async def test_a_database_without_its_schema_is_told(
    start: Start, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", await new_database(postgres))
    world = await start(workers=0)
    found = await program(world).get("labels", headers={"Accept-Language": "en"})
    assert (found.status, found.code, "recado db upgrade" in found.body["error"]["message"]) == (
        503,
        "database_outdated",
        True,
    )


async def test_a_failed_message_is_seen_retried_and_dropped(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    sol = await add_operator(world, "Sol", "supervisor")
    world.models.will(*[fails(400)] * 20)
    await world.meta.writes(ana, text("¿y esto?"))
    await world.meta.replies(ana)

    async def letters() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await sol.get("dead-letters")).body["dead_letters"]
        return found

    [letter] = await eventually(letters)
    assert letter["messages"] == [{"kind": "text", "text": "¿y esto?"}]
    assert letter["contact"]["name"] == "Ana"
    assert (letter["code"], letter["reason"][:17]) == ("no_model", "no model answered")
    assert (await sol.post(f"dead-letters/{letter['id']}/drop")).body == {"id": letter["id"], "messages": 1}
    assert await letters() == []
    assert (await sol.post(f"dead-letters/{letter['id']}/retry")).status == 404
    assert [entry["action"] for entry in (await sol.get("audit?action=dead_letter_drop")).body["entries"]] == [
        "dead_letter_drop"
    ]


async def test_a_turn_says_why_and_a_report_counts_it(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    client = program(world)

    async def answered() -> list[dict[str, Any]]:
        page = await client.get(f"conversations/{conversation}/messages")
        return [message for message in page.body["messages"] if message["turn"] and message["author"] == "assistant"]

    [message] = await eventually(answered)
    turn = await eventually(lambda: _turn(client, message["turn"]))
    assert turn["release"]
    assert turn["asked"][0]["messages"][-1]["content"]
    assert turn["requests"][0]["prompt_tokens"] > 0
    assert (await client.get(f"turns/{message['turn']}?conversation={NOBODY}")).status == 404
    made = await client.post(f"turns/{message['turn']}/case", {"conversation": conversation})
    assert (made.status, made.body["yaml"][0]) == (200, "#")
    [case] = yaml.safe_load(made.body["yaml"])
    assert Case.model_validate(case).name == made.body["name"]
    assert (case["turns"][0]["text"], case["contact"]["name"]) == ("hola", "Alex")
    assert ana.phone not in made.body["yaml"]
    report = (await client.get("reports")).body
    assert (report["totals"]["conversations"], report["totals"]["resolved_by_assistant"]) == (1, 1)
    assert report["totals"]["first_answer_ms"] >= 0
    assert sum(day["conversations"] for day in report["days"]) == 1
    assert len(report["days"]) == 30


async def _turn(browser: Browser, name: str) -> dict[str, Any]:
    answer = await browser.get(f"turns/{name}")
    found: dict[str, Any] = answer.body if answer.status == 200 else {}
    return found


async def test_an_export_holds_what_the_history_has(world: World, ana: Person) -> None:
    conversation, client = await acquainted(world, ana), program(world)
    await client.post(f"conversations/{conversation}/notes", {"text": 'ojo con "comillas" y ñ'}, headers=KEY)
    found = await client.get(f"conversations/{conversation}/export")
    assert (found.status, found.body["identities"]) == (200, sorted(filter(None, (ana.phone, ana.bsuid))))
    database = await open_current(world.settings.database.url.get_secret_value())
    known = await PersonalHistory(world.redis, database).export([conversation])
    await database.close()
    # An entry may wait in one answer and be in the database in the next.
    names = [{row["name"] for row in page["messages"]} for page in (found.body["history"], known)]
    assert names[0]
    assert names[0] <= names[1]
