"""Operators on the command line: added, listed, disabled, given a new link; the table of roles."""

import json
from urllib.parse import parse_qs, urlsplit

from tests.processes import recado


async def test_an_operator_is_added_listed_and_disabled() -> None:
    assert "recado operators add" in (await recado("operators", "list")).err
    added = await recado("operators", "add", "Eva Ruiz", "--email", "Eva@Example.com", "--role", "agent")
    assert added.code == 0
    link = urlsplit(added.out.strip())
    assert link.path == "/console/password"
    assert len(parse_qs(link.query)["token"][0]) >= 40
    again = await recado("operators", "add", "Another", "--email", "eva@EXAMPLE.com", "--role", "admin")
    assert (again.code, again.out) == (1, "")
    assert "Traceback" not in again.err
    found = json.loads((await recado("operators", "list", "--format", "json")).out)
    assert [
        (operator["name"], operator["role"], operator["disabled"], operator["has_password"]) for operator in found
    ] == [("Eva Ruiz", "agent", False, False)]
    renewed = await recado("operators", "reset", "eva@example.com", PUBLIC_URL="https://desk.example.com")
    assert renewed.out.startswith("https://desk.example.com/console/password?token=")
    assert (await recado("operators", "disable", "EVA@example.com")).code == 0
    assert (await recado("operators", "reset", "eva@example.com")).code == 1
    assert (await recado("operators", "disable", "nobody@example.com")).code == 1
    head, row = (await recado("operators", "list")).out.splitlines()
    assert head.split() == ["e-mail", "role", "name", "state"]
    assert row.split() == ["Eva@example.com", "agent", "Eva", "Ruiz", "disabled"]


async def test_wrong_facts_are_told_in_a_line() -> None:
    assert (await recado("operators", "add", "Eva", "--email", "eva@example.com", "--role", "boss")).code == 2
    wrong = await recado("operators", "add", "Eva", "--email", "no address", "--role", "agent")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    away = await recado("operators", "list", DATABASE_URL="postgresql://127.0.0.1:9/recado")
    assert away.code == 1
    assert "DATABASE_URL" in away.err
    assert "Traceback" not in away.err


async def test_the_doctor_prints_which_role_may_do_what() -> None:
    text = (await recado("doctor", "--console")).out
    assert "erase_contact" in text
    table = json.loads((await recado("doctor", "--console", "--format", "json")).out)
    assert table["erase_contact"]["roles"] == ["admin"]
    assert table["take"]["roles"] == ["agent", "supervisor", "admin"]
