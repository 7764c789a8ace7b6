"""Tables whose rows are one test: for rows that take less time than a test of their own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar, cast

from _pytest.mark.structures import ParameterSet

Test = TypeVar("Test", bound=Callable[..., Any])


def each(names: str | Sequence[str], rows: Iterable[Any], ids: object = None) -> Callable[[Test], Test]:
    """Run a test for each row, as `pytest.mark.parametrize` does, but as one test, which names the rows that fail.

    `ids` is for readers alone. A test that changes what its fixtures give stays with `parametrize`.
    """
    fields = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = [_values(row, len(fields)) for row in rows]
    assert table, "a table without rows proves nothing"

    def decorate(test: Test) -> Test:
        def calls(fixtures: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
            for values in table:
                yield values, functools.partial(test, **fixtures, **dict(zip(fields, values, strict=True)))

        def run_now(**fixtures: Any) -> None:
            with _all_tried(len(table)) as tried:
                for values, call in calls(fixtures):
                    with tried(values):
                        call()

        async def run_in_loop(**fixtures: Any) -> None:
            with _all_tried(len(table)) as tried:
                for values, call in calls(fixtures):
                    with tried(values):
                        await call()

        run: Any = run_in_loop if inspect.iscoroutinefunction(test) else run_now
        kept = [parameter for name, parameter in inspect.signature(test).parameters.items() if name not in fields]
        run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
        run.__module__ = test.__module__
        run.__dict__.update(test.__dict__)
        # Read by pytest, which gives a test the fixtures that its signature names.
        run.__signature__ = inspect.Signature(kept)
        return cast(Test, run)

    return decorate


@contextmanager
def _all_tried(count: int) -> Iterator[Callable[[tuple[Any, ...]], AbstractContextManager[None]]]:
    """Try rows, and raise in the end what failed, each with its row."""
    failed: list[Exception] = []

    @contextmanager
    def tried(values: tuple[Any, ...]) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the group tells of it
            error.add_note(f"in the row {values!r}"[:2000])
            failed.append(error)

    yield tried
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {count} rows", failed)


def _values(row: Any, count: int) -> tuple[Any, ...]:
    if isinstance(row, ParameterSet):
        assert not row.marks, "a row of a table has no marks"
        return tuple(row.values)
    return tuple(row) if count > 1 else (row,)
