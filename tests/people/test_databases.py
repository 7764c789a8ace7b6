"""People and reports on both databases: the same answers from SQLite and from PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis
from sqlalchemy import text as sql

from bot.console.reports import Reports
from bot.database.engine import Database
from bot.history.entries import HandOver, MessageReceived, PartSent, ReplyQueued
from bot.history.writer import HistoryWriter
from bot.messages.inbound import Inbound, Text
from bot.messages.outbound import Reply, Say
from bot.people.audit import AuditFilter, AuditLog
from bot.people.canned_replies import CannedReplies, ShortcutTaken
from bot.people.login_limits import LoginLimits
from bot.people.operators import LinkOver, Operators, OperatorWrong
from bot.people.passwords import Passwords, PasswordsBusy
from bot.people.sessions import LoginWrong, Sessions
from tests.console import QuickPasswords

PASSWORD = "una frase larga y rara"
NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)


async def test_operators_links_and_sessions(database: Database, redis: Redis) -> None:
    passwords = QuickPasswords()
    operators = Operators(database, passwords)
    sessions = Sessions(database, passwords, LoginLimits(redis), timedelta(hours=1))
    both = await asyncio.gather(
        *(operators.add("Eva", email, "agent") for email in ("eva@example.com", "EVA@example.com")),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in both) == ["OperatorKnown", "tuple"]
    first = await operators.reset("eva@example.com")
    second = await operators.reset("eva@example.com")
    assert first
    assert second
    with pytest.raises(LinkOver):
        await operators.set_password(first, PASSWORD)
    await operators.set_password(second, PASSWORD)
    session = await sessions.login("eva@example.com", PASSWORD, "127.0.0.1")
    found = await sessions.of(session.token)
    assert found
    assert (found.operator.email, found.expires_at) == (session.operator.email, session.expires_at)
    # A new password ends the sessions that the old one began.
    third = await operators.reset("eva@example.com")
    assert third
    await operators.set_password(third, PASSWORD + "!")
    assert await sessions.of(session.token) is None
    with pytest.raises(LoginWrong):
        await sessions.login("eva@example.com", PASSWORD, "127.0.0.1")
    await operators.disable("eva@example.com")
    again, _ = await operators.add("Eva Ruiz", "eva@example.com", "supervisor")
    assert [
        (operator.name, operator.role, operator.disabled, operator.has_password) for operator in await operators.all()
    ] == [("Eva Ruiz", "supervisor", False, False)]
    assert again.id == session.operator.id
    with pytest.raises(OperatorWrong):
        await operators.add("\u200b \n", "bob@example.com", "agent")


async def test_a_crowd_of_guesses_takes_no_more_memory_than_a_few() -> None:
    passwords = Passwords(most_waiting=3)
    found = await asyncio.gather(*(passwords.verify("x", None) for _ in range(10)), return_exceptions=True)
    assert [result for result in found if not isinstance(result, PasswordsBusy)] == [False] * 3
    assert not await passwords.verify("x", None)


async def test_an_act_is_in_the_audit_log_although_the_database_was_away(database: Database, redis: Redis) -> None:
    log = AuditLog(database, redis)

    async def rename(before: str, after: str) -> None:
        async with database.writing() as connection:
            await connection.execute(sql(f"ALTER TABLE {before} RENAME TO {after}"))

    await rename("audit_log", "elsewhere")
    for action in ("take", "close"):
        await log.record("eva@example.com", action, "c_1", address="127.0.0.1", details={"note": True})
    await rename("elsewhere", "audit_log")
    await log.record("eva@example.com", "login", "c_1", address="127.0.0.1")
    found = await log.entries(AuditFilter())
    assert [(entry.action, entry.details) for entry in found] == [
        ("login", {}),
        ("close", {"note": True}),
        ("take", {"note": True}),
    ]
    assert found[0].at > found[1].at > found[2].at


async def test_the_audit_log_and_canned_replies(database: Database) -> None:
    log, replies = AuditLog(database), CannedReplies(database)
    for number in range(3):
        await log.record("eva@example.com", "take", f"c_{number}", address="::1", details={"número": number})
    newest, *_ = await log.entries(AuditFilter())
    assert (newest.object, newest.details) == ("c_2", {"número": 2})
    assert [entry.object for entry in await log.entries(AuditFilter(before=newest.id, who="eva@example.com"))] == [
        "c_1",
        "c_0",
    ]
    hello = await replies.put(None, "hola", "¡Hola, {{name}}!", "es", "eva@example.com")
    assert hello
    with pytest.raises(ShortcutTaken):
        await replies.put(None, "hola", "otra", None, "eva@example.com")
    await replies.put(hello.id, "hi", "Hi!", "en", "eva@example.com")
    assert [(reply.shortcut, reply.text) for reply in await replies.all()] == [("hi", "Hi!")]
    assert await replies.remove(hello.id)
    assert not await replies.remove(hello.id)


async def test_a_report_counts_who_resolved_what_and_how_fast(database: Database, redis: Redis) -> None:
    writer = HistoryWriter(database)
    for number in range(3):
        name, at = f"c_{number:020}", NOW + timedelta(minutes=number)
        message = Inbound(id=f"wamid.{number}", phone="1", sent_at=at, received_at=at, content=Text(body="hola"))
        reply = Reply(id=f"t_{number}", parts=(Say(body="hola"),), phone="1", operator="eva" if number == 2 else None)
        answered = at + timedelta(seconds=2)
        await writer.write(
            [
                MessageReceived(id=message.id, conversation=name, at=at, message=message),
                ReplyQueued(id=reply.id, conversation=name, at=answered, reply=reply),
                PartSent(id=f"{reply.id}.0", conversation=name, at=answered, wamid=f"wamid.o{number}"),
            ]
        )
    asked = HandOver(id="a1", conversation=f"c_{1:020}", at=NOW, action="asked", reason="Quiere una devolución")
    await writer.write([asked])
    reports = Reports(database, redis, ZoneInfo("America/Mexico_City"))
    report = await reports.over(NOW.date() - timedelta(days=1), NOW.date())
    totals = report["totals"]
    assert (totals["conversations"], totals["resolved_by_assistant"], totals["handed_over"]) == (3, 1, 1)
    assert totals["first_answer_ms"] == 2000
    assert [day["conversations"] for day in report["days"]] == [0, 3]
    assert report["hand_over_reasons"] == [{"reason": "Quiere una devolución", "count": 1}]
