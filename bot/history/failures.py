"""Failures of the database that pass, and those that are an entry's own."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.database.opening import SchemaOutdated

# Data exceptions, integrity, and limits such as that of an index's row.
_OF_THE_VALUE = ("22", "23", "54")
_OF_THE_ENTRY = (SQLAlchemyError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def is_away(error: Exception) -> bool:
    """Whether the database can't be written now. Its own refusal of a value is the entry's fault."""
    if isinstance(error, DBAPIError):
        # asyncpg's errors keep PostgreSQL's own code: https://www.postgresql.org/docs/current/errcodes-appendix.html
        code = str(getattr(error.orig, "sqlstate", None) or "")
        return not (isinstance(error, DataError | IntegrityError) or code.startswith(_OF_THE_VALUE))
    if isinstance(error, PoolTimeout | SchemaOutdated | OSError):
        return True
    # asyncpg's errors of connecting, which no SQLAlchemy error wraps.
    return not isinstance(error, _OF_THE_ENTRY)
