"""Tables whose rows are one test: for rows that take less time than a test of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from _pytest.mark.structures import ParameterSet

Test = Callable[..., None]


def each(names: str | Sequence[str], rows: Iterable[Any], ids: object = None) -> Callable[[Test], Test]:
    """Run a test for each row, as `pytest.mark.parametrize` does, but as one test, which names the rows that fail.

    `ids` is for readers alone. A test that changes what its fixtures give stays with `parametrize`.
    """
    fields = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = [_values(row, len(fields)) for row in rows]
    assert table, "a table without rows proves nothing"

    def decorate(test: Test) -> Test:
        def run(**fixtures: Any) -> None:
            failed: list[Exception] = []
            for values in table:
                try:
                    test(**fixtures, **dict(zip(fields, values, strict=True)))
                except Exception as error:  # noqa: BLE001 - all rows are tried, and the group tells of each
                    error.add_note(f"in the row {values!r}"[:2000])
                    failed.append(error)
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(table)} rows", failed)

        kept = [one for name, one in inspect.signature(test).parameters.items() if name not in fields]
        run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
        run.__module__ = test.__module__
        run.__dict__.update(test.__dict__)
        run.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined] # read by pytest
        return run

    return decorate


def _values(row: Any, count: int) -> tuple[Any, ...]:
    if isinstance(row, ParameterSet):
        assert not row.marks, "a row of a table has no marks"
        return tuple(row.values)
    return tuple(row) if count > 1 else (row,)
