"""Operators: the people of the console, and the links by which they set their passwords."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database
from bot.messages.language import Language
from bot.people.passwords import Passwords, require_strong
from bot.people.roles import ROLES, Role
from bot.people.tables import OPERATORS, PASSWORD_LINKS, SESSIONS

LINK_LASTS = timedelta(days=1)
_LONGEST_NAME = 100


class OperatorWrong(Exception):
    """Invalid data of an operator: the text says which and why, `said` in both languages."""

    def __init__(self, *, en: str, es: str) -> None:
        super().__init__(en)
        self.said: dict[Language, str] = {"en": en, "es": es}


class OperatorKnown(OperatorWrong):
    """The address is an operator's already."""


class LinkOver(Exception):
    """A link that was used, has expired, or never existed."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A person of the console."""

    id: str
    email: str
    name: str
    role: Role
    disabled: bool = False
    has_password: bool = True


class Operators:
    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def add(self, name: str, email: str, role: str) -> tuple[Operator, str]:
        """Add an operator, or enable a disabled one anew; gives the token of the link that sets a password.

        Raises OperatorWrong.
        """
        name, email = _name(name), _email(email)
        if role not in ROLES:
            roles = ", ".join(ROLES)
            raise OperatorWrong(en=f"role: expected {roles}", es=f"rol: se espera {roles}")
        facts = {"email": email, "name": name, "role": role, "disabled_at": None, "password_hash": None}
        async with self._database.writing() as connection:
            known = await _row(connection, email)
            if known is not None and known.disabled_at is None:
                raise OperatorKnown(
                    en=f"{email} is an operator already; see `recado operators list`",
                    es=f"{email} ya está en la consola; mira `recado operators list`",
                )
            if known is not None:
                await connection.execute(update(OPERATORS).where(OPERATORS.c.id == known.id).values(facts))
                id_ = str(known.id)
            else:
                id_ = f"o_{secrets.token_hex(10)}"
                own = {"id": id_, "email_key": email_key(email), "created_at": datetime.now(UTC)}
                try:
                    await connection.execute(insert(OPERATORS).values(facts | own))
                except IntegrityError as error:
                    raise OperatorKnown(
                        en=f"{email} is an operator already", es=f"{email} ya está en la consola"
                    ) from error
            token = await _new_link(connection, id_)
        return Operator(id_, email, name, role, has_password=False), token

    async def all(self) -> list[Operator]:
        """Operators by name, the disabled ones too."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(OPERATORS).order_by(OPERATORS.c.name, OPERATORS.c.email_key))
            return [operator_of(row) for row in rows]

    async def by_email(self, email: str) -> Operator | None:
        async with self._database.reading() as connection:
            row = await _row(connection, email)
        return operator_of(row) if row is not None else None

    async def disable(self, email: str) -> Operator | None:
        """End an operator's sessions, links and logins; None for an unknown one."""
        async with self._database.writing() as connection:
            row = await _row(connection, email)
            if row is None:
                return None
            own = OPERATORS.c.id == row.id
            await connection.execute(update(OPERATORS).where(own).values(disabled_at=datetime.now(UTC)))
            await _end_all(connection, row.id)
        return operator_of(row)

    async def reset(self, email: str) -> str | None:
        """The token of a new link that sets a password; None for an unknown or disabled operator.

        The old password is valid until then.
        """
        async with self._database.writing() as connection:
            row = await _row(connection, email)
            return await _new_link(connection, row.id) if row is not None and row.disabled_at is None else None

    async def set_password(self, token: str, password: str) -> Operator:
        """Set the password by a link, once; all sessions of the operator end. Raises LinkOver, PasswordWeak."""
        hash_, now = token_hash(token), datetime.now(UTC)
        valid = (
            PASSWORD_LINKS.c.token_hash == hash_,
            PASSWORD_LINKS.c.used_at.is_(None),
            PASSWORD_LINKS.c.expires_at > now,
        )
        found = (
            select(OPERATORS)
            .join(PASSWORD_LINKS, PASSWORD_LINKS.c.operator_id == OPERATORS.c.id)
            .where(*valid, OPERATORS.c.disabled_at.is_(None))
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(found)).first()
        if row is None:
            raise LinkOver
        require_strong(password, row.name, row.email.partition("@")[0])
        hashed = await self._passwords.hashed(password)
        async with self._database.writing() as connection:
            # If two requests use one link at the same time, only one of them changes the row.
            used = await connection.execute(update(PASSWORD_LINKS).where(*valid).values(used_at=now))
            if used.rowcount != 1:
                raise LinkOver
            await connection.execute(update(OPERATORS).where(OPERATORS.c.id == row.id).values(password_hash=hashed))
            await connection.execute(delete(SESSIONS).where(SESSIONS.c.operator_id == row.id))
        return operator_of(row)


def operator_of(row: Row[Any]) -> Operator:
    return Operator(
        row.id, row.email, row.name, row.role, row.disabled_at is not None, has_password=row.password_hash is not None
    )


def email_key(email: str) -> str:
    """The address as it is compared."""
    return email.strip().casefold()


def token_hash(token: str) -> str:
    """Digest of a token, which is stored instead, so that nobody who reads the database can log in."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


async def _row(connection: AsyncConnection, email: str) -> Row[Any] | None:
    return (await connection.execute(select(OPERATORS).where(OPERATORS.c.email_key == email_key(email)))).first()


async def _new_link(connection: AsyncConnection, operator_id: str) -> str:
    """A new link; earlier ones end."""
    await connection.execute(delete(PASSWORD_LINKS).where(PASSWORD_LINKS.c.operator_id == operator_id))
    token = secrets.token_urlsafe(32)
    link = {
        "token_hash": token_hash(token),
        "operator_id": operator_id,
        "expires_at": datetime.now(UTC) + LINK_LASTS,
    }
    await connection.execute(insert(PASSWORD_LINKS).values(link))
    return token


async def _end_all(connection: AsyncConnection, operator_id: str) -> None:
    for table in (SESSIONS, PASSWORD_LINKS):
        await connection.execute(delete(table).where(table.c.operator_id == operator_id))


def _name(name: str) -> str:
    plain = " ".join("".join(sign for sign in name if sign.isprintable()).split())
    if not 0 < len(plain) <= _LONGEST_NAME:
        raise OperatorWrong(
            en=f"name: expected 1 to {_LONGEST_NAME} signs", es=f"nombre: se esperan de 1 a {_LONGEST_NAME} letras"
        )
    return plain


def _email(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise OperatorWrong(en=f"email: {error}", es="correo: no es una dirección") from error
