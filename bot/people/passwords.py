"""Passwords: hashed with argon2id beside the event loop, and refused where they are easily guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
_LONGEST = 200
_FEWEST_SIGNS = 5
# The passwords that guessers try first, from public lists of leaked ones; each shorter one is refused anyhow.
_COMMON = """
1234567890 0123456789 12345678910 0987654321 qwertyuiop qwerty12345 qwerty123456 qwertyuiop123 1q2w3e4r5t 1q2w3e4r5t6y
1qaz2wsx3edc password12 password123 password1234 passw0rd123 p@ssw0rd123 contrasena contraseña contrasena1
contrasena123 contraseña123 administrador administrator iloveyou123 tequieromucho abcdefghij abcd123456 abc1234567
q1w2e3r4t5 zaq12wsxcde letmein123 welcome123 welcome1234 bienvenido1 bienvenido123 changeme123 asdfghjkl1 asdfghjklñ
asdfghjkl123 qazwsxedcrfv 11223344556677 recado1234
"""
# Each check takes 64 MiB and all cores for a moment.
_AT_ONCE = 2
_MOST_WAITING = 40


class PasswordWeak(Exception):
    """A password that is easily guessed: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def require_strong(password: str, *known: str) -> None:
    """Raise PasswordWeak for a short or a common password, or one made of `known` words about its owner."""
    plain = password.casefold()
    if len(password) < SHORTEST:
        raise PasswordWeak("password_short")
    if len(password) > _LONGEST:
        raise PasswordWeak("password_long")
    if plain in _COMMON.split() or len(set(plain)) < _FEWEST_SIGNS or (plain.isdigit() and len(plain) < SHORTEST + 4):
        raise PasswordWeak("password_common")
    if any(len(word) >= SHORTEST // 2 and word.casefold() in plain and len(plain) < 2 * len(word) for word in known):
        raise PasswordWeak("password_personal")


class PasswordsBusy(Exception):
    """Too many passwords wait to be checked, as when somebody guesses from many addresses."""


class Passwords:
    """Hashes and checks, at most two at a time: more would only wait for each other's memory.

    Raises PasswordsBusy if too many wait already.
    """

    def __init__(self, most_waiting: int = _MOST_WAITING) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._most_waiting = most_waiting
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        async with self._turn():
            return await asyncio.to_thread(_hasher().hash, password)

    async def verify(self, password: str, hash_: str | None) -> bool:
        """Whether the password is right. Without a hash it is wrong, but the check takes as long."""
        async with self._turn():
            return await asyncio.to_thread(_verify, password, hash_)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= self._most_waiting:
            raise PasswordsBusy
        self._waiting += 1
        try:
            async with self._room:
                yield
        finally:
            self._waiting -= 1


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("the password of nobody")


def _verify(password: str, hash_: str | None) -> bool:
    try:
        return _hasher().verify(hash_ or _nobodys(), password[:_LONGEST]) and hash_ is not None
    except (VerificationError, InvalidHashError):
        return False
