"""Sessions of operators: begun by a password or a company account, ended by time, their owner, or with the operator."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select

from bot.database.engine import Database
from bot.people.login_limits import LoginLimits
from bot.people.operators import Operator, email_key, operator_of, token_hash
from bot.people.passwords import Passwords
from bot.people.tables import OPERATORS, SESSIONS


class LoginWrong(Exception):
    """No operator has this address and password. The error doesn't say which of the two is wrong."""


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A running session; `token` is its secret, known only when it begins."""

    operator: Operator
    began_at: datetime
    expires_at: datetime
    token: str = ""


class Sessions:
    def __init__(self, database: Database, passwords: Passwords, limits: LoginLimits, lasts: timedelta) -> None:
        self._database = database
        self._passwords = passwords
        self._limits = limits
        self._lasts = lasts

    async def login(self, email: str, password: str, address: str) -> ConsoleSession:
        """Begin a session with a password; raises LoginWrong, TooManyTries."""
        await self._limits.count(email, address)
        enabled = (OPERATORS.c.email_key == email_key(email), OPERATORS.c.disabled_at.is_(None))
        async with self._database.reading() as connection:
            row = (await connection.execute(select(OPERATORS).where(*enabled))).first()
        if not await self._passwords.verify(password, row.password_hash if row is not None else None) or row is None:
            raise LoginWrong
        await self._limits.forget(email, address)
        return await self.begin(operator_of(row), address)

    async def login_with_company(self, email: str, address: str) -> ConsoleSession:
        """Begin a session for an address that the company's provider confirms; raises LoginWrong.

        Only people who are operators already can log in.
        """
        enabled = (OPERATORS.c.email_key == email_key(email), OPERATORS.c.disabled_at.is_(None))
        async with self._database.reading() as connection:
            row = (await connection.execute(select(OPERATORS).where(*enabled))).first()
        # With a password, any spelling of the address will do. A provider may give another spelling to another person.
        if row is None or (not email.isascii() and email != row.email):
            raise LoginWrong
        return await self.begin(operator_of(row), address)

    async def begin(self, operator: Operator, address: str) -> ConsoleSession:
        """Begin a session, always with a secret of its own; sessions that are over leave."""
        now, token = datetime.now(UTC), secrets.token_urlsafe(32)
        session = {
            "token_hash": token_hash(token),
            "operator_id": operator.id,
            "created_at": now,
            "expires_at": now + self._lasts,
            "address": address,
        }
        async with self._database.writing() as connection:
            await connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at <= now))
            await connection.execute(insert(SESSIONS).values(session))
        return ConsoleSession(operator, now, now + self._lasts, token)

    async def of(self, token: str) -> ConsoleSession | None:
        """The running session with this secret, of an operator who is enabled."""
        found = (
            select(OPERATORS, SESSIONS.c.created_at.label("began_at"), SESSIONS.c.expires_at)
            .join(SESSIONS, SESSIONS.c.operator_id == OPERATORS.c.id)
            .where(
                SESSIONS.c.token_hash == token_hash(token),
                SESSIONS.c.expires_at > datetime.now(UTC),
                OPERATORS.c.disabled_at.is_(None),
            )
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(found)).first()
        return ConsoleSession(operator_of(row), row.began_at, row.expires_at) if row is not None else None

    async def end(self, token: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == token_hash(token)))
